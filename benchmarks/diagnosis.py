"""How often ``zoo diagnose`` is right: runs made ill in known ways, and healthy ones.

    python -m benchmarks.diagnosis                  seeds 5 to 9, on which the rules are judged
    python -m benchmarks.diagnosis --seeds 0 1 2    those that they were tuned on are 0 to 4
    python -m benchmarks.diagnosis --only healthy_vae kl_collapse

A run is judged right where the first thing that is called ill is the illness that it was given, and
where nothing is called ill of a healthy one. The runs take some ten seconds each.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

import zoo
from zoo import callbacks, datasets
from zoo.datasets import Access
from zoo.errors import RunFailed
from zoo.nn.distributions import StandardNormal
from zoo.reports import diagnosis
from zoo.runs.run import Run

QUIET = Access(say=lambda line: None)
BATCHES = 22  # of an epoch of all digits
FILE = Path(__file__).parent / "diagnosis.json"


@dataclasses.dataclass(frozen=True)
class FewDigits(datasets.Digits):
    """The digits of scikit-learn; training takes only some of the first."""

    examples: int = 1397

    def load(self, access: Access = QUIET) -> datasets.Data:
        data = super().load(access)
        return dataclasses.replace(data, train=data.train.first(self.examples))


def gan(generator: float, discriminator: float, epochs: int = 150, **model: Any) -> zoo.Recipe:
    """A dense GAN on the digits, with a learning rate for each player."""
    rates = {"generator": generator, "discriminator": discriminator}
    return zoo.Recipe(
        model=zoo.model("gan", prior=StandardNormal(16), units=(128, 128), **model),
        dataset=FewDigits(batch_size=64),
        optimizers={p: keras.optimizers.Adam(rate, beta_1=0.5) for p, rate in rates.items()},
        callbacks=_callbacks(),
        epochs=epochs,
    )


def vae(rate: Any, epochs: int, kl: float = 1.0, data: FewDigits | None = None, **model: Any):
    """A dense VAE on the digits."""
    return zoo.Recipe(
        model=zoo.model("vae", **{"latent_dim": 8, "units": (64,), **model}),
        dataset=data or FewDigits(batch_size=64, binarize="dynamic"),
        weights={"autoencoder": {"kl": kl}},
        optimizers={"autoencoder": keras.optimizers.Adam(rate)},
        callbacks=_callbacks(),
        epochs=epochs,
    )


def _callbacks() -> list[Any]:
    return [callbacks.TensorBoard(every=1000, codes=0), callbacks.Checkpoint(every=1000)]


def falling(rate: float, epochs: int) -> Any:
    """A learning rate that falls to 0 at the end, so that training is over."""
    return keras.optimizers.schedules.CosineDecay(rate, epochs * BATCHES)


def rising(rate: float, by: float) -> Any:
    """A learning rate that is multiplied each epoch, until it is too high."""
    return keras.optimizers.schedules.ExponentialDecay(rate, BATCHES, by)


def few() -> FewDigits:
    """So few examples that they can be learned by heart."""
    return FewDigits(batch_size=64, binarize="fixed", examples=200)


CASES: dict[str, Callable[[], zoo.Recipe]] = {
    "healthy_vae": lambda: vae(falling(3e-3, 60), 60),
    "healthy_gan": lambda: gan(5e-4, 2e-4),
    "discriminator_wins": lambda: gan(1e-6, 1e-3),
    "mode_collapse": lambda: gan(1e-2, 1e-4),
    "kl_collapse": lambda: vae(falling(3e-3, 60), 60, kl=20.0),
    "vanishing_gradient": lambda: gan(1e-5, 2e-3, adversarial="minimax"),
    "still_improving": lambda: vae(1e-4, 30),
    "overfitting": lambda: vae(2e-3, 150, data=few(), units=(256, 128)),
    "nan_near": lambda: vae(rising(1e-3, 1.25), 30),
}
"""Recipes by the illness that they have, under the name of the rule that should see it."""


def called(name: str, seed: int, folder: Path) -> str:
    """Train a case; the first thing that is called ill, or ``"healthy"``."""
    recipe = dataclasses.replace(CASES[name](), seed=seed)
    begun: list[Run] = []
    options: dict[str, Any] = {"runs_folder": str(folder), "access": QUIET, "on_nan": "skip"}
    with contextlib.suppress(RunFailed):  # where no step of an epoch was finite
        zoo.train(recipe, name=name, begun=begun.append, **options)
    ill = [f.name for f in diagnosis.diagnose(diagnosis.read(begun[0])).findings if f.ill]
    return ill[0] if ill else "healthy"


def main(given: Sequence[str] | None = None) -> int:
    """Train, judge, print a table, and keep it as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.diagnosis",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[5, 6, 7, 8, 9])
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--json", type=Path, default=FILE)
    options = parser.parse_args(given)
    found: dict[str, dict[str, str]] = defaultdict(dict)
    with tempfile.TemporaryDirectory() as folder:
        for name in options.only:
            for seed in options.seeds:
                found[name][str(seed)] = called(name, seed, Path(folder))
                print(f"{name} {seed}: {found[name][str(seed)]}", flush=True)
    options.json.write_text(
        json.dumps({"backend": keras.backend.backend(), "called": found}, indent=1) + "\n"
    )
    print(table(found))
    return 0


def right(name: str, called: str) -> bool:
    """Whether a case was called what it is."""
    return called == ("healthy" if name.startswith("healthy") else name)


def table(found: dict[str, dict[str, str]]) -> str:
    """What each case was called, in Markdown."""
    lines = ["| a run with | right | called otherwise |", "|---|---|---|"]
    for name, by_seed in found.items():
        wrong = [f"seed {s}: {c}" for s, c in by_seed.items() if not right(name, c)]
        lines.append(
            f"| {name} | {len(by_seed) - len(wrong)} of {len(by_seed)} | {', '.join(wrong)} |"
        )
    every = [right(name, c) for name, by_seed in found.items() for c in by_seed.values()]
    return "\n".join([*lines, f"| all | {sum(every)} of {len(every)} | |"])


if __name__ == "__main__":
    raise SystemExit(main())
