"""What a step reports, how terms are weighed, and what losses may draw and differentiate."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import zoo
from tests.models import (
    Critic,
    Toy,
    Trio,
    build,
    column,
    dense,
    number,
    points,
    square,
    weight,
)


def one(loss, w=2.0, **options):
    """One player with one weight, the given loss."""
    return build(Toy({"a": number(w)}, {"a": ["a"]}, [loss]), **options)


# --- averages


def values(nets, batch, rng):
    return {"a": {"x": nets.a(batch.x)[:, 0], "twice": 2.0 * ops.mean(nets.a(batch.x))}}


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 10])
def test_evaluation_averages_over_examples_however_they_are_batched(batch_size):
    model = one(values)
    x = column(*range(7))
    logs = model.evaluate(x, batch_size=batch_size, verbose=0, return_dict=True)
    assert logs == pytest.approx({"loss": 18.0, "a/x": 6.0, "a/twice": 12.0})


def test_a_ragged_last_batch_of_training_counts_by_its_examples():
    model = build(Toy({"a": number(2.0)}, {"a": ["a"]}, [values]))
    model.optimizer.by_player["a"].learning_rate = 0.0
    history = model.fit(column(*range(7)), batch_size=3, verbose=0).history
    assert history["a/x"][0] == pytest.approx(6.0)
    assert history["loss"][0] == pytest.approx(18.0)


def test_logs_have_the_promised_names():
    model = build(Trio(), 2)
    history = model.fit(points(8), batch_size=4, verbose=0, validation_data=(points(5), None))
    names = {
        "loss",
        *(f"{player}/loss" for player in model.players),
        "encoder/reconstruction",
        "encoder/kl",
        "decoder/reconstruction",
        "decoder/fool",
        "discriminator/real",
        "discriminator/fake",
    }
    assert set(history.history) == names | {f"val_{name}" for name in names}
    logs = {name: values[0] for name, values in history.history.items()}
    assert logs["loss"] == pytest.approx(sum(logs[f"{p}/loss"] for p in model.players))
    decoder = logs["decoder/reconstruction"] + 0.1 * logs["decoder/fool"]
    assert logs["decoder/loss"] == pytest.approx(decoder)
    assert model.terms["encoder"] == ("reconstruction", "kl")


def test_lists_of_results_begin_with_the_loss_as_in_keras():
    model = one(values)
    assert model.metrics_names == ["loss", "a/x", "a/twice"]
    assert model.evaluate(column(1.0), verbose=0) == pytest.approx([6.0, 2.0, 4.0])
    assert model.test_on_batch(column(1.0)) == pytest.approx([6.0, 2.0, 4.0])
    assert model.train_on_batch(column(1.0)) == pytest.approx([6.0, 2.0, 4.0])


def test_one_player_has_no_loss_of_its_own_name():
    logs = one(values).train_on_batch(column(1.0), return_dict=True)
    assert set(logs) == {"loss", "a/x", "a/twice"}


@pytest.mark.parametrize("batch_size", [3, 4, 64])
def test_the_noise_of_an_evaluation_does_not_depend_on_its_batches(batch_size):
    def noisy(nets, batch, rng):
        noise = rng.normal(ops.shape(batch.x))
        return {"a": {"product": (nets.a(batch.x) * noise)[:, 0]}}

    model = one(noisy)
    x = points(10, 1)
    whole = model.evaluate(x, batch_size=10, verbose=0)
    assert model.evaluate(x, batch_size=batch_size, verbose=0) == pytest.approx(whole, rel=1e-5)
    assert model.evaluate(x, batch_size=10, verbose=0) == whole


def test_training_noise_differs_from_step_to_step_and_by_seed():
    def noise(nets, batch, rng):
        return {"a": {"noise": rng.normal(ops.shape(batch.x))[:, 0] + 0.0 * nets.a(batch.x)[:, 0]}}

    def logged(seed):
        model = one(noise, seed=seed)
        return [
            model.train_on_batch(column(1.0), return_dict=True)["a/noise"] * (step + 1)
            for step in range(2)
        ]

    first, mean_of_two = logged(0)
    assert first != pytest.approx(mean_of_two - first)
    assert logged(0) == [first, mean_of_two]
    assert logged(1)[0] != pytest.approx(first)


# --- weights


class Ramp(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return ops.cast(step, "float32") * 0.5

    def get_config(self):
        return {}


def test_weights_that_are_schedules_of_the_step():
    def line(nets, batch, rng):
        traces.append(1)
        return {"a": {"line": nets.a(batch.x)[:, 0]}}

    traces: list[int] = []
    model = one(line, weights={"a": {"line": Ramp()}})
    expected = 2.0
    counts = []
    for step in range(4):
        model.train_on_batch(column(1.0))
        expected -= 0.1 * 0.5 * step
        assert weight(model, "a") == pytest.approx(expected)
        counts.append(len(traces))
    if keras.backend.backend() != "torch":
        assert counts[-1] == counts[0]  # no tracing once more


def test_schedules_may_be_keras_schedules_and_functions():
    decay = keras.optimizers.schedules.PiecewiseConstantDecay([0], [1.0, 3.0])
    for schedule in (decay, lambda step: ops.where(step > 0, 3.0, 1.0)):
        model = one(square("a"), weights={"a": {"square": schedule}})
        for _ in range(2):
            model.train_on_batch(column(1.0))
        assert weight(model, "a") == pytest.approx(2.0 * 0.9 * 0.7)


def test_scheduled_weights_move_on_in_validation_too():
    """On JAX, Keras hands evaluation no optimizer: its step must not be that of the trace."""
    model = one(square("a"), weights={"a": {"square": Ramp()}})
    model.optimizer.by_player["a"].learning_rate = 0.0
    x = column(1.0, 1.0)
    history = model.fit(x, batch_size=1, epochs=3, verbose=0, validation_data=(x, None)).history
    assert history["val_a/square"] == pytest.approx([2.0] * 3)
    assert history["val_loss"] == pytest.approx([2.0 * 0.5 * step for step in (2, 4, 6)])
    assert model.evaluate(x, verbose=0)[0] == pytest.approx(6.0)


def test_regularizers_are_a_term_of_their_own():
    l2 = keras.regularizers.L2(0.25)
    toy = Toy({"a": number(2.0, kernel_regularizer=l2)}, {"a": ["a"]}, [square("a")])
    model = build(toy, weights={"a": {"regularization": 2.0}})
    assert model.terms["a"] == ("square", "regularization")
    evaluated = model.evaluate(column(1.0), verbose=0, return_dict=True)
    logs = model.train_on_batch(column(1.0), return_dict=True)
    assert logs == evaluated
    assert logs == pytest.approx({"loss": 4.0, "a/square": 2.0, "a/regularization": 1.0})
    # 2 + 2 * 0.25 * 2 * 2
    assert weight(model, "a") == pytest.approx(2.0 - 0.1 * 4.0)


def test_the_term_of_a_regularizer_is_0_once_its_layer_is_frozen():
    l2 = keras.regularizers.L2(0.25)
    toy = Toy({"a": dense(3, 1, kernel_regularizer=l2)}, {"a": ["a"]}, [square("a")])
    model = build(toy, features=2)
    model.networks["a"].layers[0].trainable = False
    model.compile({"a": "sgd"})
    logs = model.train_on_batch(np.ones((4, 2), "float32"), return_dict=True)
    assert logs["a/regularization"] == 0.0
    assert logs["loss"] == pytest.approx(logs["a/square"])


def test_a_regularizer_counts_once_in_every_move_and_for_whom_it_concerns():
    def other(nets, batch, rng):
        return {"a": {"line": nets.a(batch.x)[:, 0]}, "b": {"line": nets.b(batch.x)[:, 0]}}

    l2 = keras.regularizers.L2(0.25)
    toy = Toy(
        {"a": number(2.0, kernel_regularizer=l2), "b": number(1.0)},
        {"a": ["a"], "b": ["b"]},
        [square("a"), other],
    )
    model = build(toy)
    assert model.terms == {"a": ("square", "regularization", "line"), "b": ("line",)}
    logs = model.evaluate(column(1.0), verbose=0, return_dict=True)
    assert logs["a/regularization"] == pytest.approx(1.0)
    assert logs["a/loss"] == pytest.approx(2.0 + 1.0 + 2.0 + 1.0)


# --- zoo.gradient


def test_gradient_by_hand():
    x = ops.convert_to_tensor(column(1.0, 2.0, -3.0))
    found = ops.convert_to_numpy(zoo.gradient(lambda v: ops.sum(v**3, axis=1), x))
    np.testing.assert_allclose(found, 3 * column(1.0, 4.0, 9.0), rtol=1e-6)


def test_gradient_of_what_does_not_depend_on_x():
    x = ops.convert_to_tensor(column(1.0, 2.0))
    found = ops.convert_to_numpy(zoo.gradient(lambda v: ops.ones((2,)), x))
    np.testing.assert_array_equal(found, np.zeros((2, 1)))


def penalty(nets, batch, rng):
    slope = zoo.gradient(lambda x: nets.critic(x)[:, 0], batch.x)
    return {"critic": {"penalty": ops.sum(ops.square(slope), axis=1)}}


def test_second_order_by_hand():
    model = one(lambda nets, batch, rng: {"a": penalty(_As(nets), batch, rng)["critic"]})
    logs = model.train_on_batch(column(1.0, 5.0), return_dict=True)
    assert logs["a/penalty"] == pytest.approx(4.0)  # the square of the weight
    assert weight(model, "a") == pytest.approx(2.0 - 0.1 * 4.0)


class _As:
    def __init__(self, nets):
        self.critic = nets.a


def test_second_order_against_finite_differences():
    model = build(
        Toy({"critic": dense(6, 5, 1)}, {"critic": ["critic"]}, [penalty]),
        2,
        optimizer=lambda: keras.optimizers.SGD(1.0),
    )
    x = points(5)
    network = model.networks["critic"]
    start = [np.array(v.numpy()) for v in network.trainable_variables]

    def value(weights):
        network.set_weights(weights)
        return model.evaluate(x, verbose=0)[0]

    value(start)
    model.train_on_batch(x)
    found = [
        a - np.array(v.numpy()) for a, v in zip(start, network.trainable_variables, strict=True)
    ]
    rng = np.random.default_rng(0)
    for _ in range(4):  # along random directions
        direction = [rng.normal(size=w.shape).astype("float32") for w in start]
        h = 3e-3
        up = value([w + h * d for w, d in zip(start, direction, strict=True)])
        down = value([w - h * d for w, d in zip(start, direction, strict=True)])
        expected = (up - down) / (2 * h)
        along = sum(float((g * d).sum()) for g, d in zip(found, direction, strict=True))
        assert along == pytest.approx(expected, rel=5e-3, abs=5e-4)


def test_gradient_reaches_the_weights_that_made_x():
    """A gradient taken where a network's output depends on the weights being trained."""

    def loss(nets, batch, rng):
        slope = zoo.gradient(lambda v: v**3, nets.a(batch.x))
        return {"a": {"slope": ops.mean(slope)}}

    model = one(loss)
    model.train_on_batch(column(1.0))
    assert weight(model, "a") == pytest.approx(2.0 - 0.1 * 6 * 2.0)  # 3 w^2, so 6 w


