"""The Inception network of 2015, in whose features FID is defined (Szegedy et al. 2016)."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from keras import ops

from zoo.errors import ZooError
from zoo.features import inception_graph, pth
from zoo.features.batches import batched, three_channels
from zoo.plugin.dataset import ANYWHERE, Access
from zoo.plugin.features import Extractor, FeatureSpace
from zoo.runtime import files

FILE = "pt_inception-2015-12-05-6726825d.pth"
SOURCE = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{FILE}"
PUBLISHED = "6726825d"
"""What the SHA-256 of the published file begins with."""

_AT_ONCE = 32
_SIDE = inception_graph.SIDE


@dataclass(frozen=True)
class Inception(FeatureSpace):
    """The 2,048 pool features of the Inception network of 2015, which FID is defined by.

    Its weights are in a file that you have: the conversion of TensorFlow's graph that pytorch-fid
    and torch-fidelity use. It is read without PyTorch, and nothing in it is run. Pictures are
    rounded to 256 levels, grey ones are given as three equal channels, and all are resized to 299 x
    299 pixels as TensorFlow 1 did, without a filter. Probabilities are the softmax of its 1,008
    logits without their bias, as in the code of Salimans et al. (2016).

    Attributes:
        weights: path of the file; empty for ``pt_inception-2015-12-05-6726825d.pth`` in
            ``--data-dir`` or ``ZOO_DATA``, then in Keras's folder ``datasets``.
    """

    weights: str = ""

    has_classes: ClassVar[bool] = True
    paths: ClassVar[tuple[str, ...]] = ("weights",)

    def check(self, data):
        super().check(data)
        if data.spec.shape[-1] not in (1, 3):
            raise ZooError(
                f"Inception takes pictures of 1 or 3 channels, and those of {data.name} have "
                f"{data.spec.shape[-1]}"
            )

    def prepare(self, data, access, runs_folder):
        return dataclasses.replace(self, weights=str(self.file(access)))

    def file(self, access: Access) -> Path:
        """Where the weights are.

        Raises:
            ZooError: nowhere; the message says where they were looked for, and where to get them.
        """
        given = Path(self.weights).expanduser()
        places = [given] if self.weights else [folder / FILE for folder in access.folders()]
        for path in places:
            if path.is_file():
                return path.absolute()
        looked = " or ".join(map(str, places))
        raise ZooError(
            f"there are no Inception weights at {looked}. Get {SOURCE} (95.6 MB, SHA-256 "
            f"{PUBLISHED}...) and put it there, or name it: space.weights=FILE. Without it, metric "
            "'frechet' measures the same distance in a classifier's features"
        )

    def load(self, data):
        path = self.file(ANYWHERE)
        return _extractor(path, path.stat().st_mtime_ns, data.spec.shape[:2])


@functools.lru_cache(maxsize=1)  # the metrics of a run ask the same one
def _extractor(path: Path, written: int, sides: tuple[int, int]) -> Extractor:
    content = files.read(path, pth.MOST_BYTES, links=True)
    sha256 = hashlib.sha256(content).hexdigest()
    weights = pth.arrays(content, str(path))
    del content
    network = inception_graph.network(weights, str(path))
    head = weights["fc.weight"].astype("float32")

    def function(x):
        return network((resized(x, sides) - 128) / 128, training=False)

    of_network = batched(function, network.variables, _AT_ONCE)

    def features(x: np.ndarray) -> np.ndarray:
        levels = x if x.dtype == np.uint8 else np.rint(np.clip(x, 0, 1) * 255)
        return of_network(three_channels(levels.astype("float32")))

    def probabilities(values: np.ndarray) -> np.ndarray:
        return ops.convert_to_numpy(ops.softmax(ops.convert_to_tensor(values @ head.T)))

    known = "" if sha256.startswith(PUBLISHED) else f", which are not the published {PUBLISHED}"
    name = f"Inception (weights {sha256[:8]}{known})"
    return Extractor(name, sha256, head.shape[1], features, probabilities)


def resized(x, sides: tuple[int, int]):
    """Pictures ``(n, height, width, c)`` resized to 299 x 299, bilinear as TensorFlow 1 did.

    Corners are not aligned and pixels have no half: pixel i is taken at i * height / 299, between
    the two pixels around it, and beyond the last one it is the last one.
    """
    for axis, size in zip((1, 2), sides, strict=True):
        # PyTorch and TensorFlow round the factor and the place to float32
        place = np.arange(_SIDE, dtype="float32") * np.float32(size / _SIDE)
        low = place.astype("int32")
        high = np.minimum(low + 1, size - 1)
        share = (place - low.astype("float32")).reshape((-1, 1, 1) if axis == 1 else (-1, 1))
        before, after = ops.take(x, low, axis=axis), ops.take(x, high, axis=axis)
        x = before + (after - before) * ops.convert_to_tensor(share)
    return x
