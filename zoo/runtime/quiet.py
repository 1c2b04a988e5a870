"""Imports a backend without what its C++ parts print meanwhile."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator

from zoo.errors import ZooError


def import_backend() -> None:
    """Import Keras and its backend, and let the backend find its devices, in silence.

    TensorFlow logs lines on both that no variable of its own turns off. Meanwhile Python looks for
    no garbage, and never among what stays until the process ends: that took a third of the time.
    """
    with interrupted_at_once(), held_back(), _uncollected():
        import keras

        keras.ops.convert_to_numpy(keras.ops.zeros(()))


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Leave what is made within out of the search for garbage, now and later."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def first_import() -> contextlib.AbstractContextManager:
    """Where Keras may be imported: in silence, if that would import TensorFlow."""
    speaks = os.environ.get("KERAS_BACKEND") == "tensorflow" and "keras" not in sys.modules
    return held_back() if speaks else contextlib.nullcontext()


@contextlib.contextmanager
def interrupted_at_once() -> Iterator[None]:
    """Let Ctrl-C end this process with status 130, without an exception.

    Libraries swallow every exception in places while they are imported, interrupts too.
    """
    before = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    if not main or before is not signal.default_int_handler:  # or it is ignored, or another's
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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


@contextlib.contextmanager
def stdout_aside() -> Iterator[None]:
    """Lead what this process writes to stdout, C++ and all, to stderr."""
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(stdout, 1)
        os.close(stdout)
