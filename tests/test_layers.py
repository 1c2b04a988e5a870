"""Layers whose noise comes from the step's counter."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from zoo import random
from zoo.layers import Dropout
from zoo.random import Generator


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_dropout_is_the_same_units_everywhere():
    layer = Dropout(0.25)
    x = np.ones((200, 100), "float32")
    with random.scope(Generator(0, "dropout")):
        y = numpy(layer(x, training=True))
    kept = numpy(Generator(0, "dropout").uniform(x.shape)) >= 0.25
    np.testing.assert_allclose(y, kept / np.float32(0.75))
    assert kept.mean() == pytest.approx(0.75, abs=0.01)
    np.testing.assert_array_equal(numpy(layer(x)), x)
    assert layer.compute_output_shape((3, 4)) == (3, 4)


def test_dropout_refuses_a_wrong_rate_and_is_saved():
    for rate in (1.0, -0.1):
        with pytest.raises(ValueError, match=r"in \[0, 1\)"):
            Dropout(rate)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Dropout(0.1)))
    assert isinstance(again, Dropout) and again.rate == 0.1
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(numpy(Dropout(0.0)(x, training=True)), x)  # needs no scope
