"""Kills a training at random moments, again and again, and compares how it ends.

    python -m tests.soak                       20 kills of each recipe on each backend
    python -m tests.soak --kills 5 --backend jax --recipe vae --seed 1

Every process is a real one, killed with SIGKILL. The run has to be readable after each kill, and
to end with the state of a run that was never stopped, bit for bit.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from zoo.runs import folders
from zoo.runs.checkpoints import Store
from zoo.runs.run import Run
from zoo.runtime import backends

RECIPE = """
import keras
import zoo
from zoo import callbacks, datasets

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=2, units=(8,)),
    dataset=datasets.Digits(batch_size=128, binarize="dynamic"),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    callbacks=[
        callbacks.TensorBoard(),
        callbacks.SampleGrid(n=4),
        callbacks.Checkpoint(every="3 steps"),
        keras.callbacks.EarlyStopping("val_loss", patience=1000),
    ],
    metrics=[zoo.metrics.ELBO()],
    ema=0.9,
    epochs=EPOCHS,
)
"""

EVERYTHING = """
import keras
import zoo
from zoo import callbacks, datasets
from zoo.nn import samplers, schedules

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=2, units=(8,)),
    dataset=datasets.Digits(batch_size=128),
    augment=[keras.layers.RandomTranslation(0.1, 0.1), keras.layers.GaussianNoise(0.05)],
    optimizers={
        "autoencoder": keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(1e-3, 300), gradient_accumulation_steps=2
        )
    },
    weights={"autoencoder": {"kl": schedules.WarmUp(200)}},
    sampler=samplers.GaussianMixture(3),
    callbacks=[
        callbacks.TensorBoard(),
        callbacks.Checkpoint(every="3 steps"),
        keras.callbacks.EarlyStopping("val_loss", patience=1000),
    ],
    ema=0.99,
    epochs=EPOCHS,
)
"""
"""What changes from step to step: schedules, augmentation, accumulated gradients; a sampler."""

PLAYERS = """
import keras
import zoo
from zoo import callbacks, datasets

recipe = zoo.Recipe(
    model=zoo.model("gan", units=(16,)),
    dataset=datasets.Digits(batch_size=128),
    optimizers={
        "discriminator": keras.optimizers.Adam(1e-3, beta_1=0.5),
        "generator": keras.optimizers.Adam(1e-3, beta_1=0.5),
    },
    callbacks=[
        callbacks.SampleGrid(n=4),
        callbacks.Checkpoint(every="3 steps"),
        keras.callbacks.ReduceLROnPlateau("loss", patience=2),
    ],
    precision="mixed_float16",
    ema=0.9,
    epochs=EPOCHS,
)
"""
"""Several players that move in turn, in mixed precision, with a callback that has a memory."""

RECIPES = {"vae": RECIPE, "everything": EVERYTHING, "players": PLAYERS}


def start(folder: Path, backend: str, *args: str) -> subprocess.Popen:
    """A command of the zoo in a process of its own."""
    environment = {**os.environ, "ZOO_RUNS": str(folder / "runs"), "KERAS_BACKEND": backend}
    return subprocess.Popen(
        [sys.executable, "-m", "zoo", *args],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen) -> None:
    """Let a process end, which has to go well."""
    _, told = process.communicate(timeout=600)
    if process.returncode:
        raise AssertionError(f"exit status {process.returncode}:\n{told}")


def kill(process: subprocess.Popen, after: float) -> bool:
    """SIGKILL so many seconds after it has begun to train; whether it was not over before."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("run "):
            break
    end = time.monotonic() + after
    while (left := end - time.monotonic()) > 0 and process.poll() is None:
        if select.select([process.stderr], [], [], left)[0] and not process.stderr.readline():
            process.wait()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def digest(run: Run) -> str:
    """The state that a run ended with, in one word."""
    found = hashlib.sha256()
    for name, array in sorted(Store(run.checkpoints).newest().arrays.items()):
        found.update(name.encode() + array.tobytes())
    return found.hexdigest()


def soak(
    folder: Path,
    backend: str,
    kills: int,
    *,
    epochs: int,
    most: float,
    seed: int = 0,
    text: str = RECIPE,
) -> int:
    """Compare a run that is killed so often with one that is not.

    Args:
        folder: an empty one.
        backend: what both train on.
        kills: how often.
        epochs: of the training, which has to last for so many kills.
        most: seconds from the beginning of a training to its end by SIGKILL, at most.
        seed: of the moments.
        text: the recipe, with ``EPOCHS`` for their number.

    Returns:
        How often it was killed; less where the training was over before.

    Raises:
        AssertionError: a run could not be read or resumed, or ended otherwise.
    """
    moments = random.Random(seed)
    recipe = folder / "soak.py"
    recipe.write_text(text.replace("EPOCHS", str(epochs)))
    finish(start(folder, backend, "run", str(recipe)))
    [whole] = folders.all_runs(folder / "runs")
    done, killed, command = 0, None, ["run", str(recipe)]
    while done < kills and kill(start(folder, backend, *command), moments.uniform(0, most)):
        done += 1
        killed = next(run for run in folders.all_runs(folder / "runs") if run.path != whole.path)
        finish(start(folder, backend, "show", killed.id))
        command = ["resume", killed.id]
    if killed is None:
        raise AssertionError("the training was over before the first kill")
    if killed.status != "finished":
        finish(start(folder, backend, "resume", killed.id))
    for name, found in {
        "states": (digest(whole), digest(killed)),
        "tables": (whole.log.read_text(), killed.log.read_text()),
        "metrics": tuple(r.read_json("results.json")["metrics"] for r in (whole, killed)),
        "samplers": tuple(r.manifest.sha256.get("sampler.safetensors") for r in (whole, killed)),
    }.items():
        assert found[0] == found[1], f"{name} differ"
    return done


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--backend", metavar="NAME", action="append")
    parser.add_argument("--recipe", choices=RECIPES, action="append", help="default: all")
    parser.add_argument("--kills", type=int, default=20, help="of each recipe's training")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--most", type=float, default=2.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for backend in options.backend or backends.installed():
        for name in options.recipe or RECIPES:
            began = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                done = soak(
                    Path(folder),
                    backend,
                    options.kills,
                    epochs=options.epochs,
                    most=options.most,
                    seed=options.seed,
                    text=RECIPES[name],
                )
            took = time.monotonic() - began
            told = f"killed {done} times, the same end, in {took:.0f} s"
            print(f"{backend}, {name}: {told}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
