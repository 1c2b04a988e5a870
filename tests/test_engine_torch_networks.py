"""What the PyTorch backend leaves out of Keras's calls of layers changes no number."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import zoo
from zoo import random
from zoo.engine.nets import Net

if keras.backend.backend() != "torch":
    pytest.skip("about Keras's PyTorch backend", allow_module_level=True)

import torch

pytestmark = pytest.mark.usefixtures("accelerated")


class Noisy(layers.Layer):
    """Has a layer, which learns from the call around it whether this is training."""

    def __init__(self):
        super().__init__()
        self.inner = zoo.nn.layers.Dropout(0.5)

    def call(self, inputs):
        return self.inner(inputs)


class Costly(layers.Layer):
    """Adds to the losses."""

    def call(self, inputs):
        self.add_loss(ops.sum(inputs))
        return inputs


class Doubled(layers.Layer):
    """Does something around its call."""

    def __call__(self, inputs, **kwargs):
        return 2 * super().__call__(inputs, **kwargs)

    def call(self, inputs):
        return inputs


class Hidden(layers.Layer):
    """Has a layer that Keras knows nothing of."""

    def __init__(self):
        super().__init__()
        inner = zoo.nn.layers.Dropout(0.5)
        self.found = lambda x: inner(x)

    def call(self, inputs):
        return self.found(inputs)


class Halved(keras.Model):
    """A functional model of a class of its own."""

    def call(self, inputs, training=None):
        return super().call(inputs, training=training) / 2


def chain(*body):
    return keras.Sequential([keras.Input((4, 4, 1)), *body])


def two_inputs():
    x, label = keras.Input((3,)), keras.Input((), dtype="int32")
    both = layers.Concatenate()([layers.Dense(3)(x), layers.Embedding(5, 2)(label)])
    return keras.Model([x, label], [layers.Dense(2)(both), both])


def masked():
    words = keras.Input((6,), dtype="int32")
    embedded = layers.Embedding(5, 3, mask_zero=True)(words)
    attended = layers.Attention()([layers.Dense(3)(embedded), embedded])
    return keras.Model(
        words, layers.GlobalAveragePooling1D()(layers.LayerNormalization()(attended))
    )


def quantized():
    network = chain(layers.Flatten(), layers.Dense(8), layers.Dense(4))
    network.quantize("int8")
    return network


def recomputed():
    with keras.RematScope("full"):
        return chain(layers.Flatten(), layers.Dense(3, activation="tanh"), layers.Dense(3))


def changed():
    network = chain(layers.Flatten(), layers.Dense(3))
    network.layers[1].call = lambda inputs, training=None: ops.sum(inputs, axis=1)
    return network


def adapted():
    network = chain(layers.Flatten(), layers.Dense(3))
    network.layers[1].enable_lora(2, b_initializer="ones")
    return network


def frozen():
    network = chain(layers.BatchNormalization())
    network.layers[0].trainable = False
    return network


def mask_given():
    x, mask = keras.Input((6, 3)), keras.Input((6,), dtype="bool")
    return keras.Model([x, mask], layers.BatchNormalization()(x, mask=mask))


class Told(layers.Layer):
    """Tells a mask that is None from none."""

    def call(self, inputs, mask="unset"):
        return inputs if mask is None else 2 * inputs


def told_of_no_mask():
    x = keras.Input((4, 4, 1))
    return keras.Model(x, Told()(x, mask=None))


def halved():
    x = keras.Input((4, 4, 1))
    return Halved(x, layers.Flatten()(x))


NETWORKS = {
    "chain": lambda: chain(
        layers.Conv2D(3, 3, 2, "same", activation="relu"),
        layers.BatchNormalization(),
        layers.LeakyReLU(),
        zoo.nn.layers.Dropout(0.5),
        zoo.nn.layers.Masking(0.5),
        layers.Conv2DTranspose(1, 4, 2, "same"),
    ),
    "normalized": lambda: chain(
        layers.BatchNormalization(scale=False),
        layers.Flatten(),
        layers.BatchNormalization(center=False, momentum=0.5, epsilon=0.1),
    ),
    "normalized otherwise": lambda: chain(
        layers.BatchNormalization(axis=1), layers.BatchNormalization(renorm=True)
    ),
    "frozen": frozen,
    "normalized without epsilon": lambda: chain(
        layers.BatchNormalization(epsilon=0.0), layers.Flatten()
    ),
    "mask given": mask_given,
    "no mask given": told_of_no_mask,
    "composite": lambda: chain(Noisy(), layers.SpectralNormalization(layers.Conv2D(2, 3))),
    "nested": lambda: chain(chain(Noisy(), layers.BatchNormalization()), layers.Flatten()),
    "bfloat16": lambda: chain(layers.Conv2D(2, 3, dtype="mixed_bfloat16"), layers.Flatten()),
    "bfloat16 and float32": lambda: chain(
        layers.Conv2D(2, 3, dtype="mixed_bfloat16"), layers.Conv2D(2, 1), layers.Flatten()
    ),
    "quantized": quantized,
    "recomputed": recomputed,
    "changed": changed,
    "adapted": adapted,
    "losses": lambda: chain(Costly(), layers.Flatten(activity_regularizer="l2"), layers.Dense(1)),
    "own call": lambda: chain(Doubled(), layers.Flatten()),
    "hidden layer": lambda: chain(Hidden(), layers.Flatten()),
    "own class": halved,
    "two inputs and outputs": two_inputs,
    "mask": masked,
}
INPUTS = {
    "two inputs and outputs": [
        np.ones((3, 3), "float32"),
        np.array([0, 3, 4], "int32"),
    ],
    "mask given": [
        np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32"),
        np.random.default_rng(1).random((2, 6)) < 0.5,
    ],
    "mask": np.array([[1, 2, 0, 0, 0, 0], [1, 2, 3, 4, 0, 0]], "int32"),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("training", [True, False])
def test_a_loss_has_of_a_network_what_keras_has(name, training):
    keras.utils.set_random_seed(0)
    network = NETWORKS[name]()
    picture = np.random.default_rng(0).normal(size=(2, 4, 4, 1)).astype("float32")
    inputs = keras.tree.map_structure(ops.convert_to_tensor, INPUTS.get(name, picture))
    start, both = network.get_weights(), []
    for called in (Net(network, training)._called, lambda x: network(x, training=training)):
        network.set_weights(start)
        for _ in range(2):  # losses are those of the last call
            with random.scope(random.Generator(0, "test")):
                outputs = keras.tree.flatten(called(inputs))
        both.append(
            [
                [y.dtype for y in outputs],
                [float(loss) for loss in network.losses],
                *(ops.convert_to_numpy(ops.cast(y, "float32")) for y in outputs),
                *network.get_weights(),
            ]
        )
    # a dense layer rounds once where Keras, which adds the bias afterwards, rounds twice; Keras
    # has the variance of a batch as the difference of two means
    inner = network._flatten_layers(recursive=True)
    rounds = layers.Dense, layers.BatchNormalization
    off = 1e-6 if any(isinstance(layer, rounds) for layer in inner) else 0.0
    assert both[0][0] == both[1][0]
    for one, other in zip(both[0][1:], both[1][1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=off, atol=off)


def test_the_bias_of_a_dense_layer_is_added_within_the_product():
    network = chain(layers.Flatten(), layers.Dense(3))
    assert Net(network, True)(torch.ones(2, 4, 4, 1)).grad_fn.name() == "AddmmBackward0"


def test_batch_normalization_is_one_operation_in_training():
    network = chain(layers.BatchNormalization())
    x = torch.ones(2, 4, 4, 1)
    [(operation, _)] = Net(network, True)(x).grad_fn.next_functions
    assert operation.name() == "NativeBatchNormBackward0"


@pytest.mark.parametrize(
    "body",
    [
        lambda: [layers.BatchNormalization()],
        lambda: [layers.BatchNormalization(scale=False)],
        lambda: [layers.Flatten(), layers.BatchNormalization(center=False)],
    ],
)
def test_batch_normalization_has_the_gradients_of_keras_and_theirs(body):
    network = chain(*body())
    start, found = network.get_weights(), []
    for called in (Net(network, True), lambda x: network(x, training=True)):
        network.set_weights(start)
        x = torch.arange(96.0).reshape(6, 4, 4, 1).sin().requires_grad_()
        weights = [v.value for v in network.trainable_variables]
        loss = (called(x) ** 3).sum()
        first = torch.autograd.grad(loss, [x, *weights], create_graph=True)
        second = torch.autograd.grad((first[0] ** 2).sum(), [x, weights[0]])
        found.append([*first, *second])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_batch_normalization_of_no_rows_is_that_of_keras():
    network, x = chain(layers.BatchNormalization()), torch.ones(0, 4, 4, 1)
    assert Net(network, True)(x).shape == network(x, training=True).shape == (0, 4, 4, 1)


IN_ONE = {
    "dense": lambda: chain(layers.Flatten(), layers.Dense(8, "silu"), layers.Dense(3)),
    "normalized": lambda: chain(layers.BatchNormalization(), layers.Flatten()),
}


@pytest.mark.parametrize("name", IN_ONE)
def test_a_layer_under_autocast_is_that_of_keras(name):
    network = IN_ONE[name]()
    x = torch.arange(32.0).reshape(2, 4, 4, 1).sin()
    with torch.autocast("cpu"):
        ours, stock = Net(network, True)(x), network(x, training=True)
    assert ours.dtype == stock.dtype
    assert torch.equal(ours, stock)


@pytest.mark.parametrize("name", IN_ONE)
def test_an_input_on_another_device_is_moved_as_by_keras(name):
    network = IN_ONE[name]()
    with keras.device("meta"):
        assert Net(network, True)(torch.ones(2, 4, 4, 1, device="cpu")).is_meta


def test_what_is_recomputed_is_not_kept():
    network, counts = recomputed(), []
    x = torch.ones(2, 4, 4, 1)
    for called in (Net(network, True), lambda x: network(x, training=True)):
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t, k=kept: k.append(t) or t, lambda t: t
        ):
            called(x)
        counts.append(len(kept))
    assert counts[0] == counts[1]


class Wrong(layers.Layer):
    """Fails, once it is trained."""

    def call(self, inputs, training=False):
        if training:
            raise ArithmeticError("boom")
        return inputs


def test_an_error_names_the_layer():
    with pytest.raises(ArithmeticError, match="boom") as caught:
        Net(chain(Wrong(name="wrong")), True)(torch.ones(2, 4, 4, 1))
    assert caught.value.__notes__ == ["in layer 'wrong', given (2, 4, 4, 1)"]


@pytest.fixture
def calls(monkeypatch):
    """Names of layers that Keras's own ``__call__`` was asked for."""
    asked, stock = [], layers.Layer.__call__

    def told(self, *args, **kwargs):
        asked.append(type(self).__name__)
        return stock(self, *args, **kwargs)

    monkeypatch.setattr(layers.Layer, "__call__", told)
    return asked


