"""A process that is killed for real, and the run that it leaves."""

from __future__ import annotations

import keras
import pytest

from tests.soak import soak


@pytest.mark.once_in_short
def test_killed_it_ends_as_if_it_never_was(tmp_path, full):
    """Once in short. ``python -m tests.soak`` kills twenty times."""
    kills, epochs = (3, 12) if full else (1, 6)
    assert soak(tmp_path, keras.backend.backend(), kills, epochs=epochs, most=1.5) >= 1
