"""Pictures of whatever size and mode, made alike, and split where they are not."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.datasets.pictures import Pictures
from zoo.errors import ZooError
from zoo.plugin.dataset import Access, Data, Split
from zoo.plugin.model import DataSpec

if TYPE_CHECKING:
    from zoo.datasets.survey import Survey

PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test", "testing"),
}
"""What a split may be called; the first that is there counts."""

IN_MEMORY = 1 << 30
"""Bytes up to which decoded pictures are kept in memory; more are decoded batch by batch."""

MOST_PIXELS = 4096
"""A side that ``size`` may ask for."""

NAMED = 10
"""So many broken files are told of one by one; all are counted."""


@dataclass(frozen=True)
class Source:
    """Encoded pictures, as in the files that hold them.

    Attributes:
        n: how many files.
        name: what file i is called when it is broken.
        read: the bytes of file i.
        labels: integers from 0, one per file; or None.
    """

    n: int
    name: Callable[[int], str]
    read: Callable[[int], bytes]
    labels: Any


@dataclass(frozen=True, kw_only=True)
class Assorted(Pictures):
    """Base of datasets of pictures that may differ in size and mode, and lack splits.

    A broken picture is named and left out, with a count; ``--strict-data`` refuses it. Up to
    1 GiB, decoded pictures are kept in memory; more are decoded batch by batch. Pictures are
    turned as their camera was held. Each page of a TIFF counts as a picture; of an animation,
    the first picture does.

    Attributes:
        size: pixels a side, or ``(height, width)``. None keeps pictures as they are, which have
            to be of one size.
        fit: how pictures come to ``size``: ``"crop"`` cuts the part in the middle that has its
            proportions, ``"pad"`` adds background, ``"stretch"`` changes their proportions.
        mode: ``"grey"``, ``"rgb"``, or ``"auto"``: grey where every picture is, by its mode or
            the colours of its palette.
        background: ``"black"`` or ``"white"``: what transparent parts become, and what ``"pad"``
            adds.
        value_range: values that become black and white, for pictures deeper than 8 bits. None
            takes the range of the format: 0 to 65535 for 16 bits, and 0 to 1 for floats. For
            other values it has to be set.
        validation: share of the training pictures held out for validation, in [0, 1), where
            there is no split for it: the same ones every time, each class in proportion. With 0
            there is no validation.
        test: likewise for test.
    """

    size: int | tuple[int, int] | None = None
    fit: str = "crop"
    mode: str = "auto"
    background: str = "black"
    value_range: tuple[float, float] | None = None
    validation: float = 0.1
    test: float = 0.1

    FITS: ClassVar[tuple[str, ...]] = ("crop", "pad", "stretch")
    MODES: ClassVar[tuple[str, ...]] = ("auto", "grey", "rgb")

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "size", _size(self.size, type(self).__name__))
        object.__setattr__(self, "value_range", _range(self.value_range, type(self).__name__))
        self.check_choice("fit", self.FITS)
        self.check_choice("mode", self.MODES)
        self.check_choice("background", ("black", "white"))
        self.check_share("validation")
        self.check_share("test")

    def assemble(
        self,
        name: str,
        sources: Mapping[str, Source],
        classes: int,
        access: Access,
        class_names: Sequence[str] = (),
    ) -> Data:
        """The dataset of ``{"train": ..., "validation": ..., "test": ...}``, the first at least.

        Raises:
            ZooError: pictures of several sizes without ``size``, none that is whole, one whose
                range is not known, or a broken one where ``access.strict``.
        """
        from zoo.datasets.images import CHANNELS, Decoded, Form, common_shape
        from zoo.datasets.splits import parted
        from zoo.datasets.survey import surprises

        surveys = {
            part: surveyed(source, f"{name}, {part}", access, self.value_range)
            for part, source in sources.items()
        }
        done: Counter[str] = sum((found.done for found in surveys.values()), Counter())
        for line in surprises(done, self.background):
            access.say(f"{name}: {line}")
        size = (self.size, self.size) if isinstance(self.size, int) else self.size
        shapes = [shape for survey in surveys.values() for shape in survey.shapes]
        height, width = common_shape(shapes, size, f"the pictures of {name}")
        mode = self.mode
        if mode == "auto":
            mode = "grey" if all(survey.grey for survey in surveys.values()) else "rgb"
        form = Form(mode, size, self.fit, self.background, self.value_range)
        shape = (height, width, CHANNELS[mode])
        count = sum(len(survey.rows) for survey in surveys.values())
        whole = count * math.prod(shape) <= IN_MEMORY
        given = {}
        for part, source in sources.items():
            survey = surveys[part]
            x: Any = Decoded(source.read, survey.rows, (height, width), form)
            given[part] = Split(x[:] if whole else x, survey.labels)
        train, validation, test = parted(given, self.validation, self.test, name)
        # Of the bytes as stored: decoders of other releases may differ in a pixel's last bit.
        said = [f"{part} {survey.digest}" for part, survey in surveys.items()]
        said.append(f"{shape} {self.size} {self.validation} {self.test} {self.imbalance}")
        changed = (self.fit, self.background, self.value_range)
        if changed != ("crop", "black", None):
            said.append(f"{changed}")
        return Data(
            name=name,
            spec=DataSpec(shape, classes),
            train=self.unbalanced(train),
            validation=validation,
            test=test,
            fingerprint=hashlib.sha256("\n".join(said).encode()).hexdigest(),
            class_names=tuple(class_names),
        )

    def labelled(
        self, path: str, sources: Mapping[str, Source], access: Access, names: Sequence[str] = ()
    ) -> Data:
        """As ``assemble``, of sources whose labels are what ``classes_of`` takes."""
        from zoo.datasets.labels import classes_of

        name = path.rstrip("/").split("/")[-1]
        if any(source.labels is None for source in sources.values()):
            return self.assemble(name, sources, 0, access)
        given = {part: source.labels for part, source in sources.items()}
        found = classes_of(given, path, access.say, names)
        sources = {part: replace(s, labels=found.y[part]) for part, s in sources.items()}
        return self.assemble(name, sources, found.count, access, found.names)


def _size(size: Any, where: str) -> int | tuple[int, int] | None:
    """The setting ``size``, checked; a list becomes a tuple."""
    sides = (size,) if not isinstance(size, (list, tuple)) else tuple(size)
    whole = all(type(side) is int and 1 <= side <= MOST_PIXELS for side in sides)
    if size is not None and not (whole and len(sides) in (1, 2)):
        raise ZooError(
            f"{where}: size is an integer, from 1 to {MOST_PIXELS:,}, or two of them, (height, "
            f"width); got {size!r}"
        )
    return size if size is None or isinstance(size, int) else (sides[0], sides[-1])


def _range(value: Any, where: str) -> tuple[float, float] | None:
    """The setting ``value_range``, checked; a list becomes a tuple."""
    if value is None:
        return None
    numbers = isinstance(value, (list, tuple)) and len(value) == 2
    numbers = numbers and all(type(v) in (int, float) and math.isfinite(v) for v in value)
    if not (numbers and value[0] < value[1]):
        raise ZooError(
            f"{where}: value_range is the values of black and of white, in ascending order, as in "
            f"(0, 65535); got {value!r}"
        )
    return float(value[0]), float(value[1])


def parts_of(names: Iterable[str], where: str) -> dict[str, str]:
    """``{part: its name}`` for those of ``PARTS`` that are among the names.

    Raises:
        ZooError: none of them is for training.
    """
    there = set(names)
    found = {
        part: next(name for name in accepted if name in there)
        for part, accepted in PARTS.items()
        if there & set(accepted)
    }
    if "train" not in found:
        raise ZooError(f"{where} has {', '.join(sorted(there)) or 'nothing'}, but no train")
    return found


def surveyed(
    source: Source, where: str, access: Access, value_range: tuple[float, float] | None
) -> Survey:
    """Read every picture once; tell of broken ones, or refuse them."""
    from zoo.datasets.depths import RangeNeeded
    from zoo.datasets.survey import survey

    def refuse(name: str, error: Exception) -> None:
        if isinstance(error, RangeNeeded):
            raise RangeNeeded(f"{name} is not used: {error}") from None
        if access.strict:
            reason = getattr(error, "strerror", None) or error
            raise ZooError(
                f"{name} is broken ({reason}), which --strict-data refuses: "
                "replace it, or move it away"
            ) from None

    found = survey(source, value_range, refuse)
    for name, reason in found.broken[:NAMED]:
        access.say(f"{name} is left out: {reason}")
    if found.broken:
        access.say(f"{where}: left out {len(found.broken):,} of {source.n:,} pictures, broken")
    if not len(found.rows):
        raise ZooError(f"{where}: there is no picture that can be read")
    return found
