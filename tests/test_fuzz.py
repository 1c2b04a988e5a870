"""A short part of ``python -m tests.fuzz``, always the same: inputs that nobody means are told."""

from __future__ import annotations

import pytest

from tests.fuzz import __main__ as command
from tests.fuzz import kinds, mutate

pytestmark = [pytest.mark.once_in_short, pytest.mark.filterwarnings("ignore")]

SHORT = {  # some tenths of a second each
    **{"overrides": 12, "manifests": 6, "networks": 8, "checkpoints": 4, "packs": 8},
    **{"safetensors": 100, "codes": 60, "labels": 60, "pictures": 20, "arrays": 40},
}


@pytest.mark.parametrize("kind", SHORT)
def test_inputs_that_nobody_means_are_told(tmp_path, monkeypatch, kind):
    outcomes = set()
    for number in range(SHORT[kind]):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        outcomes.add(kinds.tried(kind, 0, number, folder))
    assert "told" in outcomes


def test_every_kind_has_a_share():
    assert set(SHORT) == set(command.SHARES) == set(kinds.KINDS)


def test_an_input_is_the_same_from_the_same_seed():
    def made(seed):
        rng = kinds.Random(seed)
        return mutate.bytes_of(b"abc" * 9, rng), repr(mutate.structure({"a": [1, {"b": 2}]}, rng))

    assert made(1) == made(1) != made(2)
