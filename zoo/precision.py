"""Keras's dtype policy, set for a while only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Let layers that are made inside compute in a precision, ``"mixed_bfloat16"`` say."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
