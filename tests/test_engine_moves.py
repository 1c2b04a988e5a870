"""A step: who moves, by which gradient, on which examples, with which weights."""

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
    same,
    square,
    weight,
    weights,
)


def duel(*moves, **options):
    """Two networks of one weight, a = 2 and b = 3, a player each."""
    return build(
        Toy({"a": number(2.0), "b": number(3.0)}, {"a": ["a"], "b": ["b"]}, moves), **options
    )


def lower_a(nets, batch, rng):
    return {"a": {"product": 0.5 * ops.square(nets.a(nets.b(batch.x)))[:, 0]}}


def lower_b(nets, batch, rng):
    return {"b": {"product": 0.5 * ops.square(nets.a(nets.b(batch.x)))[:, 0]}}


def both(nets, batch, rng):
    half = 0.5 * ops.square(nets.a(nets.b(batch.x)))[:, 0]
    return {"a": {"product": half}, "b": {"product": half}}


# --- gradients worked by hand


def test_one_step_by_hand():
    model = build(Toy({"a": number(2.0)}, {"a": ["a"]}, [square("a")]))
    logs = model.train_on_batch(column(1.0, 3.0), return_dict=True)
    # mean of (2 x)^2 / 2 over x = 1, 3; gradient a mean(x^2) = 2 * 5
    assert logs == pytest.approx({"loss": 10.0, "a/square": 10.0})
    assert weight(model, "a") == pytest.approx(2.0 - 0.1 * 10.0)


def test_weighted_terms_by_hand():
    def loss(nets, batch, rng):
        y = nets.a(batch.x)[:, 0]
        return {"a": {"linear": y, "square": ops.mean(ops.square(y))}}

    toy = Toy({"a": number(2.0)}, {"a": ["a"]}, [loss], weights={"a": {"linear": 3.0}})
    model = build(toy, weights={"a": {"square": 0.5}})
    logs = model.train_on_batch(column(1.0, 3.0), return_dict=True)
    # linear 2 * mean(x) = 4, square 4 * mean(x^2) = 20; total 3 * 4 + 0.5 * 20
    assert logs == pytest.approx({"loss": 22.0, "a/linear": 4.0, "a/square": 20.0})
    # gradient 3 mean(x) + 0.5 * 2 a mean(x^2) = 6 + 10
    assert weight(model, "a") == pytest.approx(2.0 - 0.1 * 16.0)


def test_sequential_moves_see_what_moved_before_them():
    model = duel(lower_a, lower_b)
    model.train_on_batch(column(1.0))
    a = 2.0 - 0.1 * 2.0 * 3.0**2  # a b^2
    b = 3.0 - 0.1 * 3.0 * a**2  # with the a just moved
    assert (weight(model, "a"), weight(model, "b")) == pytest.approx((a, b))


def test_order_of_moves_matters():
    model = duel(lower_b, lower_a)
    model.train_on_batch(column(1.0))
    b = 3.0 - 0.1 * 3.0 * 2.0**2
    a = 2.0 - 0.1 * 2.0 * b**2
    assert (weight(model, "a"), weight(model, "b")) == pytest.approx((a, b))


def test_simultaneous_players_see_the_same_weights():
    model = duel(both)
    logs = model.train_on_batch(column(1.0), return_dict=True)
    assert weight(model, "a") == pytest.approx(2.0 - 0.1 * 18.0)
    assert weight(model, "b") == pytest.approx(3.0 - 0.1 * 12.0)
    assert logs["loss"] == pytest.approx(36.0)
    assert logs["a/loss"] == logs["b/loss"] == pytest.approx(18.0)


def test_simultaneous_players_share_one_forward_pass():
    calls = []

    def counted(nets, batch, rng):
        calls.append(1)
        return both(nets, batch, rng)

    model = duel(counted, compile={"run_eagerly": True})
    before = len(calls)
    model.train_on_batch(column(1.0))
    assert len(calls) - before == 1


def test_two_players_may_train_one_network():
    def loss(nets, batch, rng):
        y = nets.a(batch.x)[:, 0]
        return {"up": {"line": -y}, "down": {"line": 3.0 * y}}

    model = build(Toy({"a": number(2.0)}, {"up": ["a"], "down": ["a"]}, [loss]))
    model.train_on_batch(column(1.0))
    assert weight(model, "a") == pytest.approx(2.0 + 0.1 - 0.3)


