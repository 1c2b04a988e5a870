"""A traced move on PyTorch has the numbers of one that runs as it comes, bit for bit."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from tests.models import Toy, dense
from tests.test_contract import SMALL
from zoo import random
from zoo.engine import accelerate
from zoo.engine.backends import backend

if keras.backend.backend() != "torch":
    pytest.skip("about Keras's PyTorch backend", allow_module_level=True)

import torch

from zoo.engine.accelerate import torch_graphs
from zoo.engine.accelerate.torch_noise import Planned, drawn

pytestmark = pytest.mark.usefixtures("accelerated")

PICTURES = zoo.DataSpec((8, 8, 1), 3)
POINTS = zoo.DataSpec((2,))
SIZES = (8, 8, 8, 5, 8, 5)  # of batches: the fewer rows make a graph of their own


@pytest.fixture(autouse=True)
def told(monkeypatch):
    monkeypatch.setattr(torch_graphs, "_told", set())


def adam():
    return keras.optimizers.Adam(1e-2)


def trained(
    model, data, graphs: bool, monkeypatch, sizes=SIZES, weights=None, optimizer=adam, **options
):
    """A model after a few steps, and what its logs were after each."""
    monkeypatch.setenv(accelerate.VARIABLE, "all" if graphs else "-torch_graphs")
    made = zoo.build(model, data, weights=weights)
    made.compile(optimizers={p: optimizer() for p in made.players}, **options)
    numbers = np.random.default_rng(0)
    logs = []
    for rows in sizes:
        x = numbers.normal(size=(rows, *data.shape)).astype("float32")
        if data.is_image:
            x = numbers.integers(0, 256, x.shape, dtype=np.uint8)
        labels = numbers.integers(0, data.classes, rows) if data.classes else None
        given = x if labels is None else (x, torch.as_tensor(labels.astype("int32")))
        parts = given if isinstance(given, tuple) else (given,)
        made.make_moves(tuple(torch.as_tensor(part) for part in parts))
        logs.append(made.current_logs().numpy())
    return made, logs


def graphs_of(model) -> list[int]:
    """How many graphs each move has."""
    return [sum(p._graph is not None for p in kept.values()) for kept in model._kept]


def both(model, data, monkeypatch, **options):
    """The model trained with graphs, once it is found to be what it is without."""
    traced, logs = trained(model, data, True, monkeypatch, **options)
    plain, usual = trained(model, data, False, monkeypatch, **options)
    np.testing.assert_array_equal(logs, usual)
    for own, other in zip(traced.variables, plain.variables, strict=True):
        np.testing.assert_array_equal(own.numpy(), other.numpy(), err_msg=own.path)
    assert not any(graphs_of(plain))
    return traced


FIRST = {name: next(iter(variants.values())) for name, variants in SMALL.items()}
MORE = {
    "gan": SMALL["gan"]["batch-norm"],  # statistics that only some moves keep
    "vaegan": SMALL["vaegan"]["gated"],  # moves that are left out at times
    "vae": SMALL["vae"]["conditional-convolutional"],
    "aae": SMALL["aae"]["labelled"],
    "flow_matching": SMALL["flow_matching"]["guided"],
}
MODELS = [(name, own) for chosen in (FIRST, MORE) for name, own in chosen.items()]


@pytest.mark.parametrize(("name", "settings"), MODELS, ids=[name for name, _ in MODELS])
def test_every_model_is_traced_and_trains_to_the_same_bits(name, settings, monkeypatch, capsys):
    model = both(zoo.model(name, **settings), PICTURES, monkeypatch)
    assert all(graphs_of(model))
    assert "slower" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        {"ema": 0.9},
        {"skip_nonfinite": True},
        {"optimizer": lambda: keras.optimizers.Adam(clipnorm=0.1)},
        {"optimizer": lambda: keras.optimizers.SGD(gradient_accumulation_steps=2)},
        {"optimizer": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD())},
        {"weights": {"player": {"error": lambda step: 1 / (1 + ops.cast(step, "float32"))}}},
    ],
    ids=["average", "skipping", "clipping", "accumulation", "scaled loss", "schedule"],
)
def test_however_it_is_compiled(options, monkeypatch):
    assert graphs_of(both(regression(), POINTS, monkeypatch, **options)) == [2]


def regression(loss=None):
    def error(nets, batch, rng):
        noise = rng.normal(ops.shape(batch.x))
        return {"player": {"error": ops.sum((nets.net(batch.x) - noise) ** 2, axis=1)}}

    return Toy({"net": dense(4, 2)}, {"player": ["net"]}, [loss or error])


def test_mixed_precision(monkeypatch):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert graphs_of(both(regression(), POINTS, monkeypatch)) == [2]
    finally:
        keras.config.set_dtype_policy(before)


def test_repeats_share_a_graph(monkeypatch):
    model = Toy(
        {"net": dense(4, 2)},
        {"player": ["net"]},
        [zoo.Move(regression()._moves[0], repeat=3), regression_of_another_term()],
    )
    assert graphs_of(both(model, POINTS, monkeypatch, sizes=(9, 9, 9))) == [1, 1]


def regression_of_another_term():
    def size(nets, batch, rng):
        own = rng.fork().at(2)
        kept = ops.cast(own.bernoulli((2,), 0.5), "float32")
        order = rng.shared.permutation(ops.shape(batch.x)[0])
        moved = ops.take(nets.net(batch.x), order, axis=0) * kept
        return {"player": {"size": ops.mean(moved**2) + 0 * rng.uniform(())}}

    return size


# --- what is not traced


def test_python_that_asks_for_a_number_runs_as_it_comes(monkeypatch, capsys):
    def loss(nets, batch, rng):
        error = nets.net(batch.x) ** 2
        factor = 2.0 if float(ops.mean(error)) > 0.3 else 1.0
        return {"player": {"error": factor * ops.mean(error)}}

    assert graphs_of(both(regression(loss), POINTS, monkeypatch)) == [0]
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("a move is not traced (its code asks for the value of a tensor)")


def test_a_number_that_python_changes_is_noticed(monkeypatch, capsys):
    calls = iter(range(100))

    def loss(nets, batch, rng):
        return {"player": {"error": ops.mean(nets.net(batch.x) ** 2) * (1 + next(calls))}}

    model, _ = trained(regression(loss), POINTS, True, monkeypatch)
    assert graphs_of(model) == [0]
    assert "depend on more than" in capsys.readouterr().err


def test_a_model_that_runs_eagerly_is_not_traced(monkeypatch):
    model, _ = trained(regression(), POINTS, True, monkeypatch, run_eagerly=True)
    assert model._kept == [None]


# --- what a graph reads


def test_a_variable_outside_of_the_networks_is_read_anew(monkeypatch):
    factor = keras.Variable(1.0)

    def loss(nets, batch, rng):
        return {"player": {"error": factor * ops.mean(nets.net(batch.x) ** 2)}}

    model, _ = trained(regression(loss), POINTS, True, monkeypatch, sizes=(8, 8, 8))
    assert graphs_of(model) == [1]
    x = torch.ones(8, 2)
    errors = []
    for value in (1.0, 3.0):
        factor.assign(value)
        model.reset_metrics()
        model.optimizer.by_player["player"].learning_rate = 0.0
        model.make_moves((x,))
        errors.append(float(model.current_logs()[0]))
    assert errors[1] == pytest.approx(3 * errors[0])


def test_weights_that_are_loaded_are_read(monkeypatch):
    model, _ = trained(regression(), POINTS, True, monkeypatch, sizes=(8, 8, 8))
    for variable in model.trainable_variables:
        variable.assign(ops.zeros_like(variable))
    model.reset_metrics()
    model.make_moves((torch.ones(8, 2),))
    rng = random.Generator(0, "train", 3, 0, backend.draws_on_host)
    expected = (ops.convert_to_numpy(rng.normal((8, 2))) ** 2).sum(1).mean()
    assert float(model.current_logs()[0]) == pytest.approx(expected, rel=1e-5)


def test_noise_drawn_on_the_device_is_part_of_the_graph(monkeypatch):
    monkeypatch.setattr(backend, "draws_on_host", False)
    loss = regression_of_another_term()
    model = both(regression(zoo.Move(loss, repeat=2)), POINTS, monkeypatch, sizes=(8, 8, 8))
    assert graphs_of(model) == [2]  # each repeat draws other numbers


def test_what_a_generator_draws_can_be_drawn_before():
    def draws(rng):
        inner = rng.at(3)
        first = [rng.normal((4, 3)), inner.uniform((2,), -1, 1), rng.shared.normal((2, 2))]
        other = rng.fork()
        return [
            *first,
            other.integers((5,), 0, 9),
            other.at(1).at(0).bernoulli((6,), 0.3),
            inner.permutation(4),
            rng.normal(()),
        ]

    def start(step):
        rng = random.Generator(7, "test", step, first_row=10, on_host=True)
        rng.uniform((2,))  # what another move has drawn
        return rng

    plan: list = []
    draws(Planned(start(0), plan))
    rng = start(5)
    tensors = drawn(plan, rng)
    assert rng.place == start(5).place
    given = draws(Planned(start(0), plan, zip(plan, tensors, strict=True)))
    for found, expected in zip(given, draws(start(5)), strict=True):
        np.testing.assert_array_equal(found, expected)
