"""What datasets load."""

from __future__ import annotations

import numpy as np

from zoo.datasets import Data
from zoo.testing.checks.bench import Bench
from zoo.testing.checks.listing import check
from zoo.testing.checks.outcomes import expect

SOME = 1000  # examples of a split that are looked at


@check("datasets")
def loads(bench: Bench):
    """``load()`` gives a ``zoo.datasets.Data``."""
    data = bench.plugin.load()
    expect(isinstance(data, Data), f"load() gives {type(data).__name__}, not zoo.datasets.Data")


@check("datasets")
def examples_are_as_the_spec_says(bench: Bench):
    """Every split holds uint8 pictures or finite float32 vectors of the spec's shape."""
    for name, split in _splits(bench):
        _fit(split.first(SOME).x, bench.loaded.spec.shape, name)


@check("datasets")
def sources_are_as_the_spec_says(bench: Bench):
    """So do the sources beside the first; ``Split`` has those that the spec names, pair by pair."""
    spec = bench.loaded.spec
    for name, split in _splits(bench):
        other = {n: a for own in (split.paired, split.unpaired) for n, a in own.items()}
        wanted = {n: s for n, s in spec.sources.items() if n != next(iter(spec.sources))}
        expect(
            other.keys() == wanted.keys() and set(split.unpaired) == set(spec.unpaired),
            f"{name} has the paired sources {list(split.paired)} and unpaired ones "
            f"{list(split.unpaired)}; the spec says {list(wanted)}, of which unpaired "
            f"{list(spec.unpaired)}",
        )
        for source, array in other.items():
            _fit(array[:SOME], wanted[source], f"{source} of {name}")


def _fit(array, shape, name):
    x = np.asarray(array)
    kinds = ("uint8", "float32") if len(shape) == 3 else ("float32",)
    expect(len(x), f"{name} has no examples")
    expect(x.shape[1:] == shape, f"{name} has examples of {x.shape[1:]}; the spec says {shape}")
    expect(str(x.dtype) in kinds, f"{name} is {x.dtype}, and may be {' or '.join(kinds)}")
    expect(np.isfinite(x).all(), f"{name} has numbers that are not finite")


@check("datasets")
def labels_are_classes(bench: Bench):
    """Labels are int32 from 0 to classes - 1 in every split; without classes there are none.

    -1 is a missing label, where the spec says ``missing_labels``.
    """
    classes, low = bench.loaded.spec.classes, -int(bench.loaded.spec.missing_labels)
    for name, split in _splits(bench):
        if not classes:
            expect(split.y is None, f"{name} has labels, and the spec says classes=0")
            continue
        expect(split.y is not None, f"{name} has no labels, and the spec says classes={classes}")
        y = np.asarray(split.y)
        expect(y.dtype == np.int32 and y.ndim == 1, f"labels of {name} are {y.dtype} {y.shape}")
        expect(
            low <= y.min() <= y.max() < classes,
            f"labels of {name} go from {y.min()} to {y.max()}; the spec says classes={classes}"
            + (", and not missing_labels" if low == 0 and y.min() == -1 else ""),
        )


@check("datasets")
def loads_the_same_every_time(bench: Bench):
    """Loading twice gives the same examples."""
    same = bench.loaded.fingerprint == bench.plugin.load().fingerprint
    expect(same, "loading twice gives other examples: draw them from a seed in the settings")


@check("datasets")
def tests_on_what_it_does_not_train_on(bench: Bench):
    """Not more than half of the test examples are training examples."""
    seen = {row.tobytes() for row in np.asarray(bench.loaded.train.first(None).x[:])}
    test = np.asarray(bench.loaded.test.first(SOME).x)
    again = sum(row.tobytes() in seen for row in test)
    expect(2 * again <= len(test), f"{again} of {len(test)} test examples are trained on")


def _splits(bench):
    data = bench.loaded
    return [("train", data.train), ("validation", data.validation), ("test", data.test)]