def test_layers_that_two_networks_share_move_once():
    shared = {}

    def first():
        shared["layer"] = number(2.0)()
        return shared["layer"]

    def second():
        inputs = keras.Input((1,))
        return keras.Model(inputs, shared["layer"](inputs))

    def loss(nets, batch, rng):
        return {"p": {"sum": nets.a(batch.x)[:, 0] + nets.b(batch.x)[:, 0]}}

    model = build(Toy({"a": first, "b": second}, {"p": ["a", "b"]}, [loss]))
    assert len(model.player_variables()["p"]) == 1
    model.train_on_batch(column(1.0))
    assert weight(model, "a") == weight(model, "b") == pytest.approx(2.0 - 0.1 * 2)


def test_a_weight_without_gradient_stays():
    toy = Toy({"a": number(2.0), "b": number(3.0)}, {"p": ["a", "b"]}, [square("a", "p")])
    model = build(toy)
    model.train_on_batch(column(1.0))
    assert weight(model, "a") == pytest.approx(1.8)
    assert weight(model, "b") == 3.0


def test_a_term_that_depends_on_no_weight():
    def loss(nets, batch, rng):
        return {"a": {"constant": 4.0}, "b": {"square": ops.square(nets.b(batch.x))[:, 0]}}

    model = duel(loss)
    logs = model.train_on_batch(column(1.0), return_dict=True)
    assert logs["a/constant"] == 4.0
    assert weight(model, "a") == 2.0


# --- nobody moves another's weights


@pytest.mark.parametrize("mover", ["generator", "critic"])
def test_a_move_trains_only_its_own_of_two_players(mover):
    class OneMove(Critic):
        def moves(self):
            loss = self.generate if mover == "generator" else self.criticise
            return [zoo.Move(loss, updates=(mover,))]

        def players(self):
            return {mover: [mover]}

        def weights(self):
            return {}

    model = build(OneMove(), 2)
    other = {"generator": "critic", "critic": "generator"}[mover]
    before = {name: weights(model, name) for name in (mover, other)}
    model.train_on_batch(points(8))
    assert same(weights(model, other), before[other])
    assert not same(weights(model, mover), before[mover])


@pytest.mark.parametrize("still", ["encoder", "decoder", "discriminator"])
def test_a_player_with_no_step_size_stays_among_three(still):
    model = zoo.build(Trio(), zoo.DataSpec((2,)))
    sizes = {player: 0.0 if player == still else 0.1 for player in model.players}
    model.compile({p: keras.optimizers.SGD(size) for p, size in sizes.items()})
    before = {name: weights(model, name) for name in model.networks}
    model.train_on_batch(points(8))
    for name in model.networks:
        assert same(weights(model, name), before[name]) == (name == still), name


