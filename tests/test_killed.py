"""A process that is killed for real, and the run that it leaves."""

from __future__ import annotations

import keras

from tests.soak import soak


def test_killed_it_ends_as_if_it_never_was(tmp_path, full):
    """Once in short. ``python -m tests.soak`` kills twenty times."""
    kills = 3 if full else 1
    assert soak(tmp_path, keras.backend.backend(), kills, epochs=12, most=1.5) >= 1
