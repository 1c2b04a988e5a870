"""A run says on what machine it was trained, and how long the processor worked."""

from __future__ import annotations

import time

import pytest

from tests.manifests import manifest
from zoo.errors import ZooError
from zoo.runs import manifest as manifests
from zoo.runtime.machine import machine
from zoo.training.stopwatch import Stopwatch

pytestmark = pytest.mark.backend_free

HERE = {"processor": "AMD EPYC", "cores": 2, "memory": 24 * 2**30}


def test_this_machine_is_what_a_manifest_takes():
    found = machine()
    assert found["processor"] and found["cores"] >= 1
    assert manifests.parse(manifest(machine=found)).json()["machine"] == found


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (HERE, "2 cores (AMD EPYC), 24 GB"),
        ({**HERE, "cores": 1, "memory": None}, "1 core (AMD EPYC)"),
    ],
)
def test_a_machine_in_words(told, words):
    assert str(manifests.parse(manifest(machine=told)).machine) == words


def test_a_run_of_an_older_zoo_says_nothing_of_it():
    assert manifests.parse(manifest()).machine is None


def test_a_machine_that_is_none_is_refused():
    with pytest.raises(ZooError, match=r"run\.json: machine\.cores is .*whole number"):
        manifests.parse(manifest(machine={**HERE, "cores": "2"}))


def test_time_before_a_stop_counts_and_time_asleep_is_not_the_processors():
    first = Stopwatch()
    time.sleep(0.2)
    read = first.read()
    assert read["seconds"] >= 0.2 > read["processor_seconds"]
    on = Stopwatch({"seconds": 100.0, "processor_seconds": 50.0}).read()
    assert 100 <= on["seconds"] < 101 and 50 <= on["processor_seconds"] < 51


def test_the_processors_time_is_unknown_where_a_part_of_it_is():
    assert Stopwatch({"seconds": 100.0}).read()["processor_seconds"] is None
