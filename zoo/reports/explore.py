"""A latent space that a person walks through: all that ``zoo explore`` computes, without a page."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from zoo.datasets import Split
from zoo.errors import ZooError
from zoo.reports import latents, pictures, restoration
from zoo.reports.latents import REACH, Codes

MOST_CODES = 1000  # behind the map
MOST_SLIDERS = 256  # dimensions that can be moved one by one
SAMPLES = 64  # in the grid
STEPS = 9  # pictures from end to end
FRAMES = 24  # of an animation, from end to end
SIDE = 12  # pictures in a row and a column of the plane


@dataclass(frozen=True)
class Plane:
    """The plane of codes that the map shows.

    Attributes:
        origin: the code in its middle, float32 ``(d,)``.
        axes: directions to the right and up, of length 1 and at right angles, ``(2, d)``; the
            second is 0 in a latent of one dimension.
        reach: how far the map goes from its middle to each side.
        names: of the axes.
    """

    origin: np.ndarray
    axes: np.ndarray
    reach: float
    names: tuple[str, str]

    def places(self, z: np.ndarray) -> np.ndarray:
        """Where codes ``(n, d)`` are on the map: ``(n, 2)``, each -1 to 1, right and up."""
        return (z - self.origin) @ self.axes.T / self.reach

    def moved(self, z: np.ndarray, place: np.ndarray) -> np.ndarray:
        """The code ``(d,)`` at another place; what is at right angles to the map stays."""
        there = np.clip(place, -1, 1) - self.places(z[None])[0]
        return (z + self.reach * there @ self.axes).astype("float32")

    def grid(self, z: np.ndarray, side: int) -> np.ndarray:
        """Codes on a grid over the map, ``(side * side, d)``, from the top left."""
        at = (2 * np.arange(side) + 1) / side - 1
        places = np.stack(np.meshgrid(at, at[::-1]), axis=-1).reshape(-1, 2)
        return np.stack([self.moved(z, place) for place in places])


@dataclass(frozen=True)
class Book:
    """Codes that are maps of entries of a codebook, as those of a VQ-VAE.

    Attributes:
        entries: float32 ``(k, dimension)``.
        rows: of the map.
        columns: likewise.
    """

    entries: np.ndarray
    rows: int
    columns: int

    def read(self, z: np.ndarray) -> np.ndarray:
        """The entry nearest to each vector of a code ``(d,)``: int64 ``(rows, columns)``."""
        vectors = z.reshape(-1, self.entries.shape[1])
        squares = np.square(self.entries).sum(axis=1)
        nearest = np.argmin(squares - 2 * vectors @ self.entries.T, axis=1)
        return nearest.reshape(self.rows, self.columns)

    def written(self, z: np.ndarray, row: int, column: int, entry: int) -> np.ndarray:
        """The code with another entry at one place of its map."""
        z = z.reshape(self.rows, self.columns, -1).copy()
        z[row, column] = self.entries[entry]
        return z.reshape(-1)


@dataclass
class Space:
    """A model's latent space, as far as one can look into it.

    Attributes:
        model: a ``GenerativeModel`` that decodes pictures.
        found: codes to start from: of data where there are any, else noise.
        of_data: whether they are codes of data.
        kl: KL of the posterior and the prior in each dimension, in nats, float ``(d,)``; None for
            a model without a posterior.
        order: the dimensions, the one that says most of a picture first: by KL, else by the
            variance of the codes of data, else as they are.
    """

    model: Any
    found: Codes
    of_data: bool
    kl: np.ndarray | None = field(init=False)
    order: list[int] = field(init=False)

    def __post_init__(self):
        self.kl = latents.kl(self.model, self.found) if self.of_data else None
        self.order = latents.by_say(self.found, self.kl, self.of_data)[:MOST_SLIDERS]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one picture, ``(height, width, channels)``."""
        return self.model.data.shape

    @property
    def conditional(self) -> bool:
        """Whether a picture needs a label besides its code."""
        return self.found.conditional

    @property
    def sees(self) -> bool:
        """Whether pictures can be given to it."""
        return self.model.can("encode") and self.model.can("reconstruct")

    @cached_property
    def classes(self) -> list[str]:
        """Names of the classes that one can go to; none of data without labels."""
        if not (self.conditional or (self.of_data and self.found.labels is not None)):
            return []
        return pictures.class_names(range(self.model.data.classes), self.model.class_names)

    @cached_property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the largest number of each dimension that a slider reaches, ``(d,)``."""
        found = self.found
        room = REACH * np.maximum(found.spread, 1e-3)
        low = np.minimum(found.centre - room, found.z.min(axis=0))
        return low, np.maximum(found.centre + room, found.z.max(axis=0))

    @cached_property
    def plane(self) -> Plane:
        """What the map shows: a 2-D latent, or a plane through the codes.

        It is that of the first two principal components of the codes of data, and of noise, which
        looks the same from all sides, that of the first two dimensions.
        """
        z, size = self.found.z, self.found.size
        axes, names = np.eye(2, size), ("z0", "z1" if size > 1 else "")
        origin = self.found.centre if size > 2 else np.zeros(size)
        if size > 2 and self.of_data and len(z) > 2:
            origin = z.mean(axis=0)
            axes = np.linalg.svd(z - origin, full_matrices=False)[2][:2]
            names = ("component 1", "component 2")
        unscaled = Plane(origin.astype("float32"), axes, 1.0, names)
        reach = float(np.abs(unscaled.places(z)).max()) * 1.05
        if size <= 2:  # the whole of the prior
            reach = max(reach, float(np.abs(np.stack(self.bounds)).max()))
        return Plane(unscaled.origin, axes.astype("float32"), max(reach, 1e-3), names)

    @cached_property
    def book(self) -> Book | None:
        """The codebook that codes are made of, where a network of the model has a ``codebook``."""
        for _, network in self.model.networks.items():
            if (table := getattr(network, "codebook", None)) is None:
                continue
            entries = _numbers(table)
            positions, rest = divmod(self.found.size, entries.shape[-1])
            if entries.ndim == 2 and not rest:
                rows = _rows(positions, self.shape[0] / self.shape[1])
                return Book(entries, rows, positions // rows)
        return None

    def decoded(self, z: np.ndarray, label: int | None = None) -> np.ndarray:
        """Pictures, float32 ``(n, h, w, c)`` in [0, 1], of codes ``(n, d)``."""
        labels = np.full(len(z), label or 0) if self.conditional else None
        return self.model.decode(z, labels=labels)

    def samples(self, seed: int, n: int = SAMPLES) -> tuple[np.ndarray, np.ndarray | None]:
        """Codes of samples ``(n, d)``, and labels; of a model without a prior, some of its data."""
        if self.model.can("latent") or self.model.sampler is not None:
            classes = self.model.data.classes
            labels = np.arange(n, dtype="int32") % classes if self.conditional else None
            return self.model.draw(n, seed=seed, labels=labels), labels
        rows = np.random.default_rng(seed).permutation(len(self.found.z))[:n]
        labels = None if self.found.labels is None else self.found.labels[rows]
        return self.found.z[rows], labels

    def middle(self, label: int) -> np.ndarray:
        """The mean of the codes of a class, ``(d,)``.

        Raises:
            ZooError: there is none of it among the codes.
        """
        rows = self.found.z[np.asarray(self.found.labels) == label]
        if not len(rows):
            name = self.classes[label]
            raise ZooError(f"there is no {name} among the {len(self.found.z):,} codes")
        return rows.mean(axis=0)

    def way(self, a: np.ndarray, b: np.ndarray, steps: int, spherical: bool) -> np.ndarray:
        """Codes from a to b, ``(steps, d)``, in a straight line or on a great circle."""
        go = latents.spherical if spherical else latents.linear
        return go(a[None], b[None], np.linspace(0, 1, steps))[0]

    def seen(self, x: np.ndarray, hidden: str, label: int | None) -> Seen:
        """What the model makes of one picture.

        Args:
            x: uint8 ``(h, w, c)``.
            hidden: the part that is completed, as in ``restoration.mask``.
            label: for a conditional model.
        """
        x = x[None]
        labels = np.full(1, label or 0) if self.conditional else None
        mask = restoration.mask(x.shape, hidden)
        return Seen(
            z=self.model.encode(x, labels=labels)[0],
            given=x[0],
            reconstructed=self.model.reconstruct(x, labels=labels)[0],
            masked=restoration.covered(x, mask)[0],
            completed=restoration.completed(self.model, x, mask, labels)[0],
        )


@dataclass(frozen=True)
class Seen:
    """A person's picture as the model has it: its code, and pictures ``(h, w, c)``."""

    z: np.ndarray
    given: np.ndarray
    reconstructed: np.ndarray
    masked: np.ndarray
    completed: np.ndarray