def test_each_of_three_players_follows_its_own_loss():
    """The gradient of the sum would be another one: compare with each player alone."""

    class Alone(Trio):
        def players(self):
            return {self.who: [self.who]}

        def weights(self):
            return {p: w for p, w in super().weights().items() if p == self.who}

        def moves(self):
            return [lambda *args: {self.who: self.together(*args)[self.who]}]

    x = points(8)
    together = build(Trio(), 2)
    together.train_on_batch(x)
    for player in together.players:
        model = Alone()
        object.__setattr__(model, "who", player)
        alone = build(model, 2)
        alone.train_on_batch(x)
        for a, b in zip(weights(alone, player), weights(together, player), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


# --- repeats


def test_repeats_by_hand():
    def up(nets, batch, rng):
        return {"b": {"line": -nets.b(batch.x)[:, 0]}}

    model = duel(zoo.Move(square("a"), repeat=2), up)
    logs = model.train_on_batch(column(1.0, 2.0, 3.0, 4.0), return_dict=True)
    first = 2.0 * (1 - 0.1 * (1 + 9) / 2)  # rows 0, 2
    second = first * (1 - 0.1 * (4 + 16) / 2)  # rows 1, 3
    assert weight(model, "a") == pytest.approx(second, abs=1e-6)
    # the term is averaged over the repeats; the other move takes the first batch
    expected = (0.5 * 4.0 * 5 + 0.5 * first**2 * 10) / 2
    assert logs["a/square"] == pytest.approx(expected)
    assert weight(model, "b") == pytest.approx(3.0 + 0.1 * 2.0)
    assert logs["b/line"] == pytest.approx(-3.0 * 2.0)
    assert int(model.optimizer.by_player["a"].iterations.numpy()) == 2
    assert int(model.optimizer.by_player["b"].iterations.numpy()) == 1


def test_repeats_share_labels_too():
    def loss(nets, batch, rng):
        y = nets.a(batch.x)[:, 0]
        return {"a": {"labelled": y * ops.cast(batch.labels, "float32")}}

    toy = Toy({"a": number(1.0)}, {"a": ["a"]}, [zoo.Move(loss, repeat=2)])
    model = zoo.build(toy, zoo.DataSpec((1,), classes=10))
    model.compile({"a": keras.optimizers.SGD(0.1)})
    model.train_on_batch(column(1.0, 2.0, 3.0, 4.0), np.array([1, 0, 5, 0]))
    assert weight(model, "a") == pytest.approx(1.0 - 0.1 * (1 * 1 + 3 * 5) / 2)


# --- when a player sits out


def alternate(step, terms):
    return {"a": step % 2 == 0, "b": step % 2 == 1}


def test_a_player_that_sits_out_keeps_weights_slots_and_count():
    model = duel(
        zoo.Move(both, when=alternate),
        optimizer=lambda: keras.optimizers.Adam(0.1, clipnorm=100.0),
    )
    state = {}
    for step in range(4):
        before = {p: [v.numpy() for v in o.variables] for p, o in by_player(model).items()}
        a, b = weight(model, "a"), weight(model, "b")
        model.train_on_batch(column(1.0))
        state = {p: [v.numpy() for v in o.variables] for p, o in by_player(model).items()}
        still = "b" if step % 2 == 0 else "a"
        assert same(state[still], before[still])
        assert (weight(model, "a") == a, weight(model, "b") == b) == (still == "a", still == "b")
    assert [int(o.iterations.numpy()) for o in by_player(model).values()] == [2, 2]


def by_player(model):
    return model.optimizer.by_player


def test_when_depends_on_terms():
    def while_large(step, terms):
        return {"a": terms["a"]["square"] > 1.0}

    toy = Toy({"a": number(2.0)}, {"a": ["a"]}, [zoo.Move(square("a"), when=while_large)])
    model = build(toy)
    model.fit(column(*[1.0] * 20), batch_size=1, epochs=1, verbose=0)
    # a^2 / 2 > 1 for 2 and its next values, times 0.9 a step, until it is below sqrt 2
    assert weight(model, "a") == pytest.approx(2.0 * 0.9**4, abs=1e-5)
    assert int(by_player(model)["a"].iterations.numpy()) == 4
    assert int(model.optimizer.iterations.numpy()) == 20


def test_when_may_answer_in_plain_python_and_leave_players_out():
    model = duel(zoo.Move(both, when=lambda step, terms: {"a": False}))
    model.train_on_batch(column(1.0))
    assert weight(model, "a") == 2.0
    assert weight(model, "b") == pytest.approx(3.0 - 0.1 * 12.0)


# --- statistics of batch norm


def normed():
    return keras.Sequential([keras.Input((1,)), layers.BatchNormalization(), layers.Dense(1)])


def through_both(nets, batch, rng):
    return {"a": {"line": nets.a(nets.b(batch.x) + 5.0)[:, 0]}}


@pytest.mark.parametrize(
    ("updates", "moved"), [(["a"], {"a"}), (["b"], {"b"}), (["a", "b"], {"a", "b"}), ([], set())]
)
def test_only_networks_that_a_move_updates_change_their_statistics(updates, moved):
    def other(nets, batch, rng):
        return {"b": {"zero": 0.0}}

    toy = Toy(
        {"a": normed, "b": normed},
        {"a": ["a"], "b": ["b"]},
        [zoo.Move(through_both, updates=updates), zoo.Move(other, updates=[])],
    )
    model = build(toy)
    model.train_on_batch(column(1.0, 3.0))
    means = {name: float(model.networks[name].layers[0].moving_mean.numpy()[0]) for name in "ab"}
    assert {name for name, mean in means.items() if mean != 0} == moved
    if "b" in moved:
        assert means["b"] == pytest.approx(0.01 * 2.0, rel=1e-5)  # momentum 0.99


class Counter(layers.Layer):
    """A network without inputs that counts the training steps, or tries to."""

    def __init__(self, trainable=False):
        super().__init__()
        self.steps = self.add_weight((), "zeros", trainable=trainable, name="steps")

    def call(self, training=False):
        if training:
            self.steps.assign(self.steps + 1.0)
        return ops.convert_to_tensor(self.steps)


def counted(nets, batch, rng):
    return {"a": {"line": nets.a(batch.x)[:, 0] + ops.stop_gradient(nets.counter())}}


def test_state_that_no_move_keeps_is_refused():
    """``updates`` was forgotten; what it names is kept, and what it leaves out is dropped."""

    def toy(updates, layer=Counter):
        move = zoo.Move(counted, updates=updates)
        return Toy({"a": number(2.0), "counter": layer}, {"a": ["a"]}, [move])

    said = r"Toy.counted assigns counter\w*/steps of the network 'counter', and no move keeps what "
    with pytest.raises(zoo.ZooError, match=said + r".*zoo.Move\(self.counted, updates=\('a', 'co"):
        build(toy(None))
    with pytest.raises(zoo.ZooError, match=said + ".*give it trainable=False"):
        build(toy(None, lambda: Counter(trainable=True)))
    for updates, steps in ((["a", "counter"], 2), (["a"], 0)):
        model = build(toy(updates))
        for _ in range(2):
            model.train_on_batch(column(1.0))
        assert weight(model, "counter") == steps


def test_a_network_without_inputs_is_called_without_any():
    class Number(layers.Layer):
        def __init__(self):
            super().__init__()
            self.value = self.add_weight((), "ones", name="value")

        def call(self):
            return ops.convert_to_tensor(self.value)

    def line(nets, batch, rng):
        return {"a": {"line": nets.a() * batch.x[:, 0]}}

    model = build(Toy({"a": Number}, {"a": ["a"]}, [line]))
    model.train_on_batch(column(2.0))
    assert weight(model, "a") == pytest.approx(1.0 - 0.1 * 2.0)


def test_a_network_may_take_labels_alone():
    labels = keras.Input((), dtype="int32", name="labels")
    table = keras.Model(labels, layers.Embedding(3, 1, "ones")(labels))

    def line(nets, batch, rng):
        return {"a": {"line": nets.a(labels=batch.labels)[:, 0]}}

    model = zoo.build(Toy({"a": lambda: table}, {"a": ["a"]}, [line]), zoo.DataSpec((1,), 3))
    assert model.terms == {"a": ("line",)}


def test_two_passes_in_a_move_count_twice_in_the_statistics():
    def loss(nets, batch, rng):
        return {"a": {"line": nets.a(batch.x)[:, 0] - nets.a(batch.x + 4.0)[:, 0]}}

    model = build(Toy({"a": normed}, {"a": ["a"]}, [loss]))
    model.train_on_batch(column(1.0, 3.0))
    mean = float(model.networks["a"].layers[0].moving_mean.numpy()[0])
    assert mean == pytest.approx(0.99 * 0.02 + 0.01 * 6.0, rel=1e-5)


def test_evaluation_leaves_statistics_and_uses_them():
    model = build(Toy({"a": normed}, {"a": ["a"]}, [square("a")]))
    before = weights(model, "a")
    alone = model.evaluate(column(3.0), verbose=0, return_dict=True)
    among = model.evaluate(column(3.0, -3.0), verbose=0, return_dict=True)
    assert same(weights(model, "a"), before)
    assert alone["loss"] == pytest.approx(among["loss"])  # averages, not the batch's own


# --- what networks may be


class Late(keras.Model):
    """Builds its weights when it is called first."""

    def __init__(self, units):
        super().__init__()
        self.hidden = layers.Dense(units, activation="tanh")
        self.norm = layers.BatchNormalization()
        self.out = layers.Dense(1)

    def call(self, x, training=False):
        return self.out(self.norm(self.hidden(x), training=training))


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Dense(1),
        lambda: keras.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(1)]),
        lambda: Late(4),
        dense(4, 1),
    ],
    ids=["layer", "sequential", "subclass", "functional"],
)
def test_networks_of_every_kind(make):
    model = build(Toy({"a": make}, {"a": ["a"]}, [square("a")]), 2)
    before = weights(model, "a")
    assert before
    first = model.evaluate(points(16), verbose=0)[0]
    history = model.fit(
        points(16), batch_size=8, epochs=2, verbose=0, validation_data=(points(5), None)
    )
    assert not same(weights(model, "a"), before)
    assert history.history["loss"][-1] < first


