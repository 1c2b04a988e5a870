"""A move that a step repeats is compiled once: the same numbers as one repeat after the other."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from tests.models import Critic, Toy, column, number
from zoo.engine import accelerate, state

if keras.backend.backend() != "jax":
    pytest.skip(
        "a loop is slower on TensorFlow, and PyTorch compiles nothing", allow_module_level=True
    )

POINTS = zoo.DataSpec((4,))


@pytest.fixture(autouse=True)
def as_it_was():
    yield
    accelerate.undo()


def trained(make, x, monkeypatch, looped, **settings):
    """Logs of two steps, and the numbers afterwards."""
    monkeypatch.setenv("ZOO_ACCELERATE", "all" if looped else "-repeated_moves")
    model = make()
    # not Adam, which makes steps of the rounding of a gradient that is 0: that of a bias before
    # batch normalization
    model.compile(
        {player: keras.optimizers.SGD(1e-2, momentum=0.9) for player in model.players},
        **settings,
    )
    logs = model.fit(*x, batch_size=len(x[0]) // 2, shuffle=False, verbose=0).history
    return logs, state.captured(model)


def assert_same(make, x, monkeypatch, **settings):
    loops = [trained(make, x, monkeypatch, looped, **settings) for looped in (True, False)]
    (logs, numbers), (plain_logs, plain) = loops
    assert list(logs) == list(plain_logs)
    for name in logs:
        assert logs[name] == pytest.approx(plain_logs[name], rel=1e-5, abs=1e-6), name
    for name in plain:
        np.testing.assert_allclose(numbers[name], plain[name], rtol=1e-5, atol=1e-6, err_msg=name)
    return logs


def points(n=24):
    return np.random.default_rng(0).normal(size=(n, 4)).astype("float32")


def test_noise_penalties_statistics_and_slots_are_the_same(monkeypatch):
    assert_same(lambda: zoo.build(Critic(repeat=3), POINTS), (points(),), monkeypatch)


def test_labels_when_forks_and_loops_are_the_same(monkeypatch):
    def loss(nets, batch, rng):
        noise = rng.normal((batch.size, 1)) + rng.fork().normal((batch.size, 1))
        noise += rng.at(3).uniform((batch.size, 1)) * rng.shared.normal(())
        y = nets.a(batch.x + noise)[:, 0]
        return {"a": {"labelled": ops.square(y - ops.cast(batch.labels, "float32"))}}

    def small(step, terms):
        return {"a": terms["a"]["labelled"] < 12.0}

    toy = Toy({"a": number(1.0)}, {"a": ["a"]}, [zoo.Move(loss, repeat=4, when=small)])
    assert_same(
        lambda: zoo.build(toy, zoo.DataSpec((1,), classes=10)),
        (column(*range(16)), np.arange(16) % 7),
        monkeypatch,
    )


def test_a_repeat_that_is_not_finite_is_left_out(monkeypatch):
    x = points()
    x[2] = np.nan  # the last repeat of three has it
    make = lambda: zoo.build(Critic(repeat=3), POINTS)  # noqa: E731
    logs = assert_same(make, (x,), monkeypatch, skip_nonfinite=True)
    assert logs["skipped"] == [1.0]


def test_a_loss_is_traced_as_often_for_many_repeats_as_for_few():
    traced = {}
    for repeat in (2, 8):
        calls = []

        def loss(nets, batch, rng, calls=calls):
            calls.append(1)
            return {"a": {"square": ops.square(nets.a(batch.x)[:, 0])}}

        toy = Toy({"a": number(1.0)}, {"a": ["a"]}, [zoo.Move(loss, repeat=repeat)])
        model = zoo.build(toy, zoo.DataSpec((1,)))
        model.compile({"a": "sgd"})
        calls.clear()
        model.train_on_batch(column(*range(16)))
        traced[repeat] = len(calls)
    assert traced[8] == traced[2]


def test_more_draws_than_a_step_has_noise_for_are_refused():
    def loss(nets, batch, rng):
        draws = sum(ops.sum(rng.normal((batch.size, 1))) for _ in range(300))
        return {"a": {"square": ops.square(nets.a(batch.x)[:, 0]) + draws}}

    toy = Toy({"a": number(1.0)}, {"a": ["a"]}, [zoo.Move(loss, repeat=4)])
    model = zoo.build(toy, zoo.DataSpec((1,)))
    model.compile({"a": "sgd"})
    with pytest.raises(Exception, match="more than 1024 draws in one step"):
        model.train_on_batch(column(*range(4)))
