"""``zoo.build``: what a model has to be, said before anything is trained."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import zoo
import zoo.errors
from tests.models import Critic, Toy, Trio, dense, number, points, square

pytestmark = pytest.mark.once_in_short

SPEC = zoo.DataSpec((1,))


def toy(loss=None, **changes):
    parts = {
        "networks": {"a": number(1.0), "b": number(1.0)},
        "players": {"a": ["a"]},
        "moves": [loss or square("a")],
    }
    return Toy(**{**parts, **changes})


def returning(value):
    def loss(nets, batch, rng):
        return value(nets.a(batch.x), batch) if callable(value) else value

    return loss


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (toy(players={"a": ["aa"]}), "player 'a': unknown network 'aa'; did you mean 'a'"),
        (toy(players={}), "players\\(\\) names no player"),
        (toy(players={"a": ["a"], "b": ["b"]}), "no move has a loss for player 'b'"),
        (toy(moves=[]), "moves\\(\\) lists no loss"),
        (toy(moves=["square"]), "lists loss methods or zoo.Move, not 'square'"),
        (
            toy(moves=[zoo.Move(square("a"), updates=["c"])]),
            "updates of loss: unknown network 'c'",
        ),
        (
            toy(moves=[zoo.Move(square("a"), when=lambda step, terms: {"bb": True})]),
            "when: unknown player 'bb'",
        ),
        (toy(networks={"a": lambda: 3}), "'a' is int"),
        (toy(players=3), r"Toy\.players\(\) is a dict, not 3"),
        (toy(players={"a": "a"}), r"Toy\.players\(\)\['a'\] is a list, not 'a' \(str\)"),
        (toy(moves=square("a")), r"Toy\.moves\(\) is a list, not <function"),
        (toy(weights=[1]), r"Toy\.weights\(\) is a dict, not \[1\]"),
        (toy(moves=[zoo.Move(square("a"), updates="a")]), "updates of loss is a list.*not 'a'"),
        (toy(moves=[zoo.Move(square("a"), when=lambda step, terms: 1)]), "when is a dict, not 1"),
        (toy(networks={"a b": number(1.0)}), "'a b' cannot name a network"),
        (toy(networks={"call": number(1.0)}), "'call' cannot name a network"),
    ],
)
def test_models_that_contradict_themselves(model, said):
    with pytest.raises(zoo.ZooError, match=said):
        zoo.build(model, SPEC)


@pytest.mark.parametrize(
    ("model", "data", "said"),
    [
        (Critic(), (2,), r"zoo\.build: data takes DataSpec, not \(2,\) \(tuple\)"),
        (Critic, zoo.DataSpec((2,)), r"not the class Critic: write Critic\(\.\.\.\)"),
        ("vea", zoo.DataSpec((2,)), "unknown model 'vea'; did you mean 'vae'"),
        (3, zoo.DataSpec((2,)), "model takes Model, not 3"),
        (Critic(), points(1000), r"^[^\n]{1,150}\(ndarray\)$"),
    ],
)
def test_what_is_no_model_and_what_is_no_data_spec(model, data, said):
    with pytest.raises(zoo.ZooError, match=said):
        zoo.build(model, data)


# --- code that fails


def failing(*args):
    return 1 / 0


def loss_of_a_wrong_shape(nets, batch, rng):
    return {"a": {"x": ops.reshape(nets.a(batch.x), (-1, 2, 5, 7))}}


def loss_of_a_wrong_call(nets, batch, rng):
    return {"a": {"x": nets.a(ops.ones((3, 7)))}}


@pytest.mark.parametrize(
    ("model", "said", "cause"),
    [
        (toy(networks={"a": failing}), r"cannot be built for DataSpec.*: networks\(\)", None),
        (toy(failing), r"Toy\.failing", None),
        (
            toy(moves=[zoo.Move(square("a"), when=lambda step, terms: failing())]),
            r"Toy\.loss, when",
            None,
        ),
        (toy(loss_of_a_wrong_shape), r"Toy\.loss_of_a_wrong_shape", Exception),
        (toy(loss_of_a_wrong_call), r"Toy\.loss_of_a_wrong_call raised ValueError", ValueError),
    ],
)
def test_an_error_in_a_plugin_is_one_message_and_keeps_its_cause(model, said, cause):
    with pytest.raises(zoo.errors.CodeFailed, match=said) as raised:
        zoo.build(model, SPEC)
    message = str(raised.value)
    assert "\n" not in message and "\x1b" not in message and "Arguments received" not in message
    if cause is None:
        assert "raised ZeroDivisionError: division by zero (" in message
    assert isinstance(raised.value.__cause__, cause or ZeroDivisionError)
    assert raised.value.__cause__.__traceback__ is not None


def test_the_line_that_failed_is_named():
    line = failing.__code__.co_firstlineno + 1
    with pytest.raises(zoo.ZooError) as raised:
        zoo.build(toy(failing), SPEC)
    assert str(raised.value).endswith(f"(test_engine_build.py, line {line})")


@pytest.mark.parametrize("method", ["players", "moves", "weights"])
def test_an_error_in_a_method_names_it(method):
    class Broken(Toy):
        pass

    setattr(Broken, method, failing)
    with pytest.raises(zoo.ZooError, match=rf"Broken\.{method}\(\) raised ZeroDivisionError"):
        zoo.build(Broken({"a": number(1.0)}, {"a": ["a"]}, [square("a")]), SPEC)


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        (failing, "Critic: the given network 'critic' raised ZeroDivisionError: division by zero"),
        (lambda data, model: None, "'critic' comes as NoneType, not as a keras model or layer"),
        (lambda: 3, r"'critic' raised TypeError: .*takes 0 positional arguments but 2 were given$"),
        (layers.Dense(1), r"'critic' is a function of \(data, model\) that makes one, not Dense"),
        (3, r"'critic' is a function of \(data, model\) that makes one, not int"),
    ],
)
def test_a_network_of_the_users_that_cannot_be_made(factory, said):
    with pytest.raises(zoo.ZooError, match=said):
        zoo.build(Critic(), zoo.DataSpec((2,)), networks={"critic": factory})


# --- what losses return


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.0, "returned float; a loss returns"),
        (lambda y, batch: ops.mean(y), "a loss returns {player: {term: value}}"),
        (lambda y, batch: (ops.mean(y), ops.mean(y)), "returned tuple"),
        (None, "returned NoneType"),
        ({}, "returned no terms"),
        ({"a": 1.0}, "returned float for player 'a'"),
        ({"a": {}}, "returned dict for player 'a'"),
        ({"aa": {"x": 1.0}}, "unknown player 'aa'; did you mean 'a'"),
        (lambda y, batch: {"a": {"x": y}}, r"'x' of 'a' is a scalar or one value.*\(3, 1\)"),
        (lambda y, batch: {"a": {"x": ops.sum(y, axis=0)}}, r"came as shape \(1,\)"),
        ({"a": {"x": "much"}}, "came as str"),
        ({"a": {"x": None}}, "came as NoneType"),
    ],
)
def test_losses_that_return_something_else(value, said):
    with pytest.raises(zoo.ZooError, match=said):
        zoo.build(toy(returning(value)), SPEC)


def test_a_term_of_one_name_in_two_moves():
    first, second = square("a"), square("a")
    second.__name__ = "again"
    with pytest.raises(zoo.ZooError, match="loss and again both have a term 'square'"):
        zoo.build(toy(moves=[first, second]), SPEC)


def test_a_network_that_a_loss_asks_for_and_is_not_there():
    def loss(nets, batch, rng):
        return {"a": {"x": nets.encodr(batch.x)}}

    networks = {"a": number(1.0), "encoder": number(1.0)}
    with pytest.raises(zoo.ZooError, match="no network 'encodr'; did you mean 'encoder'"):
        zoo.build(toy(loss, networks=networks), SPEC)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"encoder": {"kll": 2.0}}, "unknown term 'kll'; did you mean 'kl'"),
        ({"encodr": {"kl": 2.0}}, "unknown player 'encodr'; did you mean 'encoder'"),
        ({"encoder": 2.0}, "the weights of 'encoder' are {term: number}"),
        ({"encoder": {"kl": "2"}}, "encoder/kl is a number or a schedule.*not '2'"),
        ({"encoder": {"kl": True}}, "not True"),
        ({"encoder": {"kl": None}}, "not None"),
    ],
)
def test_weights_that_do_not_fit(weights, said):
    with pytest.raises(zoo.ZooError, match=said):
        zoo.build(Trio(), zoo.DataSpec((2,)), weights=weights)


def test_default_weights_are_checked_and_overridden_one_by_one():
    with pytest.raises(zoo.ZooError, match="unknown term 'sqare'; did you mean 'square'"):
        zoo.build(toy(weights={"a": {"sqare": 1.0}}), SPEC)
    model = zoo.build(Critic(), zoo.DataSpec((2,)), weights={"generator": {"wasserstein": 3}})
    described = [weights for _, weights in model.described_moves()]
    assert described == [
        {"critic": {"wasserstein": 1.0, "gradient_penalty": 10.0}},
        {"generator": {"wasserstein": 3}},
    ]


# --- networks of the user's own


def test_a_network_may_be_replaced():
    seen = []

    def factory(data, model):
        seen.append((data, model))
        return dense(3, 1)()

    model = zoo.build(Critic(), zoo.DataSpec((2,)), networks={"critic": factory})
    # twice, to tell what is random in it from what is pretrained
    assert seen == [(zoo.DataSpec((2,)), Critic())] * 2
    assert [layer.units for layer in model.networks["critic"].layers] == [3, 1]


def test_a_network_that_is_not_there_cannot_be_replaced():
    with pytest.raises(zoo.ZooError, match="unknown network 'critc'; did you mean 'critic'"):
        zoo.build(Critic(), zoo.DataSpec((2,)), networks={"critc": dense(3, 1)})


# --- around it


def test_channels_come_last():
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(zoo.ZooError, match=r"channels last.*'channels_first'"):
            zoo.build(toy(), SPEC)
    finally:
        keras.config.set_image_data_format("channels_last")


def test_building_leaves_statistics_and_averages_as_they_are():
    model = zoo.build(Critic(), zoo.DataSpec((2,)))
    norm = model.networks["generator"].layers[1]
    np.testing.assert_array_equal(norm.moving_mean.numpy(), np.zeros(16))
    np.testing.assert_array_equal(norm.moving_variance.numpy(), np.ones(16))


def test_a_model_is_named_by_its_class_and_lists_what_it_has():
    model = zoo.build(Trio(), zoo.DataSpec((2,)))
    assert model.name == "trio" and model.where == "Trio"
    assert list(model.networks) == ["encoder", "decoder", "discriminator"]
    assert model.players["decoder"] == ("decoder",)
    assert model.terms["decoder"] == ("reconstruction", "fool")
    assert not model.can("sample") and zoo.build(Critic(), zoo.DataSpec((2,))).can("sample")


def test_abilities_that_are_not_there_and_shapes_that_do_not_fit():
    model = zoo.build(Critic(), zoo.DataSpec((2,)))
    assert model.sample(5).shape == (5, 2)
    np.testing.assert_allclose(model.sample(600)[:5], model.sample(5), rtol=1e-5)
    with pytest.raises(zoo.ZooError, match="nothing to sample, n is 0"):
        model.sample(0)
    with pytest.raises(zoo.ZooError, match="Critic cannot encode; it can: sample"):
        model.encode(np.zeros((1, 2)))
    vae = zoo.build(zoo.model("vae", latent_dim=2, units=(4,)), zoo.DataSpec((8, 8, 1)))
    with pytest.raises(zoo.ZooError, match=r"shape \(8, 8, 1\); these have \(9, 9, 1\)"):
        vae.encode(np.zeros((1, 9, 9, 1)))


def test_pictures_in_bytes_and_in_units_encode_alike():
    vae = zoo.build(zoo.model("vae", latent_dim=2, units=(4,)), zoo.DataSpec((8, 8, 1)))
    x = (np.arange(128).reshape(2, 8, 8, 1) * 2).astype("uint8")
    np.testing.assert_allclose(vae.encode(x), vae.encode(x / 255), rtol=1e-5, atol=1e-6)
    assert vae.reconstruct(x).shape == x.shape and vae.reconstruct(x).max() <= 1


def test_a_conditional_model_gets_its_labels():
    class Conditional(Toy):
        def sample(self, nets, n, rng, labels=None):
            return nets.a(ops.cast(labels, "float32")[:, None])

    def loss(nets, batch, rng):
        embedded = ops.one_hot(batch.labels, 4)
        return {"a": {"x": nets.a(batch.x)[:, 0] * ops.sum(embedded, axis=1)}}

    model = zoo.build(
        Conditional({"a": number(2.0)}, {"a": ["a"]}, [loss]), zoo.DataSpec((1,), classes=4)
    )
    found = model.sample(3, labels=[0, 1, 3])
    np.testing.assert_allclose(found, [[0.0], [2.0], [6.0]])


def test_layers_that_networks_share_are_one():
    shared = layers.Dense(1)

    def make():
        inputs = keras.Input((1,))
        return keras.Model(inputs, shared(inputs))

    model = zoo.build(toy(networks={"a": make, "b": make}), SPEC)
    assert model.networks["a"].layers[1] is model.networks["b"].layers[1]
    assert len(model.trainable_variables) == 2