def test_a_learned_number_is_a_layer():
    class Scalar(layers.Layer):
        def build(self, shape):
            self.value = self.add_weight(shape=(), initializer="ones", name="value")

        def call(self, x):
            return x * self.value

    model = build(Toy({"a": Scalar}, {"a": ["a"]}, [square("a")]))
    model.train_on_batch(column(2.0))
    assert float(model.networks["a"].value.numpy()) == pytest.approx(1.0 - 0.1 * 4.0)


# --- how Keras runs the step

MODES = {
    "eager": {"run_eagerly": True},
    "several steps at once": {"steps_per_execution": 2},
    "jit": {"jit_compile": True},
}


def weights_after_two_steps(**compile):
    model = zoo.build(Trio(), zoo.DataSpec((2,)))
    model.compile({p: keras.optimizers.SGD(1e-2) for p in model.players}, **compile)
    model.fit(points(16), batch_size=8, verbose=0, shuffle=False)
    return [w for name in model.networks for w in weights(model, name)]


@pytest.fixture(scope="module")
def ordinarily():
    return weights_after_two_steps()


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_compile_gives_the_same(mode, ordinarily):
    if keras.backend.backend() == "torch" and mode != "eager":
        pytest.skip("Keras has no such mode on PyTorch, or only by torch.compile")
    for a, b in zip(weights_after_two_steps(**MODES[mode]), ordinarily, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_step_that_fails_says_why_and_leaves_the_weights():
    """On JAX, Keras would lose the weights, and the reason with them."""
    model = build(Toy({"a": number(2.0)}, {"a": ["a"]}, [square("a")]), compile={"ema": 0.5})
    with pytest.raises(zoo.ZooError, match=r"examples of shape \(1,\); these have \(2,\)"):
        model.fit(points(4, 2), verbose=0)
    with pytest.raises(zoo.ZooError, match="these have"):
        model.evaluate(points(4, 2), verbose=0)
    model.fit(column(1.0), verbose=0)
    assert weight(model, "a") == pytest.approx(1.8)


def test_a_player_whose_networks_are_frozen():
    def frozen():
        network = number(2.0)()
        network.trainable = False
        return network

    toy = Toy({"a": frozen, "b": number(3.0)}, {"a": ["a"], "b": ["b"]}, [both])
    model = build(toy)
    model.train_on_batch(column(1.0))
    assert (weight(model, "a"), weight(model, "b")) == pytest.approx((2.0, 1.8))


def test_a_batch_of_one():
    model = build(Trio(), 2)
    model.fit(points(3), batch_size=1, verbose=0)
    assert all(np.isfinite(v).all() for name in model.networks for v in weights(model, name))


def test_pictures_in_bytes_and_labels():
    def loss(nets, batch, rng):
        assert batch.labels.shape[0] == batch.x.shape[0]
        return {"a": {"mean": ops.mean(nets.a(batch.x), axis=1)}}

    class Pictures(Toy):
        value_range = (-1.0, 1.0)

    def make():
        flat = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten()])
        flat.add(layers.Dense(1, kernel_initializer="ones"))
        return flat

    model = zoo.build(Pictures({"a": make}, {"a": ["a"]}, [loss]), zoo.DataSpec((8, 8, 1), 3))
    model.compile({"a": "sgd"})
    x = np.full((4, 8, 8, 1), 255, np.uint8)
    x[2:] = 0
    y = np.array([0, 1, 2, 0])
    assert model.evaluate(x[:2], y[:2], verbose=0)[0] == pytest.approx(64.0)
    assert model.evaluate(x[2:], y[2:], verbose=0)[0] == pytest.approx(-64.0)
    model.fit(x, y, verbose=0)


def test_numbers_that_are_no_pictures_are_taken_as_they_are():
    class Ranged(Toy):
        value_range = (0.0, 1.0)

    model = build(Ranged({"a": number(1.0)}, {"a": ["a"]}, [square("a")]))
    assert model.evaluate(np.array([[2], [4]], np.uint8), verbose=0)[0] == pytest.approx(5.0)
    assert model.evaluate(np.array([[2], [4]], np.int64), verbose=0)[0] == pytest.approx(5.0)
