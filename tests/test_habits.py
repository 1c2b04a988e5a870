"""What users of Keras try first on a model of the zoo."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import zoo

PICTURES = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 1), dtype=np.uint8)


def built(name="ae", **settings):
    return zoo.build(zoo.model(name, units=(4,), **settings), zoo.DataSpec((4, 4, 1)))


@pytest.fixture(scope="module")
def vae():
    return built("vae", latent_dim=2)


@pytest.fixture(scope="module")
def gan():
    return built("gan")


def weights(network):
    return [np.array(v.numpy()) for v in network.variables]


@pytest.mark.once_in_short
@pytest.mark.parametrize(
    "given",
    [
        {"optimizer": "adam"},
        {"optimizers": "adam"},
        {"optimizer": {"generator": "adam", "discriminator": "adam"}},
    ],
)
def test_the_name_of_an_optimizer_is_for_all_players(gan, given):
    gan.compile(**given)
    assert len(set(map(id, gan.optimizer.by_player.values()))) == 2


@pytest.mark.once_in_short
def test_an_optimizer_is_for_the_only_player(vae, gan):
    adam = keras.optimizers.Adam(0.5)
    vae.compile(adam)
    assert vae.optimizer.by_player["autoencoder"] is adam
    assert float(vae.optimizer.learning_rate) == 0.5
    vae.optimizer.learning_rate = 0.25
    assert float(adam.learning_rate) == 0.25
    with pytest.raises(zoo.ZooError, match=r'optimizers={"discriminator": ..., "generator": ...}'):
        gan.compile(optimizer=keras.optimizers.Adam())


@pytest.mark.once_in_short
def test_a_rate_for_several_players_is_refused(gan):
    gan.compile("adam")
    with pytest.raises(zoo.ZooError, match="each player has a rate"):
        gan.optimizer.learning_rate = 0.1
    assert np.isnan(gan.optimizer.learning_rate)


@pytest.mark.once_in_short
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, 'takes the name of an optimizer, such as "adam"'),
        ({"optimizer": 3}, "takes the name of an optimizer"),
        ({"optimizer": "adamm"}, "the optimizer of 'autoencoder' is 'adamm'"),
        ({"optimizer": "adam", "loss": "mse"}, "leave loss out: losses are the model's own"),
        ({"optimizer": "adam", "loss_weights": [1]}, "leave loss_weights out: losses are"),
        (
            {"optimizer": "adam", "weights": {}},
            r"zoo.build\(..., weights={player: {term: number}}\)",
        ),
        ({"optimizer": "adam", "metrics": ["mse"]}, "leave metrics out"),
        ({"optimizer": "adam", "weighted_metrics": []}, "leave weighted_metrics out: terms"),
        ({"optimizer": "adam", "los": "mse"}, "leave los out: it is not accepted"),
    ],
)
def test_what_compile_does_not_take(vae, given, message):
    with pytest.raises(zoo.ZooError, match=message):
        vae.compile(**given)


@pytest.mark.once_in_short
@pytest.mark.parametrize(
    ("use", "what"),
    [
        (lambda m: m(PICTURES), r"model\(x\)"),
        (lambda m: m(keras.Input((4, 4, 1))), r"model\(x\)"),
        (lambda m: m.predict(PICTURES), "predict"),
        (lambda m: m.predict_on_batch(PICTURES), "predict_on_batch"),
    ],
)
def test_a_model_is_no_function_of_x(vae, gan, use, what):
    with pytest.raises(zoo.ZooError, match=rf"VAE.*{what} .*model.reconstruct\(x\).*model.encoder"):
        use(vae)
    with pytest.raises(zoo.ZooError, match=rf"GAN.*{what} .*model.sample\(n\).*model.generator"):
        use(gan)


@pytest.mark.once_in_short
def test_files_that_cannot_hold_a_model(vae, tmp_path):
    with pytest.raises(zoo.ZooError, match=r"name the file 'all\.keras'"):
        vae.save(tmp_path / "all.h5")
    with pytest.raises(zoo.ZooError, match=r"model\.encoder\.export\(path\)"):
        vae.export(tmp_path / "all")


def test_networks_are_attributes_and_layers(vae, capsys):
    assert vae.decoder is vae.networks["decoder"] is vae.get_layer("decoder")
    assert vae.layers == [vae.encoder, vae.decoder]
    assert vae.get_layer(index=1) is vae.decoder
    vae.summary()
    assert "(None, 4, 4, 1)" in capsys.readouterr().out
    assert vae.count_params() == sum(np.size(w) for w in vae.get_weights())
    assert not hasattr(vae, "generator")
    with pytest.raises(AttributeError, match=r"VAE has no attribute 'inputs'.*model\.encoder"):
        _ = vae.inputs
    with pytest.raises(AttributeError):
        _ = vae._private


@pytest.mark.once_in_short
def test_examples_in_a_list(vae):
    vae.compile("sgd")
    expected = vae.evaluate(PICTURES, verbose=0)
    for given in ([PICTURES], (PICTURES,), list(PICTURES), PICTURES.tolist()):
        given = given if not isinstance(given[0], list) else [np.uint8(one) for one in given]
        assert vae.evaluate(given, verbose=0) == expected
        assert vae.encode(given).shape == (8, 2)
    vae.fit([PICTURES], verbose=0)
    with pytest.raises(zoo.ZooError, match=r"examples and labels apart, as in fit\(x, y\)"):
        vae.fit([PICTURES, PICTURES], verbose=0)


@pytest.mark.once_in_short
@pytest.mark.parametrize("y", [PICTURES, PICTURES.copy(), PICTURES / 255.0])
def test_y_is_no_target(vae, y):
    vae.compile("sgd")
    with pytest.raises(zoo.ZooError, match=r"y is labels.*Write fit\(x\)"):
        vae.fit(PICTURES, y, verbose=0)
    with pytest.raises(zoo.ZooError, match=r"Write evaluate\(x\)"):
        vae.evaluate(PICTURES, y, verbose=0)


def test_freezing_before_compile_holds():
    model = built()
    model.decoder.trainable = False
    model.compile("sgd")
    before = weights(model.decoder), weights(model.encoder)
    model.fit(PICTURES, verbose=0)
    np.testing.assert_equal(weights(model.decoder), before[0])
    assert any((a != b).any() for a, b in zip(weights(model.encoder), before[1], strict=True))


def freeze(model, trainable=False):
    model.decoder.trainable = trainable


class FreezeAfter(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        freeze(self.model)


@pytest.mark.parametrize(
    "change",
    [
        freeze,
        lambda model: setattr(model, "trainable", False),
        lambda model: setattr(model.decoder.layers[1], "trainable", False),
        lambda model: setattr(model.decoder.trainable_variables[0], "trainable", False),
        lambda model: (freeze(model), model.compile("sgd"), freeze(model, True)),
    ],
    ids=["network", "model", "layer", "weight", "thawed"],
)
def test_freezing_after_compile_is_told_on_every_backend(change):
    model = built()
    model.compile("sgd")
    if change is freeze:
        model.fit(PICTURES, verbose=0)  # also where a step is compiled
    change(model)
    before = weights(model)
    with pytest.raises(zoo.ZooError, match=r"of 'autoencoder' \d were .*call compile again"):
        model.fit(PICTURES, verbose=0)
    with pytest.raises(zoo.ZooError, match="call compile again"):
        model.train_on_batch(PICTURES)
    np.testing.assert_equal(weights(model), before)
    model.compile("sgd")
    model.fit(PICTURES, verbose=0)


def test_freezing_between_epochs_is_told_on_every_backend():
    model = built()
    model.compile("sgd")
    with pytest.raises(zoo.ZooError, match="call compile again"):
        model.fit(PICTURES, epochs=2, verbose=0, callbacks=[FreezeAfter()])
    assert model.evaluate(PICTURES, verbose=0)  # which trains nothing
