"""Pictures of whatever size and mode, made alike, and split where they are not."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.datasets.pictures import Pictures
from zoo.errors import ZooError
from zoo.plugin.dataset import Access, Data, Split
from zoo.plugin.model import DataSpec

if TYPE_CHECKING:
    import numpy as np

PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test", "testing"),
}
"""What a split may be called; the first that is there counts."""

IN_MEMORY = 1 << 30
"""Bytes up to which decoded pictures are kept in memory; more are decoded batch by batch."""

NAMED = 10
"""So many broken files are told of one by one; all are counted."""


@dataclass(frozen=True)
class Source:
    """Encoded pictures, as in the files that hold them.

    Attributes:
        n: how many.
        name: what picture i is called when it is broken.
        read: the bytes of picture i.
        labels: integers from 0, one a picture; or None.
    """

    n: int
    name: Callable[[int], str]
    read: Callable[[int], bytes]
    labels: Sequence[int] | None


@dataclass(frozen=True)
class Assorted(Pictures):
    """Base of datasets of pictures that may differ in size and mode, and lack splits.

    A broken picture is named and left out, with a count; ``--strict-data`` refuses it. Up to
    1 GiB, decoded pictures are kept in memory; more are decoded batch by batch. Pictures are
    turned as their camera was held, transparent parts become black, and 16-bit greys keep
    their upper 8 bits.

    Attributes:
        size: pixels a side: the square in the middle is cropped, then resized. None keeps
            pictures as they are, which have to be of one size.
        mode: ``"grey"``, ``"rgb"``, or ``"auto"``: grey where every picture is.
        validation: share of the training pictures held out for validation, in [0, 1), where
            there is no split for it: the same ones every time, each class in proportion.
        test: likewise for test.
    """

    size: int | None = None
    mode: str = "auto"
    validation: float = 0.1
    test: float = 0.1

    MODES: ClassVar[tuple[str, ...]] = ("auto", "grey", "rgb")

    def __post_init__(self):
        super().__post_init__()
        if self.size is not None:
            self.check_count("size", 1, 4096)
        self.check_choice("mode", self.MODES)
        self.check_share("validation")
        self.check_share("test")

    def assemble(
        self, name: str, sources: Mapping[str, Source], classes: int, access: Access
    ) -> Data:
        """The dataset of ``{"train": ..., "validation": ..., "test": ...}``, the first at least.

        Raises:
            ZooError: pictures of several sizes without ``size``, none that is whole, or a
                broken one where ``access.strict``.
        """
        from zoo.datasets.images import CHANNELS, Decoded, common_shape
        from zoo.datasets.splits import parted

        surveys = {
            part: _survey(source, f"{name}, {part}", access) for part, source in sources.items()
        }
        shapes = [shape for survey in surveys.values() for shape in survey.shapes]
        height, width = common_shape(shapes, self.size, f"the pictures of {name}")
        mode = self.mode
        if mode == "auto":
            mode = "grey" if all(survey.grey for survey in surveys.values()) else "rgb"
        shape = (height, width, CHANNELS[mode])
        count = sum(len(survey.rows) for survey in surveys.values())
        whole = count * math.prod(shape) <= IN_MEMORY
        given = {}
        for part, source in sources.items():
            survey = surveys[part]
            x: Any = Decoded(source.read, survey.rows, (height, width), self.size, mode)
            given[part] = Split(x[:] if whole else x, survey.labels)
        train, validation, test = parted(given, self.validation, self.test, name)
        # Of the bytes as stored: decoders of other releases may differ in a pixel's last bit.
        said = [f"{part} {survey.digest}" for part, survey in surveys.items()]
        said.append(f"{shape} {self.size} {self.validation} {self.test} {self.imbalance}")
        return Data(
            name=name,
            spec=DataSpec(shape, classes),
            train=self.unbalanced(train),
            validation=validation,
            test=test,
            fingerprint=hashlib.sha256("\n".join(said).encode()).hexdigest(),
        )


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


@dataclass(frozen=True)
class _Survey:
    """What the pictures of a source are: which are whole, their labels, sizes and bytes."""

    rows: np.ndarray
    labels: np.ndarray | None
    shapes: set[tuple[int, int]]
    grey: bool
    digest: str


def _survey(source: Source, where: str, access: Access) -> _Survey:
    """Read every picture once; tell of broken ones, or refuse them."""
    import numpy as np

    from zoo.datasets.images import is_grey, opened

    digest = hashlib.sha256()
    rows: list[int] = []
    shapes, grey = set(), True
    for row in range(source.n):
        try:
            content = source.read(row)
            image = opened(content)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            if access.strict:
                raise ZooError(
                    f"{source.name(row)} is broken ({reason}), which --strict-data refuses: "
                    "replace it, or move it away"
                ) from None
            if row - len(rows) < NAMED:
                access.say(f"{source.name(row)} is left out: {reason}")
            continue
        rows.append(row)
        shapes.add((image.height, image.width))
        grey = grey and is_grey(image)
        label = None if source.labels is None else source.labels[row]
        digest.update(f"{label} {len(content)} ".encode() + content)
    if len(rows) < source.n:
        broken = source.n - len(rows)
        access.say(f"{where}: left out {broken:,} of {source.n:,} pictures, broken")
    if not rows:
        raise ZooError(f"{where}: there is no picture that can be read")
    kept = np.array(rows)
    labels = None if source.labels is None else np.asarray(source.labels, np.int32)[kept]
    return _Survey(kept, labels, shapes, grey, digest.hexdigest())
