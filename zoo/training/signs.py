"""Signs of how a model is, which no loss shows: for ``zoo.reports.diagnosis``.

They are taken when a training ends, and kept in ``results.json``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.callbacks import insides
from zoo.datasets import Data, Split
from zoo.metrics.neighbours import radii
from zoo.metrics.prdc import prdc
from zoo.runs.signs import Signs
from zoo.runtime.keras import pinned

MOST = 256  # examples and samples that are compared
SIDE = 32  # pixels to which larger pictures are averaged
NEIGHBOUR = 5  # whose distance is the radius of a ball of ``coverage``


@pinned()
def take(model: Any, data: Data, evaluated: Data, steps: int) -> Signs:
    """Look at a model once more.

    Signs are taken of validation examples, of test examples where there are none; without any,
    those that need examples are left out.

    Args:
        model: the trained ``GenerativeModel``.
        data: its data, with pixels as they are: samples are means of pixels, and so compared.
        evaluated: the same as evaluated, for what the networks say of examples.
        steps: that it was trained.
    """
    held_out = _held_out(evaluated)
    found = insides.codes(model, held_out)
    return Signs(
        steps=steps,
        **(_of_samples(model, data) if model.can("sample") else {}),
        told_apart={
            name: _told_apart(real, fake) for name, real, fake in insides.logits(model, held_out)
        },
        kl=[] if found is None or found.kl is None else [float(kl) for kl in found.kl],
    )


def _held_out(data: Data) -> Split:
    return (data.validation if len(data.validation) else data.test).some(MOST)


def _of_samples(model, data) -> dict[str, Any]:
    held_out = _held_out(data)
    if (n := len(held_out)) <= NEIGHBOUR:
        return {}
    real = _flat(held_out.x)
    made = _flat(model.sample(n))
    if not np.isfinite(made).all():
        return {"finite_samples": False}
    rows = np.linspace(0, len(data.train) - 1, min(n, len(data.train))).astype(int)
    train = _flat(data.train.x[rows])
    # a hundredth of real examples have a neighbour as near as that
    close = np.quantile(radii(real, 1), 0.01)
    found = {"duplicates": float((radii(made, 1) < close).mean())}
    if len(train) > NEIGHBOUR:
        found["coverage"] = prdc(real, made, NEIGHBOUR)["coverage"]
        found["coverage_of_real"] = prdc(real, train, NEIGHBOUR)["coverage"]
    return found


def _flat(x: np.ndarray) -> np.ndarray:
    """Examples as vectors, pictures in [0, 1] and no larger than ``SIDE``."""
    x = np.asarray(x)
    x = x.astype("float32") / (255 if x.dtype == np.uint8 else 1)
    if x.ndim == 4:
        by = max(1, max(x.shape[1:3]) // SIDE)
        height, width = (size // by * by for size in x.shape[1:3])
        if by > 1 and height and width:
            blocks = x[:, :height, :width].reshape(len(x), height // by, by, width // by, by, -1)
            x = blocks.mean(axis=(2, 4))
    return x.reshape(len(x), -1)


def _told_apart(real: np.ndarray, fake: np.ndarray) -> float:
    """The share of pairs in which the real example has the larger logit, ties counting half."""
    greater = real[:, None] > fake[None, :]
    return float((greater + 0.5 * (real[:, None] == fake[None, :])).mean())
