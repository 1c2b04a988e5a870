"""Samplers fitted to codes."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.errors import ZooError
from zoo.nn.samplers import GaussianMixture, Sampler
from zoo.runs import safetensors

pytestmark = pytest.mark.once_in_short


@pytest.fixture(scope="module")
def codes():
    """Two clouds: 300 codes about (10, 0) with deviations 1 and 2, 100 about (-10, 5)."""
    rng = np.random.default_rng(0)
    first = rng.normal((10, 0), (1, 2), (300, 2))
    second = rng.normal((-10, 5), (0.5, 0.5), (100, 2))
    return np.concatenate([first, second]).astype("float32")


def test_a_mixture_is_fitted_and_drawn_from(codes):
    drawn = GaussianMixture(components=2).fit(codes).draw(4000, seed=1)
    assert drawn.dtype == np.float32 and drawn.shape == (4000, 2)
    left = drawn[:, 0] < 0
    assert left.mean() == pytest.approx(0.25, abs=0.02)
    np.testing.assert_allclose(drawn[left].mean(axis=0), (-10, 5), atol=0.2)
    np.testing.assert_allclose(drawn[~left].std(axis=0), (1, 2), atol=0.2)


def test_of_labelled_codes_each_class_has_a_mixture_of_its_own(codes):
    labels = np.repeat([0, 4], [300, 100])
    sampler = GaussianMixture(components=2).fit(codes, labels=labels)
    wanted = np.arange(2000) % 2 * 4
    drawn = sampler.draw(2000, 1, wanted)
    assert (drawn[wanted == 0, 0] > 0).all() and (drawn[wanted == 4, 0] < 0).all()
    np.testing.assert_allclose(drawn[wanted == 4].mean(axis=0), (-10, 5), atol=0.2)
    np.testing.assert_array_equal(sampler.draw(5, 1, wanted[3:8], first=3), drawn[3:8])
    anything = sampler.draw(4000, 1)  # any class, in the proportions of the codes
    assert (anything[:, 0] < 0).mean() == pytest.approx(0.25, abs=0.02)
    unseen = sampler.draw(4000, 1, np.full(4000, 2))
    np.testing.assert_array_equal(unseen, anything)
    again = Sampler.of(sampler.arrays())
    np.testing.assert_array_equal(again.draw(9, 0, wanted[:9]), sampler.draw(9, 0, wanted[:9]))


def test_a_class_of_few_codes_has_fewer_components(codes):
    labels = np.zeros(400, "int32")
    labels[:2], labels[2] = 1, 2
    sampler = GaussianMixture(components=3).fit(codes, labels=labels)
    assert np.bincount(sampler.classes).tolist() == [3, 2]  # a single code shares those of all
    assert sampler.weights.sum() == pytest.approx(1)
    assert np.isfinite(sampler.draw(30, 0, np.arange(30) % 3)).all()


def test_draws_keep_to_their_seed_and_place(codes):
    sampler = GaussianMixture(components=2).fit(codes)
    many = sampler.draw(20, seed=3)
    np.testing.assert_array_equal(sampler.draw(5, seed=3), many[:5])
    assert (sampler.draw(20, seed=4) != many).any()


def test_what_is_saved_draws_the_same(codes, tmp_path):
    sampler = GaussianMixture(components=3).fit(codes)
    safetensors.write(tmp_path / "sampler.safetensors", sampler.arrays(), None)
    again = Sampler.of(safetensors.read(tmp_path / "sampler.safetensors")[0])
    np.testing.assert_array_equal(again.draw(9, seed=0), sampler.draw(9, seed=0))


@pytest.mark.parametrize("damage", ["shapes", "missing", "none", "text"])
def test_arrays_that_are_no_mixture_are_one_message(damage):
    good = {"weights": np.ones(1), "means": np.zeros((1, 2)), "factors": np.zeros((1, 2, 2))}
    damaged = {
        "shapes": {**good, "weights": np.ones(2)},
        "missing": {"weights": good["weights"]},
        "none": {**good, "means": np.full((1, 2), np.nan)},
        "text": {**good, "means": np.array([["a", "b"]])},
    }
    with pytest.raises(ZooError, match="holds no sampler"):
        Sampler.of(damaged[damage])


def test_too_few_codes_are_refused(codes):
    with pytest.raises(ZooError, match="cannot be fitted to 3 codes"):
        GaussianMixture(components=4).fit(codes[:3])
    with pytest.raises(ZooError, match="finite"):
        GaussianMixture(components=2).fit(np.full((9, 2), np.nan))
    with pytest.raises(ZooError, match="components is an integer, from 1 to 10,000"):
        GaussianMixture(components=0)
