"""The packs that ship with the zoo, made from finished runs.

    python -m benchmarks.packs RUN      becomes the pack of its recipe, in the plugin of its model
    python -m benchmarks.packs RUN --without discriminator
    python -m benchmarks.packs --measure NAME      what its recipe asks for, and a pack has not

The weights are kept as float16, and the figures on the card are of these weights, measured by whole
protocols on the backend of the run.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.config import recipe_files
from zoo.errors import ZooError
from zoo.plugin import registry
from zoo.plugin.dataset import Access, Data
from zoo.plugin.metric import Metric
from zoo.runs import folders, pretrained
from zoo.runs.run import RESULTS, Run
from zoo.runtime import backends
from zoo.runtime.console import say

DATA_LICENSES = {
    "mnist": "MNIST, which is CC BY-SA 3.0 (Y. LeCun, C. Cortes)",
    "sprites": "sprites that the zoo renders",
    "cifar10_jpeg": "a JPEG copy of CIFAR-10 (A. Krizhevsky 2009), which states no license",
}
"""What the weights were trained on, by the name of the data."""


def main() -> int:
    """Make one pack."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.packs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("run", nargs="?", help="a finished run of a shipped recipe")
    what.add_argument("--measure", metavar="NAME", help="a pack that ships with the zoo")
    parser.add_argument("--which", default="last", choices=["last", "best"], help="of its weights")
    parser.add_argument("--without", action="append", default=[], help="a network to leave out")
    options = parser.parse_args()
    try:
        if options.measure:
            made = complete(options.measure)
        else:
            run = folders.find(options.run, folders.root(), say)
            made = make(run, options.which, options.without)
    except ZooError as error:
        say(str(error))
        return 2
    say(f"{made.id}: {made.path}")
    if pretrained.get(made.id) is None:
        say(f"add it to {registry.PRETRAINED} in pyproject.toml and install again")
    return 0


def make(run: Run, which: Any = "last", without: Sequence[str] = ()) -> Run:
    """The pack of a run, with figures of its own."""
    data = run.manifest.data.name
    if data not in DATA_LICENSES:
        raise ZooError(f"say in {Path(__file__).name} what license the data {data} have")
    backends.activate(backends.choose(run.manifest.backend, None, run.manifest.device))
    from zoo.runs import results, sharing
    from zoo.runs.pack import pack

    access, place = Access(say=say), _place(run)
    sharing.refuse_other(place)
    place.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:  # measuring takes minutes
        made = pack(
            run,
            Path(folder, place.name),
            dtype="float16",
            which=which,
            without=without,
            license=f"Apache-2.0; trained on {DATA_LICENSES[data]}",
            access=access,
        )
        metrics = results.metrics_of(run) if run.manifest.metrics else []
        measure(made, results.data_of(run, access), metrics)
        if place.exists():
            place.rename(Path(folder, "before"))
        made.path.rename(place)
    return Run(place)


def complete(name: str) -> Run:
    """A pack that ships with the zoo, with the figures that its recipe asks for by now."""
    found, recipe = pretrained.get(name), recipe_files.shipped().get(name)
    if found is None or recipe is None:
        raise ZooError(f"no pack and recipe that come with the zoo are named {name}")
    pack = Run(found.path)
    backends.activate(backends.choose(pack.manifest.backend, None, pack.manifest.device))
    from zoo.config import recipe as recipes
    from zoo.plugin.serialization import settings_of
    from zoo.runs import results

    metrics, before = recipes.load(recipe).metrics, results.kept(pack)
    missing = [metric for metric in metrics if metric.name not in before]
    measure(pack, results.data_of(pack, Access(say=say)), missing, before)
    pack.update(metrics=[settings_of(metric, "metrics") for metric in metrics])
    return pack


def measure(
    pack: Run, data: Data, metrics: Sequence[Metric], before: Mapping[str, Any] = {}
) -> None:
    """Measure a pack by whole protocols, and write its figures and its card.

    Args:
        pack: the pack.
        data: to measure it on.
        metrics: to be measured.
        before: what was measured already, and stays.
    """
    from zoo.metrics import evaluate
    from zoo.runs import card, sharing
    from zoo.runs.load import load

    described, model = pack.manifest, load(pack)
    ready = [metric.prepare(data, Access(say=say), None) for metric in metrics]
    measured = evaluate.measure(ready, model, data, described.seed, described.binarized)
    pack.write_json(RESULTS, {**pack.read_json(RESULTS), "metrics": {**before, **measured}})
    pack.write(sharing.CARD, card.card(pack, model.count_params()).encode())


def _place(run: Run) -> Path:
    """``pretrained/RECIPE`` in the package of the plugin whose model was trained."""
    target = registry.find("models", run.manifest.model.name or "").target
    package = importlib.util.find_spec(target.partition(":")[0].partition(".")[0])
    if package is None or not package.origin:
        raise ZooError(f"there is no package of {target}")
    return Path(package.origin).parent / "pretrained" / Path(run.manifest.recipe).stem


if __name__ == "__main__":
    sys.exit(main())