@dataclass
class Walk:
    """Where one visitor is: at a code, with two others to go between.

    Attributes:
        space: that is walked.
        z: the code, float32 ``(d,)``.
        label: of its picture; None where there are no classes.
        ends: the two codes to go between.
        spherical: whether on a great circle.
        seed: of the grid of samples.
    """

    space: Space
    z: np.ndarray = field(init=False)
    label: int | None = field(init=False)
    ends: tuple[np.ndarray, np.ndarray] = field(init=False)
    spherical: bool = field(init=False)
    seed: int = 0

    def __post_init__(self):
        z, labels = self.space.found.z, self.space.found.labels
        other = 1 if labels is None else int((np.asarray(labels) != labels[0]).argmax()) or 1
        self.ends = z[0].copy(), z[min(other, len(z) - 1)].copy()
        self.z, self.label = z[0].copy(), None if labels is None else int(labels[0])
        self.spherical = not self.space.of_data

    def slide(self, dimension: int, value: float) -> None:
        """Set one dimension; what a slider cannot reach is cut."""
        if not 0 <= dimension < len(self.z) or not math.isfinite(value):
            return
        low, high = self.space.bounds
        self.z[dimension] = np.clip(value, low[dimension], high[dimension])

    def drag(self, right: float, up: float) -> None:
        """Go to a place on the map, each -1 to 1."""
        if math.isfinite(right) and math.isfinite(up):
            self.z = self.space.plane.moved(self.z, np.array([right, up]))

    def go(self, z: np.ndarray, label: int | None = None) -> None:
        """Go to a code, and to the class that it is of where that is known."""
        self.z = np.array(z, "float32")
        self.label = self.label if label is None else int(label)

    def choose(self, label: int) -> None:
        """Go to a class: to its label, or in a model that is not conditional to its mean code."""
        if not 0 <= label < len(self.space.classes):
            return
        if not self.space.conditional:
            self.z = self.space.middle(label)
        self.label = label

    def picture(self) -> np.ndarray:
        """What is here: float32 ``(h, w, c)`` in [0, 1]."""
        return self.space.decoded(self.z[None], self.label)[0]

    def between(self, steps: int = STEPS) -> np.ndarray:
        """Pictures from one end to the other, float32 ``(steps, h, w, c)``."""
        way = self.space.way(*self.ends, steps, self.spherical)
        return self.space.decoded(way, self.label)


