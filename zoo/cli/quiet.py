"""Imports a backend without what its C++ parts print meanwhile."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from zoo.errors import ZooError


def import_backend() -> None:
    """Import Keras and its backend, and let the backend find its devices, in silence.

    TensorFlow logs lines on both that no variable of its own turns off.
    """
    with held_back():
        import keras

        keras.ops.convert_to_numpy(keras.ops.zeros(()))


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Hold back what this process writes to stderr, C++ and all; write it if the block breaks."""
    sys.stderr.flush()
    try:
        stderr = os.dup(2)
    except OSError:  # there is none
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except ZooError:  # says all there is to say
            raise
        except Exception:
            sys.stderr.flush()
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
