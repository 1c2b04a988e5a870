"""The networks that models share."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from zoo.errors import ZooError
from zoo.nn import networks

PICTURE = (8, 12, 1)


def shapes(outputs):
    return [tuple(out.shape) for out in (outputs if isinstance(outputs, list) else [outputs])]


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("make", [networks.dense_encoder, networks.conv_encoder])
def test_an_encoder_gives_each_head_a_vector(make, classes):
    encoder = make(PICTURE, (4, 6), {"mean": 2, "log_var": 5}, classes=classes)
    x, labels = np.zeros((3, *PICTURE), "float32"), np.array([0, 1, 2], "int32")
    assert shapes(encoder([x, labels] if classes else x)) == [(3, 2), (3, 5)]


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("make", [networks.dense_decoder, networks.conv_decoder])
def test_a_decoder_gives_each_parameter_the_shape_of_an_example(make, classes):
    decoder = make(5, (4, 6), PICTURE, classes=classes, parameters=2)
    z, labels = np.zeros((3, 5), "float32"), np.array([0, 1, 2], "int32")
    assert shapes(decoder([z, labels] if classes else z)) == [(3, *PICTURE)] * 2


@pytest.mark.parametrize("make", [networks.dense_encoder, networks.conv_encoder])
def test_a_conditional_network_tells_labels_apart(make):
    encoder = make(PICTURE, (4,), {"logit": 1}, classes=2)
    x = np.ones((2, *PICTURE), "float32")
    zero, one = keras.ops.convert_to_numpy(encoder([x, np.array([0, 1], "int32")]))
    assert zero != one


def test_dense_layers_between_maps_and_vectors():
    encoder = networks.conv_encoder(PICTURE, (4, 6), {"logit": 1}, units=(7,))
    assert encoder.get_layer("maps").output.shape == (None, 2 * 3 * 6)
    assert encoder.get_layer("features").output.shape == (None, 7)
    decoder = networks.conv_decoder(5, (4, 6), PICTURE, units=(7,))
    units = [layer.units for layer in decoder.layers if isinstance(layer, keras.layers.Dense)]
    assert units == [7, 2 * 3 * 6]


def test_vectors_need_no_reshaping():
    assert networks.dense_encoder((2,), (3,), {"logit": 1}).output_shape == (None, 1)
    assert networks.dense_decoder(4, (3,), (2,)).output_shape == (None, 2)


def test_the_decoder_of_a_generator_ends_in_its_range():
    generator = networks.conv_decoder(2, (4,), PICTURE, activation="tanh")
    z = 1e3 * np.ones((1, 2), "float32")
    assert np.abs(generator.predict(z, verbose=0)).max() <= 1


def test_style_counts_in_every_layer():
    style = networks.Style("leaky_relu", "batch", dropout=0.5)
    kinds = [
        type(layer).__name__
        for layer in networks.dense_encoder((2,), (3, 3), {"a": 1}, style).layers
    ]
    assert kinds.count("BatchNormalization") == kinds.count("Dropout") == 2
    dense = [
        layer
        for layer in networks.dense_encoder((2,), (3,), {"a": 1}, style).layers
        if hasattr(layer, "use_bias")
    ]
    assert [layer.use_bias for layer in dense] == [False, True]


def test_maps_halve_evenly_or_are_refused():
    assert networks.maps((28, 28, 1), 2) == [(14, 14), (7, 7)]
    assert networks.halvings((28, 28, 1)) == 2
    assert networks.halvings((32, 32, 3)) == 3
    assert networks.halvings((64, 64, 3)) == 4
    with pytest.raises(ZooError, match=r"28 x 28 pictures halve evenly 2 times: .* not in 3"):
        networks.maps((28, 28, 1), 3)
    with pytest.raises(ZooError, match="not in 0"):
        networks.maps((28, 28, 1), 0)
    with pytest.raises(ZooError, match=r"convolutions need pictures .*, not \(2,\)"):
        networks.maps((2,), 1)
    with pytest.raises(ZooError, match="even and above 4"):
        networks.halvings((7, 7, 1))


def test_an_unknown_normalization_is_named():
    with pytest.raises(ZooError, match="batch"):
        networks.Style(normalization="bach")
