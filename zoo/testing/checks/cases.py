"""What is checked, and on what data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zoo.errors import CodeFailed, ZooError
from zoo.plugin.dataset import Dataset
from zoo.plugin.features import FeatureSpace
from zoo.plugin.metric import Metric
from zoo.plugin.model import DataSpec, Model
from zoo.plugin.serialization import kind_of
from zoo.plugin.settings import typed

CLASSES = 3
SHAPES = ((8, 8, 1), (28, 28, 1), (32, 32, 3), (2,))
"""Shapes that a model without one of its own is checked on: the first that it builds for."""


@dataclass(frozen=True, eq=False)
class Case:
    """One plugin with the settings and the data that it is checked with.

    Attributes:
        plugin: an instance of a model, dataset, metric or feature space. Small ones are checked
            faster.
        data: what a model is built for; by default the first of its ``check_shapes``, or else
            of some usual shapes, the smallest first, that the model does not refuse, each source
            that it needs being of that shape. Labels are of 3 classes.
        name: what tests are called after; by default the plugin's class.
        shapes: other shapes that a model has to build for; by default its ``check_shapes``, or
            else some usual ones, which it may refuse.
        first_steps: losses of three steps as an earlier version or another backend made
            them; ``zoo check NAME --backend all`` compares backends by itself.
        first_samples: numbers spread evenly over the samples of the initial weights, from the
            first to the last, likewise.
        expected_failures: ``{check: reason}`` of checks that are known to fail. One that
            passes all the same is reported.
        only: names of the checks to run; all that apply by default. For further variants of
            a plugin, where another case runs the rest.
    """

    plugin: Model | Dataset | Metric | FeatureSpace
    data: DataSpec | None = None
    name: str = ""
    shapes: Sequence[tuple[int, ...]] | None = None
    first_steps: Sequence[float] = ()
    first_samples: Sequence[float] = ()
    expected_failures: Mapping[str, str] = field(default_factory=dict)
    only: Sequence[str] = ()

    @property
    def kind(self) -> str:
        """The group that it is of, such as ``"models"``."""
        return str(kind_of(self.plugin))

    @property
    def called(self) -> str:
        """The name, or that of the plugin's class."""
        return self.name or type(self.plugin).__name__


def as_case(given: Case | Model | Dataset | Metric | FeatureSpace) -> Case:
    """A case of a bare plugin.

    Raises:
        ZooError: it is neither, or a class rather than an instance.
    """
    case = given if isinstance(given, Case) else Case(given)
    if kind_of(case.plugin):
        return case
    if isinstance(case.plugin, type):
        name = case.plugin.__name__
        raise ZooError(f"checks take an instance, not the class {name}: write {name}(...)")
    raise ZooError(
        f"checks take a model, dataset, metric or feature space, not {type(case.plugin).__name__}; "
        "a plugin's class has zoo.Model or another of these as its base"
    )


def declared_shapes(model: Model) -> Sequence[tuple[int, ...]]:
    """The shapes that a model says it is for; ``ZooError`` where they are no shapes."""
    where = f"{type(model).__name__}.check_shapes"
    return typed(model.check_shapes, Sequence[tuple[int, ...]], where, "is")


def usual_data(model: Model) -> DataSpec:
    """The first shape that a model does not refuse, of its own or usual ones; else the first.

    One that its code fails for is not refused: that is a fault to be told.
    """
    from zoo.engine.model import build

    shapes = declared_shapes(model) or SHAPES
    for shape in shapes:
        data = data_for(model, shape)
        try:
            build(model, data)
        except CodeFailed:
            return data
        except ZooError:
            continue
        return data
    return data_for(model, shapes[0])


def data_for(model: Model, shape: tuple[int, ...]) -> DataSpec:
    """The data that a model asks for, every source of one shape, with labels."""
    unpaired = [name for name in model.unpaired if name in model.sources[1:]]
    sources = dict.fromkeys(model.sources, shape)
    return DataSpec(shape, CLASSES, sources, tuple(unpaired), model.missing_labels)


def examples(n: int, shape: tuple[int, ...], source: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Examples that are not noise, the same ones every time.

    Args:
        n: how many.
        shape: of one.
        source: the place of their source among those of the data; each has others.

    Returns:
        uint8 pictures or float32 vectors ``(n, *shape)``, and int32 labels ``(n,)``.
    """
    i, *place = np.indices((n, *shape))
    i = i + 2.5 * source if source else i
    labels = (np.arange(n) % CLASSES).astype("int32")
    if len(shape) != 3:
        return np.sin(0.7 * i + sum(place)).astype("float32"), labels
    y, x, c = place
    return (127 + 127 * np.sin(0.7 * i + 0.5 * y + 0.3 * x + c)).astype("uint8"), labels
