"""MNIST: 70,000 handwritten digits of 28x28 pixels (LeCun, Cortes and Burges)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from zoo.datasets.files import Damaged, attempt, into, read_idx, read_npz
from zoo.datasets.published import Published
from zoo.errors import ZooError
from zoo.plugin.dataset import ANYWHERE, Access, Data, sha256

if TYPE_CHECKING:
    import numpy as np

HASHES = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}
"""SHA-256 of the decoded uint8 arrays: archives are repacked, pictures are not."""

ARCHIVE = "mnist.npz"

IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}

MIRRORS = (
    ("https://storage.googleapis.com/tensorflow/tf-keras-datasets/", (ARCHIVE,)),
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        tuple(f"{name}.gz" for name in IDX_FILES.values()),
    ),
)


@dataclass(frozen=True)
class MNIST(Published):
    """MNIST as uint8 ``(n, 28, 28, 1)``, ten classes, in its original order.

    Looked up as ``mnist.npz`` or as the four idx files (gzipped or not), in
    ``--data-dir`` or ``ZOO_DATA``, then in Keras's cache; else downloaded.
    Without any of these the digits of scikit-learn stand in for it, resized to
    28x28, under the name ``"digits (stand-in for mnist)"``; they have a split of their own.
    """

    TRAINING: ClassVar[int] = 60_000

    def load(self, access: Access = ANYWHERE) -> Data:
        """Find, verify and split MNIST, or what stands in for it.

        Raises:
            ZooError: a file is damaged or is not MNIST (it is left as it is), or there
                is no MNIST and no stand-in is allowed or possible.
        """
        from zoo.datasets.fetch import NotFetched

        try:
            arrays = read(find(access) or _download(access))
        except NotFetched as error:
            return self._stand_in(access, str(error))
        return self.split("mnist", arrays)

    def _stand_in(self, access: Access, reason: str) -> Data:
        from zoo.datasets.digits import Digits

        missing = f"MNIST is not on this machine and could not be downloaded ({reason})"
        if access.strict:
            raise ZooError(f"{missing}; --strict-data allows no stand-in. {_ways(access)}")
        try:
            digits = Digits(size=28).load(access)
        except ZooError as error:
            raise ZooError(f"{missing}, and nothing stands in: {error} {_ways(access)}") from None
        name = "digits (stand-in for mnist)"
        access.say(f"{missing}: using scikit-learn's 8x8 digits resized to 28x28, as {name!r}")
        splits = self.limited(digits.train, digits.validation, digits.test)
        return Data(name, digits.spec, *splits, class_names=digits.class_names)


def find(access: Access) -> list[Path]:
    """The files of the first copy of MNIST, unread; empty where there is none.

    Either the one archive, or four idx files in the order of ``IDX_FILES``.

    Raises:
        ZooError: a folder holds some of the four idx files only.
    """
    for folder in access.folders():
        if os.path.lexists(folder / ARCHIVE):
            return [folder / ARCHIVE]
        variants = [(folder / name, folder / f"{name}.gz") for name in IDX_FILES.values()]
        there = [next((path for path in pair if os.path.lexists(path)), None) for pair in variants]
        files = [path for path in there if path is not None]
        if len(files) == len(IDX_FILES):
            return files
        if files:
            absent = [pair[0].name for pair, path in zip(variants, there, strict=True) if not path]
            raise ZooError(
                f"{folder} holds a part of MNIST: {', '.join(absent)} (or .gz) is missing. "
                "Add it, or move the others away."
            )
    return []


def read(files: Sequence[Path]) -> dict[str, np.ndarray]:
    """Decode and verify the files of one copy, as given by ``find``.

    Returns:
        ``x_train``, ``x_test`` uint8 ``(n, 28, 28, 1)``; ``y_train``, ``y_test`` int32 ``(n,)``.

    Raises:
        ZooError: a file cannot be read, or is not MNIST; it is named and left as it is.
    """
    import numpy as np

    try:
        arrays = _decode(files)
    except Damaged as error:
        raise error.told("MNIST") from None
    return {
        name: array.reshape(-1, 28, 28, 1) if name.startswith("x") else array.astype(np.int32)
        for name, array in arrays.items()
    }


def _decode(files: Sequence[Path]) -> dict[str, np.ndarray]:
    """The four arrays as stored, verified; raises ``Damaged``."""
    if len(files) == 1:
        homes = dict.fromkeys(HASHES, files[0])
        arrays = attempt(lambda path: read_npz(path, HASHES), files[0])
    else:
        homes = dict(zip(IDX_FILES, files, strict=True))
        arrays = {name: attempt(read_idx, path) for name, path in homes.items()}
    for name, expected in HASHES.items():
        if sha256(arrays[name]) != expected:
            raise Damaged(homes[name], f"its {name} is not that of MNIST (SHA-256 differs)")
    return arrays


def _download(access: Access) -> list[Path]:
    from zoo.datasets.fetch import fetch

    return fetch(MIRRORS, into(access), _decode, access.say)


def _ways(access: Access) -> str:
    return (
        f"Three ways to provide MNIST: (1) put {ARCHIVE}, or the four idx files, into a folder "
        f"and name it with --data-dir or ZOO_DATA; (2) put {ARCHIVE} into Keras's cache, "
        f"{access.folders()[-1]}; (3) run again with a network, to download it."
    )
