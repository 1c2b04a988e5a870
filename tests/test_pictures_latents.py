"""Codes and the ways through them, by hand-worked values; and of small real models."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

import zoo
from zoo.datasets import Split
from zoo.nn.distributions import NormalMixture, StandardNormal, Uniform
from zoo.reports import latents
from zoo.reports.latents import Unable

pytestmark = pytest.mark.once_in_short

SHAPE, CLASSES = (4, 4, 1), 3


@pytest.fixture(scope="module")
def split():
    x = np.random.RandomState(0).randint(0, 256, (20, *SHAPE)).astype("uint8")
    return Split(x, (np.arange(20) % CLASSES).astype("int32"))


EMPTY = Split(np.zeros((0, *SHAPE), "uint8"))


def build(name, **settings):
    return zoo.build(zoo.model(name, **settings), zoo.DataSpec(SHAPE, classes=CLASSES))


@pytest.fixture(scope="module")
def vae():
    return build("vae", latent_dim=3, units=(8,))


def given(z, centre=0.0, spread=1.0, x=()):
    """Codes with a like centre and spread in all dimensions."""
    z = np.asarray(z, "float32")
    ones = np.ones(z.shape[1], "float32")
    return latents.Codes(z, None, x, centre * ones, spread * ones, False, "")


# --- where codes lie


def test_a_model_that_encodes_starts_from_the_codes_of_examples(vae, split):
    found = latents.codes(vae, split, n=7)
    np.testing.assert_allclose(found.z, vae.encode(split.x[:7]), atol=1e-6)
    assert (found.labels == split.y[:7]).all() and (found.x == split.x[:7]).all()
    assert found.size == 3 and not found.conditional
    assert (found.centre == 0).all() and (found.spread == 1).all() and found.unit == ""


def test_without_a_prior_the_codes_say_where_they_lie(split):
    found = latents.codes(build("ae", latent_dim=3, units=(8,)), split)
    np.testing.assert_allclose(found.centre, found.z.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.spread, found.z.std(axis=0), rtol=1e-5)
    assert found.unit == "in standard deviations of codes"


@pytest.mark.parametrize("prior", [StandardNormal(3), NormalMixture(3, components=2)])
@pytest.mark.parametrize("conditional", [False, True])
def test_a_model_that_does_not_encode_starts_from_the_noise_of_its_samples(conditional, prior):
    gan = build("gan", prior=prior, units=(8,), conditional=conditional)
    found = latents.codes(gan, EMPTY, n=5, seed=7)
    again = gan.decode(found.z, labels=found.labels)
    np.testing.assert_allclose(again, gan.sample(5, seed=7), atol=1e-6)
    assert found.x is None
    assert found.labels is None if not conditional else found.labels.tolist() == [0, 1, 2, 0, 1]


@dataclasses.dataclass(frozen=True)
class Bare(zoo.Model):
    """A model with none of the abilities."""

    def networks(self, data):
        return {"net": keras.Sequential([keras.Input(data.shape), keras.layers.Dense(1)])}

    def players(self):
        return {"player": ("net",)}

    def moves(self):
        return [self.square]

    def square(self, nets, batch, rng):
        return {"player": {"square": keras.ops.mean(nets.net(batch.x) ** 2, axis=(1, 2, 3))}}


class Decoder(Bare):
    """A model that decodes, but does not say from what."""

    def decode(self, nets, z, labels=None):
        return z


def test_what_cannot_be_shown_is_told_in_one_sentence(vae, split):
    spec = zoo.DataSpec(SHAPE)
    with pytest.raises(Unable, match=r"^Bare cannot decode, so that its latent space cannot"):
        latents.codes(zoo.build(Bare(), spec), split)
    with pytest.raises(Unable, match=r"^Decoder can neither encode nor has a prior"):
        latents.codes(zoo.build(Decoder(), spec), split)
    autoencoder = zoo.build(zoo.model("ae", latent_dim=2, units=(4,)), spec)
    with pytest.raises(Unable, match="no examples"):  # and no prior to draw codes from
        latents.codes(autoencoder, EMPTY)


def test_without_examples_codes_are_drawn_from_the_prior(vae):
    found = latents.codes(vae, EMPTY, n=5)
    assert found.x is None and found.z.shape == (5, found.size)
    np.testing.assert_array_equal(found.centre, 0)
    np.testing.assert_array_equal(found.spread, 1)


@pytest.mark.parametrize(
    ("prior", "spread"), [(Uniform(3), 3**-0.5), (NormalMixture(2, components=2, radius=5.0), 0)]
)
def test_a_prior_of_its_own_spread_says_what_a_deviation_is(prior, spread):
    model = zoo.build(zoo.model("gan", prior=prior, units=(4,)), zoo.DataSpec(SHAPE))
    found = latents.codes(model, EMPTY)
    assert found.unit == "in standard deviations of the prior"
    drawn = model.draw(latents.DRAWS)
    np.testing.assert_allclose(found.spread, drawn.std(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.centre, drawn.mean(axis=0), atol=1e-5)
    assert not spread or found.spread == pytest.approx(spread, abs=0.05)


# --- ways


def test_the_plane_is_at_quantiles_of_the_normal_distribution():
    z, quantiles = latents.plane(given([[0, 0]]), side=3)
    upper = 0.967422  # the 5/6 quantile
    np.testing.assert_allclose(quantiles, [-upper, 0, upper], atol=1e-6)
    assert z.shape == (3, 3, 2) and z.dtype == np.float32
    np.testing.assert_allclose(z[0, 0], [-upper, upper], atol=1e-6)  # top left
    np.testing.assert_allclose(z[2, 2], [upper, -upper], atol=1e-6)  # bottom right
    moved, _ = latents.plane(given([[0, 0]], centre=5, spread=2), side=3)
    np.testing.assert_allclose(moved, 5 + 2 * z, atol=1e-5)


def test_a_plane_has_two_dimensions():
    with pytest.raises(Unable, match="2 dimensions, and this one has 3"):
        latents.plane(given([[0, 0, 0]]), side=3)


def test_a_traversal_changes_one_dimension_of_one_code():
    code = np.array([10.0, 20.0, 30.0])
    values = np.array([-3.0, 0.0, 3.0])
    z = latents.traversal(code, given([code], centre=1, spread=2), [2, 0], values)
    assert z.tolist() == [
        [[10, 20, -5], [10, 20, 1], [10, 20, 7]],
        [[-5, 20, 30], [1, 20, 30], [7, 20, 30]],
    ]


def test_dimensions_are_in_the_order_of_what_they_say():
    codes = given(np.array([[0, 5, 1, -9], [0, -5, 2, 9]]))
    assert latents.by_say(codes, np.array([0.5, 0.1, 2.0, 0.5]), True) == [2, 0, 3, 1]
    assert latents.by_say(codes, None, True) == [3, 1, 2, 0]
    assert latents.by_say(codes, None, False) == [0, 1, 2, 3]


SHARES = np.array([0.0, 1 / 3, 1.0])


def test_linear_interpolation():
    z = latents.linear(np.array([[0.0, 3.0]]), np.array([[6.0, 0.0]]), SHARES)
    np.testing.assert_allclose(z, [[[0, 3], [2, 2], [6, 0]]], atol=1e-6)
    assert z.dtype == np.float32


def test_spherical_interpolation_keeps_to_the_circle():
    z = latents.spherical(np.array([[2.0, 0.0]]), np.array([[0.0, 2.0]]), SHARES)
    expected = [[2, 0], [np.sqrt(3), 1], [0, 2]]  # 0, 30 and 90 degrees
    np.testing.assert_allclose(z, [expected], atol=1e-6)
    noise = np.random.RandomState(0).normal(size=(2, 6, 100))
    noise /= np.linalg.norm(noise, axis=-1, keepdims=True)
    lengths = np.linalg.norm(latents.spherical(*noise, np.linspace(0, 1, 9)), axis=-1)
    np.testing.assert_allclose(lengths, 1, atol=1e-6)


def test_spherical_interpolation_where_there_is_no_angle():
    a = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    b = np.array([[3.0, 3.0], [-1.0, 0.0], [1.0, 2.0]])  # along it, against it, from nowhere
    np.testing.assert_allclose(
        latents.spherical(a, b, SHARES), latents.linear(a, b, SHARES), atol=1e-6
    )


def test_pairs_are_neighbours_and_of_one_label_where_asked():
    order = np.array([4, 2, 0, 1, 3])
    assert latents.pairs(order, 9).tolist() == [[4, 2], [0, 1]]
    assert latents.pairs(order, 1).tolist() == [[4, 2]]
    labels = np.array([0, 1, 1, 0, 2])
    assert latents.pairs(order, 9, labels).tolist() == [[2, 1], [0, 3]]
    assert latents.pairs(order[:1], 9).shape == (0, 2)


def test_principal_components():
    t = np.linspace(-1, 1, 9)
    z = np.stack([0 * t, 3 * t, 4 * t, t**2], axis=1)  # on a parabola over (3, 4)
    points, share = latents.principal(z)
    np.testing.assert_allclose(points[:, 0], 5 * t, atol=1e-5)
    np.testing.assert_allclose(points[:, 1], t**2 - (t**2).mean(), atol=1e-5)
    assert share == pytest.approx(1)
