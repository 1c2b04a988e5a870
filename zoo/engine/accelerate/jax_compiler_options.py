"""What XLA is told when it compiles training steps for CPUs."""

from __future__ import annotations

import functools
import os

import jax

FLAG = "xla_cpu_experimental_ynn_fusion_type"

OPTIONS = {FLAG: "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT"}
"""Use the library YNN for matrix products, and for nothing else.

By default XLA gives it sums and convolutions as well, and steps are slower for it.
"""


@functools.cache
def options() -> dict[str, str] | None:
    """For ``jax.jit(compiler_options=...)``; None where XLA is to do as it would.

    So it is on other platforms, where ``XLA_FLAGS`` in the environment says how to use the
    library, and with a JAX that does not know the option.
    """
    if jax.default_backend() != "cpu" or FLAG in os.environ.get("XLA_FLAGS", ""):
        return None
    try:
        jax.jit(lambda x: x, compiler_options=OPTIONS).lower(0.0).compile()
    except (jax.errors.JaxRuntimeError, TypeError, ValueError):
        return None
    return OPTIONS