def opened(model: Any, split: Split, kept: Mapping[str, np.ndarray] | None = None) -> Space:
    """The latent space of a model.

    Args:
        model: a ``GenerativeModel``.
        split: examples to encode, where it can and has no codes kept.
        kept: ``codes`` and ``labels`` of a pack, or None.

    Raises:
        Unable: the model cannot decode, or its examples are no pictures.
    """
    if not pictures.is_picture(model.data.shape):
        raise latents.Unable(
            f"{model.where} makes no pictures, which the page is for; zoo sample writes numbers "
            "with --out FILE.npy"
        )
    if kept is None or not model.can("decode"):
        found = latents.codes(model, split, MOST_CODES)
        return Space(model, found, found.x is not None)
    z, labels = kept["codes"][:MOST_CODES].astype("float32"), kept.get("labels")
    return Space(model, latents.around(model, z, labels), True)


def warm(space: Space) -> None:
    """Compute once what the page will, so that nobody waits for a compiler."""
    walk = Walk(space)
    _ = space.plane, space.book, space.bounds
    walk.picture()
    walk.between()
    space.decoded(np.repeat(walk.z[None], SAMPLES, axis=0), walk.label)


def newest(run: Callable) -> Callable:
    """A coroutine function of no arguments that is not run again while it runs, but once after.

    Whatever comes while it runs is what the one run after it sees: nothing queues up.
    """
    running = again = False

    async def asked() -> None:
        nonlocal running, again
        again = True
        if running:
            return
        running = True
        try:
            while again:
                again = False
                await run()
        finally:
            running = again = False

    return asked


def _numbers(table: Any) -> np.ndarray:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(table), "float32")


def _rows(positions: int, proportion: float) -> int:
    """Rows of a map whose proportions are those of pictures; 1 where there is none such."""
    rows = round(math.sqrt(positions * proportion))
    return rows if rows and positions % rows == 0 else 1
