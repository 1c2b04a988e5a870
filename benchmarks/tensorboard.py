"""What ``callbacks.TensorBoard`` costs: processor time of one core, of all that a run takes.

    python -m benchmarks.tensorboard                         vae_mnist and dcgan_mnist
    python -m benchmarks.tensorboard vae_mnist --pairs 3

How much it writes does not depend on how long an epoch is: about 200 points of a curve, 25 norms
and four sets of pictures per run. So its cost is measured in short runs, which have all of a
recipe's epochs but few examples: with it and without, in turns, each in a process of its own on one
core. It is divided by the processor time of the whole recipe without it, measurements at the end
included.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

RECIPES = {"vae_mnist": "jax", "dcgan_mnist": "tensorflow"}  # the fastest backend of each
FEW = 2560  # examples of a short run: more than a set of pictures shows
ROOT = Path(__file__).parents[1]


def main() -> None:
    """Measure, and print a line per recipe."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", default=list(RECIPES))
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    for name in options.recipes:
        differences = []
        for turn in range(options.pairs):
            order = ("without", "with") if turn % 2 == 0 else ("with", "without")
            seconds = {kind: spent(name, kind) for kind in order}
            differences.append(seconds["with"] - seconds["without"])
        cost, whole = statistics.median(differences), spent(name, "whole")
        between = f"{min(differences):.2f} to {max(differences):.2f}"
        print(f"{name}: {cost:.2f} s ({between}) of {whole:.1f} s, {cost / whole:.1%}", flush=True)


def spent(name: str, kind: str) -> float:
    """Seconds of processor time of a process that trains a recipe.

    Args:
        name: of the recipe.
        kind: ``"with"`` TensorBoard or ``"without"``, both short; ``"whole"`` is without it too.
    """
    code = f"from benchmarks import tensorboard; tensorboard.train({name!r}, {kind!r})"
    environment = os.environ | {"KERAS_BACKEND": RECIPES[name], "TF_CPP_MIN_LOG_LEVEL": "3"}
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{name}, {kind}: it failed. Look: python -c {code!r}")
    print(f"{name} {kind}: {usage.ru_utime + usage.ru_stime:.1f} s", flush=True)
    return usage.ru_utime + usage.ru_stime


def train(name: str, kind: str) -> None:
    """Train a recipe in this process, on one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import zoo
    from zoo import callbacks
    from zoo.config import recipe, recipe_files

    path = recipe_files.find(name)
    own = recipe.load(path)
    if kind != "with":
        kept = [c for c in own.callbacks if not isinstance(c, callbacks.TensorBoard)]
        own = dataclasses.replace(own, callbacks=kept)
    if kind != "whole":
        dataset: Any = own.dataset
        data = dataclasses.replace(dataset, limit=FEW)
        own = dataclasses.replace(own, dataset=data, metrics=[])
    with tempfile.TemporaryDirectory() as folder:
        zoo.train(own, name=name, source=path, runs_folder=folder)


if __name__ == "__main__":
    main()