def test_gradient_penalty_in_validation():
    model = build(Critic(repeat=1), 2)
    history = model.fit(
        points(8), batch_size=4, verbose=0, validation_data=(points(6, seed=1), None)
    )
    assert np.isfinite(history.history["val_critic/gradient_penalty"][0])


def test_batch_norm_inside_gradient_keeps_its_statistics():
    def make():
        return keras.Sequential(
            [keras.Input((1,)), layers.BatchNormalization(), layers.Dense(1, activation="tanh")]
        )

    model = build(Toy({"critic": make}, {"critic": ["critic"]}, [penalty]))
    model.train_on_batch(column(1.0, 3.0))
    assert model.networks["critic"].layers[0].moving_mean.numpy()[0] == pytest.approx(0.02)


# --- dropout


def dropped(rate=0.5):
    def make():
        return keras.Sequential(
            [
                keras.Input((1,)),
                zoo.nn.layers.Dropout(rate),
                layers.Dense(1, kernel_initializer="ones"),
            ]
        )

    def line(nets, batch, rng):
        return {"a": {"line": nets.a(batch.x)[:, 0]}}

    model = build(Toy({"a": make}, {"a": ["a"]}, [line]), seed=3)
    model.optimizer.by_player["a"].learning_rate = 0.0
    return model


def test_dropout_keeps_the_same_units_on_every_backend():
    logs = [
        dropped().train_on_batch(column(*2.0 ** np.arange(12)), return_dict=True)["loss"]
        for _ in range(2)
    ]
    assert logs[0] == logs[1]
    # each bit of the sum, doubled by 1 / (1 - rate), is an example that was kept
    assert f"{round(logs[0] * 12 / 2):012b}" == "110011110000"


def test_dropout_changes_from_step_to_step():
    model = dropped()
    kept = set()
    total = 0.0
    for step in range(1, 5):
        logs = model.train_on_batch(column(*2.0 ** np.arange(12)), return_dict=True)
        kept.add(round((logs["loss"] * step - total) * 6))
        total = logs["loss"] * step
    assert len(kept) == 4


def test_no_dropout_in_evaluation():
    assert dropped().evaluate(column(1.0, 2.0, 3.0), verbose=0)[0] == pytest.approx(2.0)
