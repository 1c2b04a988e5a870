"""The reasons for which a test may be skipped in CI; every other skip fails there.

What `.ci/run` installs, the backends above all, is there: a test that is skipped for want of
it would never run anywhere. What it does not install is listed here, with the reason.
"""

from __future__ import annotations

import os
import re

ALLOWED = (
    # another backend, another system, another user: where they apply, the tests run
    r"about (JAX's own convolutions|Keras's PyTorch backend)",
    r"of the (JAX|TensorFlow) backend|XLA makes one pass itself",
    r"JAX has devices in one process|on the other backends a device has its process",
    r"Keras has no such mode on PyTorch",
    r"TensorFlow is there anyway|it reports in the same thread|which JAX cannot trace",
    r"PyTorch compiles nothing",
    r"needs POSIX signals|needs a POSIX shell|needs os\.wait4|Windows has no such locks",
    r"measures memory as Linux tells it|needs the malloc of glibc|root writes anywhere",
    r"(jax|torch) does not write (ONNX|SavedModel|LiteRT)",
    r"there is a GPU|a dry run makes no folder|one backend is enough",
    # what CI has no right to, or does not install: the extras cv, huggingface, litert, ray and tfds
    r"needs strace, and the right to trace|needs the right to mount",
    r"(ai_edge_litert|flatbuffers), of the extra litert, is not installed",
    r"Ray, the extra ray, is not installed",
    r"keras-cv, the extra cv, is not installed|could not import 'keras_cv'",
    r"Hugging Face datasets are not installed|TensorFlow Datasets are not installed",
    r"needs Chromium and Playwright",
    # checks of zoo.testing: numbers that cancel have no record
    r"no (losses|samples) are recorded",
)
DATA = r"ZOO_DATA names no folder"  # allowed where ZOO_DATA is not set, as on hosted machines


def is_allowed(reason: str) -> bool:
    """Whether CI may skip a test for this reason."""
    allowed = ALLOWED if os.environ.get("ZOO_DATA") else (*ALLOWED, DATA)
    return any(re.search(pattern, reason) for pattern in allowed)
