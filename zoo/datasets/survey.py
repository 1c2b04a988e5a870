"""A first look at encoded pictures: which are whole, and of what sizes and modes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.datasets.images import opened, pages, plain
from zoo.errors import ZooError
from zoo.runtime.console import counted
from zoo.runtime.waiting import waiting

if TYPE_CHECKING:
    from zoo.datasets.assorted import Source


@dataclass(frozen=True)
class Survey:
    """What the pictures of a source are.

    Attributes:
        rows: file and page of each whole picture, int64 ``(n, 2)``.
        labels: of each, int32 ``(n,)``, or None.
        shapes: how many are of each ``(height, width)``.
        modes: how many are of each of PIL's modes, before anything is converted.
        grey: whether all are, by their mode or the colours of their palette.
        digest: SHA-256 of the bytes of the files, hexadecimal.
        done: how many were scaled to 8 bits, by range; are ``"transparent"`` in part, are
            ``"pages"`` of one file, or the first picture of an ``"animation"``.
        broken: name and reason of each file that is left out.
    """

    rows: np.ndarray
    labels: np.ndarray | None
    shapes: Counter[tuple[int, int]]
    modes: Counter[str]
    grey: bool
    digest: str
    done: Counter[str]
    broken: list[tuple[str, str]]


def survey(
    source: Source,
    value_range: tuple[float, float] | None = None,
    refuse: Callable[[str, Exception], None] = lambda name, error: None,
) -> Survey:
    """Read and decode every picture once.

    Args:
        source: the files.
        value_range: as ``in_8_bits`` takes it.
        refuse: called with the name of a broken file and what is wrong with it; it may raise.
    """
    digest = hashlib.sha256()
    rows: list[tuple[int, int]] = []
    shapes: Counter[tuple[int, int]] = Counter()
    modes: Counter[str] = Counter()
    done: Counter[str] = Counter()
    grey, broken = True, []
    with waiting(f"looking at {counted(source.n, 'picture')}"):
        for row in range(source.n):
            try:
                content = source.read(row)
                (numbers, animated), found = pages(content), []
                for page in numbers:
                    image = opened(content, page)
                    mode = image.mode
                    image, told = plain(image, value_range)
                    found.append(((image.height, image.width), mode, image.mode, told))
            except (OSError, ValueError, ZooError) as error:
                refuse(source.name(row), error)
                reason = getattr(error, "strerror", None) or error
                broken.append((source.name(row), str(reason)))
                continue
            rows += [(row, page) for page in numbers]
            shapes.update(shape for shape, *_ in found)
            modes.update(mode for _, mode, *_ in found)
            grey = grey and all(mode in ("L", "LA") for _, _, mode, _ in found)
            done.update(what for *_, told in found for what in told)
            done.update({"pages": len(found)} if len(found) > 1 else {})
            done.update(["animation"] if animated else ())
            label = None if source.labels is None else int(source.labels[row])
            digest.update(f"{label} {len(content)} ".encode() + content)
    kept = np.array(rows, "int64").reshape(-1, 2)
    labels = None if source.labels is None else np.asarray(source.labels, np.int32)[kept[:, 0]]
    return Survey(kept, labels, shapes, modes, grey, digest.hexdigest(), done, broken)


def surprises(done: Counter[str], background: str) -> list[str]:
    """What was done to pictures that a person may not expect, a sentence each."""
    lines = []
    for what, count in sorted(done.items()):
        if what == "transparent":
            told = f"transparent parts, which become {background} (background)"
        elif what == "pages":
            told = "other pages in its file; each page of a TIFF counts as a picture"
        elif what == "animation":
            told = "other pictures in its file; of an animation the first counts"
        else:
            told = f"values beyond 8 bits ({what}), which are scaled to 0 to 255"
        lines.append(f"{counted(count, 'picture')} {'has' if count == 1 else 'have'} {told}")
    return lines
