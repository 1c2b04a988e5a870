"""The networks that models share."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest

from zoo.errors import ZooError
from zoo.nn import networks

pytestmark = pytest.mark.once_in_short

PICTURE = (8, 12, 1)


def shapes(outputs):
    return [tuple(out.shape) for out in (outputs if isinstance(outputs, list) else [outputs])]


KINDS = {"dense": {"units": (4, 6)}, "convolutional": {"filters": (4, 6)}}


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_gives_a_vector_for_each_output(kind, classes):
    outputs = {"mean": 2, "log_var": (5,)}
    encoder = networks.encoder(shape=PICTURE, outputs=outputs, num_classes=classes, **KINDS[kind])
    x, labels = np.zeros((3, *PICTURE), "float32"), np.array([0, 1, 2], "int32")
    assert shapes(encoder([x, labels] if classes else x)) == [(3, 2), (3, 5)]


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_a_decoder_gives_an_example_for_each_output(kind, classes):
    outputs = {"mean": PICTURE, "log_var": PICTURE}
    decoder = networks.decoder(shape=(5,), outputs=outputs, num_classes=classes, **KINDS[kind])
    z, labels = np.zeros((3, 5), "float32"), np.array([0, 1, 2], "int32")
    assert shapes(decoder([z, labels] if classes else z)) == [(3, *PICTURE)] * 2


@pytest.mark.parametrize("classes", [0, 3])
def test_a_translator_gives_pictures_of_the_same_size(classes):
    outputs = (*PICTURE[:2], 3)
    options = {"shape": PICTURE, "filters": (4, 6), "outputs": outputs, "num_classes": classes}
    translator = networks.translator(**options)
    x, labels = np.ones((2, *PICTURE), "float32"), np.array([0, 1], "int32")
    found = keras.ops.convert_to_numpy(translator([x, labels] if classes else x))
    assert found.shape == (2, *outputs) and np.abs(found).max() <= 1
    assert (np.abs(found[0] - found[1]).max() > 1e-6) == bool(classes)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: networks.generator(shape=PICTURE, outputs=PICTURE), r"such as shape=\(16,\), not"),
        (lambda: networks.decoder(shape=(), outputs=PICTURE), "takes vectors"),
        (
            lambda: networks.translator(shape=PICTURE, filters=(4,), outputs=(4, 6, 1)),
            r"such as outputs=\(8, 12, 3\), not \(4, 6, 1\)",
        ),
        (
            lambda: networks.translator(shape=(2,), filters=(4,), outputs=(2,)),
            r"convolutions need pictures \(height, width, channels\), not \(2,\)",
        ),
    ],
)
def test_shapes_that_do_not_suit_are_refused(make, said):
    with pytest.raises(ZooError, match=said):
        make()


@pytest.mark.parametrize("kind", KINDS)
def test_an_output_without_a_shape_is_one_number(kind):
    outputs = {"mean": PICTURE, "log_var": ()}
    decoder = networks.decoder(shape=(5,), outputs=outputs, **KINDS[kind])
    mean, log_var = decoder(np.random.default_rng(0).normal(size=(3, 5)).astype("float32"))
    assert mean.shape == log_var.shape
    assert np.ptp(keras.ops.convert_to_numpy(log_var)) == 0
    assert decoder.trainable_variables[-1].shape == ()


@pytest.mark.parametrize("kind", KINDS)
def test_one_output_is_a_tensor(kind):
    assert networks.encoder(shape=PICTURE, outputs=3, **KINDS[kind]).output_shape == (None, 3)
    decoder = networks.decoder(shape=(5,), outputs=PICTURE, **KINDS[kind])
    assert decoder.output_shape == (None, *PICTURE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_conditional_network_tells_labels_apart(kind):
    judge = networks.discriminator(shape=PICTURE, num_classes=2, **KINDS[kind])
    x = np.ones((2, *PICTURE), "float32")
    zero, one = keras.ops.convert_to_numpy(judge([x, np.array([0, 1], "int32")]))
    assert zero != one


def test_layers_are_in_the_order_that_data_pass_them():
    encoder = networks.encoder(shape=PICTURE, filters=(4, 6), units=(7,), outputs=1)
    assert encoder.get_layer("maps").output.shape == (None, 2 * 3 * 6)
    assert encoder.get_layer("features").output.shape == (None, 7)
    decoder = networks.decoder(shape=(5,), units=(7,), filters=(6, 4), outputs=PICTURE)
    units = [layer.units for layer in decoder.layers if isinstance(layer, keras.layers.Dense)]
    assert units == [7, 2 * 3 * 6]
    doubling = [
        layer for layer in decoder.layers if isinstance(layer, keras.layers.Conv2DTranspose)
    ]
    assert [layer.filters for layer in doubling] == [4, 1]


def test_builders_take_keywords_alone():
    for builder in (
        networks.encoder,
        networks.decoder,
        networks.generator,
        networks.discriminator,
    ):
        kinds = {p.kind for p in inspect.signature(builder).parameters.values()}
        assert kinds == {inspect.Parameter.KEYWORD_ONLY}
        names = list(inspect.signature(builder).parameters)
        assert names[:3] == ["shape", "filters", "units"]


def test_vectors_need_no_reshaping():
    assert networks.discriminator(shape=(2,), units=(3,)).output_shape == (None, 1)
    assert networks.generator(shape=(4,), units=(3,), outputs=(2,)).output_shape == (None, 2)


def test_a_generator_of_pictures_ends_in_its_range():
    z = 1e3 * np.ones((1, 2), "float32")
    generator = networks.generator(shape=(2,), filters=(4,), outputs=PICTURE)
    assert np.abs(generator.predict(z, verbose=0)).max() <= 1
    points = networks.generator(shape=(2,), units=(4,), outputs=(2,))
    assert np.abs(points.predict(z, verbose=0)).max() > 1


def test_style_counts_in_every_layer():
    style = networks.Style("leaky_relu", "batch", dropout=0.5)
    encoder = networks.encoder(shape=(2,), units=(3, 3), outputs=1, style=style)
    kinds = [type(layer).__name__ for layer in encoder.layers]
    assert kinds.count("BatchNormalization") == kinds.count("Dropout") == 2
    dense = [layer for layer in encoder.layers if hasattr(layer, "use_bias")]
    assert [layer.use_bias for layer in dense] == [False, False, True]


def test_maps_halve_evenly_or_are_refused():
    assert networks.maps((28, 28, 1), 2) == [(14, 14), (7, 7)]
    assert networks.halvings((28, 28, 1)) == 2
    assert networks.halvings((32, 32, 3)) == 3
    assert networks.halvings((64, 64, 3)) == 4
    assert networks.doubled(8, (32, 32, 3)) == (8, 16, 32)
    assert networks.doubled(8, (2,)) == ()
    with pytest.raises(ZooError, match=r"28 x 28 pictures can be halved 2 times, .* not of 3"):
        networks.maps((28, 28, 1), 3)
    with pytest.raises(ZooError, match="not of 0"):
        networks.maps((28, 28, 1), 0)
    with pytest.raises(ZooError, match=r"convolutions need pictures .*, not \(2,\)"):
        networks.maps((2,), 1)
    with pytest.raises(ZooError, match="even and above 4"):
        networks.halvings((7, 7, 1))


def test_an_unknown_normalization_is_named():
    with pytest.raises(ZooError, match="batch"):
        networks.Style(normalization="bach")
