"""Fashion-MNIST: 70,000 articles of clothing of 28x28 pixels (Xiao, Rasul and Vollgraf 2017)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from zoo.datasets.files import Damaged, attempt, check_sha256, into, read_idx
from zoo.datasets.published import Published
from zoo.errors import ZooError
from zoo.plugin.dataset import ANYWHERE, Access, Data

if TYPE_CHECKING:
    import numpy as np

FOLDER = "fashion-mnist"
"""Within the data folder, for the files are named as those of MNIST; Keras's cache has it too."""

HASHES = {
    "train-images-idx3-ubyte.gz": (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
    ),
    "train-labels-idx1-ubyte.gz": (
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
    ),
}
"""SHA-256 of the published files, whose MD5 are in the repository of their authors."""

MIRRORS = tuple(
    (address, tuple(HASHES))
    for address in (
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    )
)


@dataclass(frozen=True)
class FashionMNIST(Published):
    """Fashion-MNIST as uint8 ``(n, 28, 28, 1)``, ten classes, in its original order.

    Looked up as its four ``.gz`` files in the folder ``fashion-mnist`` within ``--data-dir`` or
    ``ZOO_DATA``, then in Keras's cache; else downloaded. The files are verified by SHA-256.
    """

    CLASSES: ClassVar[tuple[str, ...]] = (
        *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    )
    TRAINING: ClassVar[int] = 60_000

    def load(self, access: Access = ANYWHERE) -> Data:
        """Find, verify and split Fashion-MNIST.

        Raises:
            ZooError: it is not there and cannot be downloaded, or a file is not the published
                one (it is left as it is).
        """
        from zoo.datasets.fetch import NotFetched, fetch

        try:
            files = find(access) or fetch(MIRRORS, into(access) / FOLDER, _decode, access.say)
            return self.split("fashion_mnist", _decode(files))
        except Damaged as error:
            raise error.told("Fashion-MNIST") from None
        except NotFetched as error:
            places = " or ".join(str(folder / FOLDER) for folder in access.folders())
            raise ZooError(
                f"Fashion-MNIST is not on this machine and could not be downloaded ({error}): "
                f"put its four files, {', '.join(HASHES)}, into {places}, or run again with a "
                "network."
            ) from None


def find(access: Access) -> list[Path]:
    """The four files in the order of ``HASHES``, unread; empty where there are none.

    Raises:
        ZooError: a folder holds some of them only.
    """
    for folder in access.folders():
        files = [folder / FOLDER / name for name in HASHES]
        absent = [path.name for path in files if not os.path.lexists(path)]
        if not absent:
            return files
        if len(absent) < len(files):
            raise ZooError(
                f"{folder / FOLDER} holds a part of Fashion-MNIST: {', '.join(absent)} is "
                "missing. Add it, or move the others away."
            )
    return []


def _decode(files: Sequence[Path]) -> dict[str, np.ndarray]:
    """The four arrays, verified; raises ``Damaged``."""
    import numpy as np

    def read(path: Path) -> np.ndarray:
        check_sha256(path, HASHES[path.name], "Fashion-MNIST")
        return read_idx(path)

    names = ("x_train", "y_train", "x_test", "y_test")
    arrays = dict(zip(names, (attempt(read, path) for path in files), strict=True))
    return {
        name: array[..., np.newaxis] if name.startswith("x") else array.astype(np.int32)
        for name, array in arrays.items()
    }
