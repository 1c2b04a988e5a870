"""CIFAR-10: 60,000 colour pictures of 32x32 pixels (Krizhevsky 2009)."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from zoo.datasets.files import Damaged, attempt, check_sha256, into
from zoo.datasets.published import Published
from zoo.errors import ZooError
from zoo.plugin.dataset import ANYWHERE, Access, Data

if TYPE_CHECKING:
    import numpy as np

ARCHIVE = "cifar-10-binary.tar.gz"

SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
"""Of the published archive, whose MD5 is c32a1d4ab5d03f1284b67883e8d87530."""

MIRRORS = (("https://www.cs.toronto.edu/~kriz/", (ARCHIVE,)),)

TRAIN = tuple(f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6))
TEST = ("cifar-10-batches-bin/test_batch.bin",)

SHAPE = (3, 32, 32)  # as stored: a plane for red, green and blue


@dataclass(frozen=True)
class CIFAR10(Published):
    """CIFAR-10 as uint8 ``(n, 32, 32, 3)``, ten classes, in its original order.

    Looked up as ``cifar-10-binary.tar.gz``, the archive that holds bytes rather than pickles, in
    ``--data-dir`` or ``ZOO_DATA``, then in Keras's cache; else downloaded. It is verified by
    SHA-256 and read as it is, without unpacking it on disk.
    """

    CLASSES: ClassVar[tuple[str, ...]] = (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    )
    TRAINING: ClassVar[int] = 50_000

    def load(self, access: Access = ANYWHERE) -> Data:
        """Find, verify and split CIFAR-10.

        Raises:
            ZooError: it is not there and cannot be downloaded, or the file is not the published
                one (it is left as it is).
        """
        from zoo.datasets.fetch import NotFetched, fetch

        found = [folder / ARCHIVE for folder in access.folders()]
        files = [path for path in found if os.path.lexists(path)]
        try:
            return self.split(
                "cifar10", _decode(files or fetch(MIRRORS, into(access), _verify, access.say))
            )
        except Damaged as error:
            raise error.told("CIFAR-10") from None
        except NotFetched as error:
            places = " or ".join(map(str, found))
            raise ZooError(
                f"CIFAR-10 is not on this machine and could not be downloaded ({error}): put the "
                f"binary version of its archive at {places}, or run again with a network."
            ) from None


def _verify(files: Sequence[Path]) -> None:
    """Raise ``Damaged`` unless the archive is the published one."""
    attempt(lambda path: check_sha256(path, SHA256, "CIFAR-10"), files[0])


def _decode(files: Sequence[Path]) -> dict[str, np.ndarray]:
    """The four arrays of the archive, verified; raises ``Damaged``."""
    _verify(files)
    return attempt(_read, files[0])


def _read(path: Path) -> dict[str, np.ndarray]:
    with tarfile.open(path, "r:gz") as archive:
        records = {member.name: _records(archive, member) for member in archive if member.isfile()}
    arrays = {}
    for part, names in (("train", TRAIN), ("test", TEST)):
        arrays[f"x_{part}"], arrays[f"y_{part}"] = _split([records[name] for name in names])
    return arrays


def _records(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return file.read() if file else b""


def _split(parts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and labels from records of a label and a picture."""
    import numpy as np

    record = 1 + int(np.prod(SHAPE))
    rows = np.concatenate([np.frombuffer(part, np.uint8).reshape(-1, record) for part in parts])
    planes = rows[:, 1:].reshape(-1, *SHAPE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), rows[:, 0].astype(np.int32)
