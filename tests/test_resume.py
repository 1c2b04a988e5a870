"""A training that is stopped and resumed is the training that was never stopped."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from tests.resumable import QUIET, STEPS, end, recipe, stopped, train
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import zoo


def resume(run, of, **options):
    return zoo.resume(run, recipe=of, access=QUIET, **options)


def scalars(run):
    events = EventAccumulator(str(run.events))
    events.Reload()
    found = {}
    for tag in events.Tags()["scalars"]:
        if not tag.startswith("speed"):
            found[tag] = [(event.step, event.value) for event in events.Scalars(tag)]
    return found


def table(run):
    with run.log.open() as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The runs that were never stopped, made when asked for."""
    made = {}

    def of(name):
        if name not in made:
            made[name] = train(recipe(name), tmp_path_factory.mktemp(name))
        return made[name]

    return of


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("vae", 1),
        ("vae", STEPS),
        ("vae", STEPS + 2),
        ("dcgan", STEPS + 2),
        ("wgan_gp", STEPS + 2),
        ("vaegan", STEPS + 2),
    ],
)
def test_resumed_equals_uninterrupted(tmp_path, whole, name, step):
    run = resume(stopped(recipe(name), tmp_path, step), recipe(name))
    expected, found = end(whole(name)), end(run)
    assert found.keys() == expected.keys()
    assert [n for n in found if not np.array_equal(found[n], expected[n], equal_nan=True)] == []
    assert table(run) == table(whole(name))
    assert scalars(run) == scalars(whole(name))
    results = [r.read_json("results.json") for r in (run, whole(name))]
    for part in ("train", "validation", "test", "epochs"):
        assert results[0][part] == results[1][part]
    assert run.status == "finished"
