"""Stacked MNIST: three digits in the three channels, which makes 1,000 modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.plugin.dataset import ANYWHERE, Access, Data, Dataset, Split, sha256
from zoo.plugin.lazy import Lazy
from zoo.plugin.model import DataSpec
from zoo.runtime import memory

if TYPE_CHECKING:
    import numpy as np


_BYTES = 100  # of a triple while it is drawn, in float64


@dataclass(frozen=True)
class StackedMNIST(Dataset):
    """Triples of MNIST digits as uint8 ``(n, 28, 28, 3)``, stacked when they are asked for.

    The label is the number that the digits make, red first: 1,000 classes (Metz et al. 2017,
    "Unrolled generative adversarial networks"; 128,000 triples as in PacGAN, Lin et al. 2018).
    The splits of MNIST stay apart: triples for test are of test digits.

    Attributes:
        n: triples for training.
        held_out: triples for validation, and as many for test.
        seed: of which digits make a triple; a run's own seed does not change its data.
    """

    n: int = 128_000
    held_out: int = 10_000
    seed: int = 0

    def __post_init__(self):
        super().__post_init__()
        self.check_count("n", 1)
        self.check_count("held_out", 1)
        self.check_count("seed", 0, 2**64 - 1)

    def load(self, access: Access = ANYWHERE) -> Data:
        """Load MNIST, or its stand-in, and draw the triples.

        Raises:
            ZooError: as ``MNIST.load``.
        """
        import numpy as np

        from zoo.datasets.draws import Draws
        from zoo.datasets.mnist import MNIST

        memory.refuse_beyond(
            (self.n + 2 * self.held_out) * _BYTES,
            f"StackedMNIST: {self.n:,} triples and {self.held_out:,} held out",
            "take a smaller n or held_out",
        )
        mnist = MNIST().load(access)
        splits, drawn = {}, []
        for name, n in (("train", self.n), ("validation", self.held_out), ("test", self.held_out)):
            digits = getattr(mnist, name)
            triples = Draws(self.seed, "StackedMNIST", name).integers((n, 3), len(digits))
            labels = digits.y[triples] @ np.array([100, 10, 1], np.int32)
            splits[name] = Split(_Triples(digits.x, triples), labels.astype(np.int32))
            drawn.append(triples)
        stand_in = mnist.name != "mnist"
        return Data(
            name=f"stacked {mnist.name}" if stand_in else "stacked_mnist",
            spec=DataSpec(splits["train"].x.shape[1:], classes=1000),
            # all follows from MNIST and from which digits make a triple
            fingerprint=sha256(np.frombuffer(mnist.fingerprint.encode(), np.uint8), *drawn),
            train=splits["train"],
            validation=splits["validation"],
            test=splits["test"],
        )


class _Triples(Lazy):
    """Pictures of three digits, of which ``triples``, int ``(n, 3)``, has the rows."""

    def __init__(self, digits: np.ndarray, triples: np.ndarray):
        self.shape, self.dtype = (len(triples), *digits.shape[1:3], 3), digits.dtype
        self._digits, self._triples = digits, triples

    def read(self, rows):
        import numpy as np

        stacked = self._digits[self._triples[rows], :, :, 0]
        return np.ascontiguousarray(stacked.transpose(0, 2, 3, 1))
