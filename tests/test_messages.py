from __future__ import annotations

import pytest

from zoo.runtime.console import counted, say

pytestmark = pytest.mark.backend_free


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (1234, "1,234 steps")]
)
def test_counted(count, said):
    assert counted(count, "step") == said


def test_what_is_said_leaves_stdout_to_results(capfd):
    say("a line")
    assert capfd.readouterr() == ("", "a line\n")
