"""Pictures spoilt and made whole."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from zoo.errors import ZooError
from zoo.reports import restoration

pytestmark = pytest.mark.once_in_short

SHAPE = (1000, 6, 8, 1)


def test_noise_has_its_deviation_and_pictures_stay_pictures():
    grey = np.full(SHAPE, 128, "uint8")
    spoilt = restoration.noisy(grey, 0.1)
    assert spoilt.dtype == np.float32
    assert spoilt.std() == pytest.approx(0.1, rel=0.02)
    assert spoilt.mean() == pytest.approx(128 / 255, abs=0.002)
    strong = restoration.noisy(grey, 2.0)
    assert strong.min() == 0 and strong.max() == 1
    assert (restoration.noisy(grey, 0.1) == spoilt).all()
    assert (restoration.noisy(grey, 0.1, seed=1) != spoilt).any()


def test_noise_on_vectors_has_no_limits():
    spoilt = restoration.noisy(np.zeros((1000, 2), "float32"), 3.0)
    assert spoilt.min() < -3 and spoilt.max() > 3


@pytest.mark.parametrize(
    ("what", "inside", "outside"),
    [
        ("left", (slice(None), slice(0, 4)), (slice(None), slice(4, 8))),
        ("right", (slice(None), slice(4, 8)), (slice(None), slice(0, 4))),
        ("top", (slice(0, 3), slice(None)), (slice(3, 6), slice(None))),
        ("bottom", (slice(3, 6), slice(None)), (slice(0, 3), slice(None))),
    ],
)
def test_halves(what, inside, outside):
    hidden = restoration.mask((2, 6, 8, 3), what)
    assert hidden.shape == (2, 6, 8, 1)
    assert hidden[:, *inside].all() and not hidden[:, *outside].any()


def test_the_centre_has_half_the_sides():
    hidden = restoration.mask((2, 6, 8, 1), "centre")
    assert hidden.sum() == 2 * 3 * 4
    assert hidden[:, 1:4, 2:6].all()


def test_a_share_of_the_pixels():
    hidden = restoration.mask(SHAPE, "0.3")
    assert hidden.mean() == pytest.approx(0.3, abs=0.01)
    assert (hidden[0] != hidden[1]).any()


@pytest.mark.parametrize("what", ["0", "1", "1.5", "-0.2", "nan", "half", ""])
def test_what_is_no_mask(what):
    with pytest.raises(ZooError, match=r"left, right, top, bottom, centre or a share .* not '"):
        restoration.mask(SHAPE, what)
    with pytest.raises(ZooError, match="did you mean 'right'"):
        restoration.mask(SHAPE, "rigth")


@dataclasses.dataclass(frozen=True)
class Mean(zoo.Model):
    """Reconstructs every picture as its mean, half of the way."""

    def networks(self, data):
        return {"net": keras.Sequential([keras.Input(data.shape), keras.layers.Dense(1)])}

    def players(self):
        return {"player": ("net",)}

    def moves(self):
        return [self.error]

    def error(self, nets, batch, rng):
        return {"player": {"error": ops.mean(nets.net(batch.x) ** 2, axis=(1, 2, 3))}}

    def reconstruct(self, nets, x, labels=None):
        return (x + ops.mean(x, axis=(1, 2, 3), keepdims=True)) / 2


def test_completion_goes_to_where_reconstruction_no_longer_changes_it():
    x = np.full((1, 4, 4, 1), 0.8, "float32")
    x[:, :, :2] = 0.1  # hidden, and to be like the rest
    model = zoo.build(Mean(), zoo.DataSpec((4, 4, 1)))
    hidden = restoration.mask(x.shape, "left")
    assert (restoration.covered(x, hidden)[:, :, :2] == 0.5).all()
    whole = restoration.completed(model, x, hidden)
    np.testing.assert_allclose(whole, 0.8, atol=1e-4)
    assert (whole[:, :, 2:] == x[:, :, 2:]).all()