def test_of_a_layer_that_needs_no_more_its_call_alone_is_run(calls):
    network = chain(layers.Conv2D(2, 3), layers.Flatten(), Noisy(), layers.Dense(1))
    calls.clear()
    with random.scope(random.Generator(0, "test")):
        Net(network, True)(torch.ones(2, 4, 4, 1))
    assert calls == ["Noisy", "Dropout"]


@pytest.mark.parametrize(
    "x", [torch.ones(2, 4, 4, dtype=torch.float32), torch.ones(2, 4, 4, 1).int()]
)
def test_what_a_network_was_not_built_for_is_made_so_by_keras(calls, x):
    network = chain(layers.Flatten(), layers.Dense(1))
    calls.clear()
    assert Net(network, True)(x).shape == (2, 1)
    assert calls[0] == "Sequential"


@pytest.mark.parametrize("kind", ["forward_pre", "forward", "full_backward_pre", "full_backward"])
@pytest.mark.parametrize("which", ["layer", "network", "everywhere"])
def test_hooks_of_pytorch_are_called(kind, which):
    network, seen = chain(layers.Flatten(), layers.Dense(1)), []
    if which == "everywhere":
        register = getattr(torch.nn.modules.module, f"register_module_{kind}_hook")
    else:
        hooked = {"layer": network.layers[1], "network": network}[which]
        register = getattr(hooked, f"register_{kind}_hook")
    handle = register(lambda *args: seen.append(args[0]))
    try:
        Net(network, True)(torch.ones(2, 4, 4, 1, requires_grad=True)).sum().backward()
    finally:
        handle.remove()
    assert seen


def test_wrong_shapes_are_refused_by_keras():
    with pytest.raises(ValueError, match="shape"):
        Net(chain(layers.Flatten(), layers.Dense(1)), True)(torch.ones(2, 5, 5, 1))
