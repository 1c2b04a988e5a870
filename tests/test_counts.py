"""What a training step and a command cost, in counts, is what was recorded."""

from __future__ import annotations

import json

import keras
import pytest

from tests import counts

BACKEND = keras.backend.backend()


@pytest.fixture(scope="module")
def recorded():
    """What is recorded for these versions; in CI, which installs those, a skip here fails."""
    found = json.loads(counts.FILE.read_text())[BACKEND]
    if found["versions"] != counts.versions(BACKEND):
        pytest.skip("counts are recorded with other versions")
    return found


@pytest.mark.parametrize(
    "models", [["vae", "dcgan"], pytest.param([*counts.MODELS], marks=pytest.mark.slow)], ids=len
)
def test_a_step_is_as_much_work_as_recorded(recorded, models):
    before = {name: recorded["counts"][name] for name in models}
    assert not counts.differences(before, counts.counted(BACKEND, models)), counts.__doc__


@pytest.mark.once_in_short
def test_commands_import_no_more_than_is_recorded(recorded):
    for command, now in counts.imported(BACKEND).items():
        before = recorded["imports"][command]
        more = set(now["packages"]) - set(before["packages"])  # fewer where fewer are installed
        assert not more, f"{command} imports {', '.join(sorted(more))}"
        assert now["own"] == before["own"], f"{command}: modules of the zoo. {counts.__doc__}"


def test_differences_name_the_count():
    before, now = {"a": {"x": 1, "y": 2}}, {"a": {"x": 1, "y": 3}, "b": 4}
    assert counts.differences(before, now) == ["a, y: 2 before, 3 now", "b: None before, 4 now"]
