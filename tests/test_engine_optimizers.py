"""Optimizers: Keras's own options, one a player; averages of weights; mixed precision."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import zoo
from tests.models import (
    Critic,
    Toy,
    Trio,
    build,
    column,
    number,
    points,
    same,
    square,
    weight,
    weights,
)

OPTIMIZERS = {
    "Adam": lambda: keras.optimizers.Adam(0.01),
    "AdamW": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "RMSprop": lambda: keras.optimizers.RMSprop(0.01),
    "SGD": lambda: keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "Lion": lambda: keras.optimizers.Lion(0.01),
}


def alone(optimizer, w=2.0, **options):
    toy = Toy({"a": number(w)}, {"a": ["a"]}, [square("a")])
    return build(toy, optimizer=lambda: optimizer, **options)


def by_formula(name, w=2.0, steps=3, lr=0.01):
    """The weight after steps down w^2 / 2, as the papers have them."""
    m = v = 0.0
    for t in range(1, steps + 1):
        g = w
        if name in ("Adam", "AdamW"):
            if name == "AdamW":
                w -= lr * 0.1 * w
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            w -= lr * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-7)
        elif name == "RMSprop":
            v = 0.9 * v + 0.1 * g * g
            w -= lr * g / (v + 1e-7) ** 0.5
        elif name == "SGD":
            m = 0.9 * m - lr * g
            w += 0.9 * m - lr * g
        else:
            w -= lr * np.sign(0.9 * m + 0.1 * g)
            m = 0.99 * m + 0.01 * g
    return w


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_follow_their_formulas(name):
    model = alone(OPTIMIZERS[name]())
    for _ in range(3):
        model.train_on_batch(column(1.0))
    assert weight(model, "a") == pytest.approx(by_formula(name), rel=1e-5)


def test_settings_of_adam_may_be_numbers_of_any_type():
    model = alone(keras.optimizers.Adam(0.01, beta_1=0, beta_2=np.float64(0.9)))
    model.fit(column(1.0), verbose=0)
    assert weight(model, "a") == pytest.approx(1.99)  # a first step is the rate long


def test_each_player_has_an_optimizer_of_its_own_kind():
    def both(nets, batch, rng):
        return {"a": {"x": nets.a(batch.x)[:, 0]}, "b": {"x": nets.b(batch.x)[:, 0]}}

    toy = Toy({"a": number(2.0), "b": number(3.0)}, {"a": ["a"], "b": ["b"]}, [both])
    model = zoo.build(toy, zoo.DataSpec((1,)))
    model.compile({"b": keras.optimizers.Lion(0.5), "a": keras.optimizers.SGD(0.1)})
    model.train_on_batch(column(3.0))
    assert (weight(model, "a"), weight(model, "b")) == pytest.approx((1.7, 2.5))


def test_one_optimizer_object_for_two_players_is_two_optimizers():
    model = zoo.build(Trio(), zoo.DataSpec((2,)))
    shared = keras.optimizers.Adam(0.01)
    model.compile({player: shared for player in model.players})
    made = model.optimizer.by_player
    assert len({id(optimizer) for optimizer in made.values()}) == 3
    assert sorted(o.name for o in made.values()) == sorted(model.players)
    before = {name: weights(model, name) for name in model.networks}
    model.train_on_batch(points(8))
    assert not any(same(weights(model, name), before[name]) for name in model.networks)
    assert [int(o.iterations.numpy()) for o in made.values()] == [1, 1, 1]


def test_names_of_optimizers():
    model = build(Trio(), 2, optimizer=lambda: "rmsprop")
    assert {type(o).__name__ for o in model.optimizer.by_player.values()} == {"RMSprop"}
    model.train_on_batch(points(4))


@pytest.mark.parametrize(
    ("optimizers", "said"),
    [
        (0.1, "one optimizer per player"),
        ({}, "no optimizer for player 'generator', 'critic'"),
        ({"critic": "adam"}, "no optimizer for player 'generator'"),
        ({"critic": "adam", "generatr": "adam"}, "did you mean 'generator'"),
        ({"critic": "adam", "generator": "adamm"}, "the optimizer of 'generator' is 'adamm'"),
        ({"critic": "adam", "generator": 0.1}, "the optimizer of 'generator' is 0.1"),
    ],
)
def test_wrong_optimizers_are_refused(optimizers, said):
    model = zoo.build(Critic(), zoo.DataSpec((2,)))
    with pytest.raises(zoo.ZooError, match=said):
        model.compile(optimizers)


def test_an_optimizer_of_another_model_is_refused():
    used = keras.optimizers.Adam(0.01)
    model = alone(used)
    model.compile({"a": used})  # the same model: it goes on
    with pytest.raises(zoo.ZooError, match="trained other weights"):
        alone(used)


# --- clipping and accumulation, by Keras's optimizers


@pytest.mark.parametrize(
    ("options", "step"),
    [
        # gradients (3, 4) of two numbers
        ({"clipvalue": 3.5}, (3.0, 3.5)),
        ({"clipnorm": 2.0}, (2.0, 2.0)),
        ({"global_clipnorm": 1.0}, (0.6, 0.8)),
    ],
)
def test_clipping(options, step):
    def loss(nets, batch, rng):
        return {"p": {"sum": 3.0 * nets.a(batch.x)[:, 0] + 4.0 * nets.b(batch.x)[:, 0]}}

    toy = Toy({"a": number(0.0), "b": number(0.0)}, {"p": ["a", "b"]}, [loss])
    model = build(toy, optimizer=lambda: keras.optimizers.SGD(1.0, **options))
    model.train_on_batch(column(1.0))
    assert (-weight(model, "a"), -weight(model, "b")) == pytest.approx(step)


def test_accumulation():
    model = alone(keras.optimizers.SGD(0.1, gradient_accumulation_steps=3))
    seen = []
    for x in (1.0, 2.0, 3.0, 1.0):
        model.train_on_batch(column(x))
        seen.append(weight(model, "a"))
    moved = 2.0 - 0.1 * 2.0 * (1 + 4 + 9) / 3
    assert seen == pytest.approx([2.0, 2.0, moved, moved], rel=1e-6)


def test_accumulation_of_one_player_leaves_the_other():
    def both(nets, batch, rng):
        return {"a": {"x": nets.a(batch.x)[:, 0]}, "b": {"x": nets.b(batch.x)[:, 0]}}

    toy = Toy({"a": number(2.0), "b": number(3.0)}, {"a": ["a"], "b": ["b"]}, [both])
    model = zoo.build(toy, zoo.DataSpec((1,)))
    sgd = keras.optimizers.SGD
    model.compile({"a": sgd(0.1, gradient_accumulation_steps=2), "b": sgd(0.1)})
    model.train_on_batch(column(1.0))
    assert (weight(model, "a"), weight(model, "b")) == pytest.approx((2.0, 2.9))
    model.train_on_batch(column(1.0))
    assert (weight(model, "a"), weight(model, "b")) == pytest.approx((1.9, 2.8))


def test_constraints_of_weights_hold():
    limit = keras.constraints.NonNeg()
    toy = Toy({"a": number(0.5, kernel_constraint=limit)}, {"a": ["a"]}, [square("a")])
    model = build(toy, optimizer=lambda: keras.optimizers.SGD(3.0))
    model.train_on_batch(column(1.0))
    assert weight(model, "a") == 0.0


# --- moving averages


def averages(model):
    return [
        float(v.numpy().item()) for v in model.optimizer.average._model_variables_moving_average
    ]


def test_the_average_by_hand():
    model = alone(keras.optimizers.SGD(0.1), compile={"ema": 0.5})
    expected, w = None, 2.0
    for _ in range(4):
        model.train_on_batch(column(1.0))
        w *= 0.9
        expected = w if expected is None else 0.5 * expected + 0.5 * w
        assert weight(model, "a") == pytest.approx(w)
        assert averages(model) == pytest.approx([expected])


def test_one_average_of_a_network_that_two_players_train():
    def loss(nets, batch, rng):
        y = nets.a(batch.x)[:, 0]
        return {"up": {"line": -y}, "down": {"line": 3.0 * y}}

    toy = Toy({"a": number(2.0)}, {"up": ["a"], "down": ["a"]}, [loss])
    model = build(toy, compile={"ema": 0.5})
    for _ in range(2):
        model.train_on_batch(column(1.0))
    assert averages(model) == pytest.approx([0.5 * 1.8 + 0.5 * 1.6])
    with pytest.raises(zoo.ZooError, match=r"use_ema=True would average them twice.*ema=0\.999"):
        build(toy, optimizer=lambda: keras.optimizers.SGD(0.1, use_ema=True))


def test_fit_leaves_the_averages_in_the_model():
    model = alone(keras.optimizers.SGD(0.1), compile={"ema": 0.5})
    model.fit(column(1.0, 1.0, 1.0), batch_size=1, verbose=0)
    steps = [2.0 * 0.9**k for k in (1, 2, 3)]
    assert weight(model, "a") == pytest.approx(0.25 * steps[0] + 0.25 * steps[1] + 0.5 * steps[2])


def test_keras_own_averages_of_a_player():
    sgd = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    model = alone(sgd)
    model.fit(column(1.0, 1.0, 1.0), batch_size=1, verbose=0)
    steps = [2.0 * 0.9**k for k in (1, 2, 3)]
    assert weight(model, "a") == pytest.approx(0.25 * steps[0] + 0.25 * steps[1] + 0.5 * steps[2])


@pytest.mark.parametrize("momentum", [1.0, -0.1, 2])
def test_momentum_of_the_average_is_checked(momentum):
    with pytest.raises(zoo.ZooError, match=r"ema is a momentum in \[0, 1\)"):
        alone(keras.optimizers.SGD(0.1), compile={"ema": momentum})


# --- mixed precision


@pytest.fixture
def policy(request):
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("policy", "make"),
    [("mixed_bfloat16", Critic), ("mixed_float16", Critic), ("mixed_float16", Trio)],
    indirect=["policy"],
)
def test_mixed_precision_trains(policy, make):
    model = build(make(), 2, optimizer=lambda: keras.optimizers.Adam(1e-3))
    for _, network in model.networks.items():
        dtypes = {layer.compute_dtype for layer in network.layers}
        assert dtypes == {policy.removeprefix("mixed_")}
    before = {name: weights(model, name) for name in model.networks}
    history = model.fit(
        points(16), batch_size=8, epochs=2, verbose=0, validation_data=(points(5), None)
    )
    assert all(np.isfinite(values).all() for values in history.history.values())
    for name in model.networks:
        after = weights(model, name)
        assert all(w.dtype == np.float32 and np.isfinite(w).all() for w in after)
        assert not same(after, before[name])
    scaled = [hasattr(o, "dynamic_scale") for o in model.optimizer.by_player.values()]
    assert all(scaled) if policy == "mixed_float16" else not any(scaled)


@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_a_step_that_overflows_is_left_out_and_the_scale_halved(policy):
    def loss(nets, batch, rng):
        return {"a": {"x": nets.a(batch.x)[:, 0]}}

    model = build(Toy({"a": number(2.0)}, {"a": ["a"]}, [loss]), optimizer=lambda: "sgd")
    scaled = model.optimizer.by_player["a"]
    logs = model.train_on_batch(column(60000.0), return_dict=True)
    scale = float(scaled.dynamic_scale.numpy())
    assert weight(model, "a") == 2.0 and scale == 2.0**14, logs
    model.train_on_batch(column(0.5))
    assert weight(model, "a") == pytest.approx(2.0 - 0.01 * 0.5, rel=1e-3)


@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_float16_by_hand_with_a_player_that_sits_out(policy):
    toy = Toy(
        {"a": number(2.0)},
        {"a": ["a"]},
        [zoo.Move(square("a"), when=lambda step, terms: {"a": step < 1})],
    )
    model = build(toy)
    for _ in range(3):
        model.train_on_batch(column(0.5))
    assert weight(model, "a") == pytest.approx(2.0 - 0.1 * 0.5, rel=1e-3)
    assert int(model.optimizer.by_player["a"].iterations.numpy()) == 1
