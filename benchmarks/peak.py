"""The speed of a large matrix product: what a device reaches in this backend and precision."""

from __future__ import annotations

import time

import keras
from keras import ops

SIDES = {"gpu": 8192, "cpu": 512}
SECONDS = 0.3


def product(device: str) -> float:
    """Operations per second of products of two square matrices, in Keras's compute dtype.

    The matrices are noise: of zeros, a card makes more, as it draws less power.
    """
    n, dtype = SIDES[device], keras.config.dtype_policy().compute_dtype
    a, b = (ops.cast(keras.random.normal((n, n), seed=seed), dtype) for seed in (1, 2))

    def seconds(times: int) -> float:
        began = time.perf_counter()
        for _ in range(times):
            found = ops.matmul(a, b)
        float(ops.cast(found[0, 0], "float32"))  # waits for the device
        return time.perf_counter() - began

    seconds(2)  # which chooses and compiles
    times = max(3, min(100, int(SECONDS / seconds(1))))
    return 2 * n**3 * times / seconds(times)
