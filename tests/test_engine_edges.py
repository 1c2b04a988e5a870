"""What a user could lose without a word: pretrained weights, numbers, weights of examples."""

from dataclasses import dataclass, field

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from tests import models


@dataclass(frozen=True)
class Frozen(zoo.Model):
    """A player beside a pretrained network that nobody trains."""

    repeat: int = 1
    term: str = "distance"
    value_range = None
    pretrained: tuple[float, ...] = field(default=(42.0, 43.0))

    def networks(self, data):
        features = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
        features.set_weights([np.array(self.pretrained, "float32")[:, None]])
        features.trainable = False
        own = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        return {"features": features, "own": own}

    def players(self):
        return {"player": ("own",)}

    def moves(self):
        return [zoo.Move(self.match, repeat=self.repeat)]

    def match(self, nets, batch, rng):
        error = nets.own(batch.x) - nets.features(batch.x)
        return {"player": {self.term: ops.square(error)[:, 0]}}


def built(**settings):
    model = zoo.build(Frozen(**settings), zoo.DataSpec((2,)))
    model.compile(optimizers={"player": "sgd"})
    return model


def test_a_frozen_network_keeps_its_pretrained_weights():
    kernel = built().networks["features"].get_weights()[0]
    np.testing.assert_array_equal(kernel, [[42.0], [43.0]])


def test_a_last_batch_smaller_than_the_repeats_stays_finite():
    model = built(repeat=5)
    x = np.random.default_rng(0).normal(size=(11, 2)).astype("float32") * 1e-3
    logs = model.fit(x, batch_size=10, verbose=0).history
    assert np.isfinite(logs["loss"][-1])
    assert all(np.isfinite(w).all() for w in model.networks["own"].get_weights())


def test_weights_of_examples_are_refused_rather_than_ignored():
    with pytest.raises(zoo.ZooError, match="takes no sample_weight"):
        x, labels = np.ones((4, 2), "float32"), np.zeros(4, "int32")
        built().fit(x, labels, sample_weight=np.zeros(4), verbose=0)


@pytest.mark.parametrize("name", ["loss", "regularization"])
def test_terms_cannot_take_the_names_of_totals(name):
    with pytest.raises(zoo.ZooError, match=f"{name!r} of 'player' is the zoo's"):
        built(term=name)


def test_a_move_is_made_at_least_once():
    with pytest.raises(zoo.ZooError, match="repeat is an integer, at least 1; got 0"):
        built(repeat=0)


# --- steps that are skipped


def skipping(loss):
    """A model of a network with statistics, which skips what is not finite."""

    def network():
        layers = [keras.layers.BatchNormalization(), keras.layers.Dense(1)]
        return keras.Sequential([keras.Input((2,)), *layers])

    toy = models.Toy({"net": network}, {"player": ["net"]}, [loss])
    options = {"skip_nonfinite": True}
    return models.build(toy, 2, optimizer=lambda: keras.optimizers.Adam(0.1), compile=options)


def everything(model):
    """All that a step may move."""
    moved = [*model.networks.variables, *model.optimizer.by_player["player"].variables]
    return [np.array(v.numpy()) for v in moved]


def error(nets, batch, rng):
    return {"player": {"error": ops.square(nets.net(batch.x))[:, 0]}}


def rooted(nets, batch, rng):
    """Finite, with an infinite slope where the second number of an example is 0."""
    own = error(nets, batch, rng)["player"]["error"] * batch.x[:, 1]
    return {"player": {"error": ops.sqrt(ops.abs(own))}}


GOOD = np.array([[1, 2], [3, 5]], "float32")


@pytest.mark.parametrize(
    ("loss", "bad"),
    [(error, [[np.nan, 2], [3, 5]]), (rooted, [[1, 0], [3, 0]])],
    ids=["term", "gradient alone"],
)
def test_a_step_that_is_skipped_moves_nothing(loss, bad):
    model = skipping(loss)
    assert model.train_on_batch(GOOD, return_dict=True)["skipped"] == 0
    before = everything(model)
    logs = model.train_on_batch(np.array(bad, "float32"), return_dict=True)
    assert logs["skipped"] == 1 and np.isfinite(logs["loss"])
    assert models.same(before, everything(model))
    model.train_on_batch(GOOD)
    assert not models.same(before, everything(model))
