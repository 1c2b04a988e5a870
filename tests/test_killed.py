"""A process that is killed for real, and the run that it leaves."""

from __future__ import annotations

import keras
import pytest

from tests.soak import soak


@pytest.mark.slow
def test_killed_three_times_it_ends_as_if_it_never_was(tmp_path):
    assert soak(tmp_path, keras.backend.backend(), 3, epochs=12, most=1.5) >= 1
