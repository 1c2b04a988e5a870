"""Data that are made: points in the plane, stacked digits, sprites."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.datasets import Access, Grid, Moons, Ring, Sprites, StackedMNIST, SwissRoll, mnist
from zoo.datasets.draws import Draws
from zoo.datasets.sprites import FACTORS, render
from zoo.errors import ZooError
from zoo.plugin.model import DataSpec

pytestmark = pytest.mark.backend_free


@pytest.mark.parametrize(
    ("dataset", "classes"), [(Ring, 8), (Grid, 25), (Moons, 2), (SwissRoll, 0)]
)
def test_points(dataset, classes):
    data = dataset(n=5000, held_out=1000).load()
    assert data.spec == DataSpec((2,), classes=classes)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [5000, 1000, 1000]
    assert data.train.x.dtype == np.float32 and data.train.x.shape == (5000, 2)
    assert dataset(n=5000, held_out=1000).load().fingerprint == data.fingerprint
    assert dataset(n=5000, held_out=1000, seed=1).load().fingerprint != data.fingerprint
    assert (data.test.x != data.train.x[:1000]).all(1).mean() > 0.99
    # the first points do not depend on how many there are
    np.testing.assert_array_equal(dataset(n=5000, held_out=10).load().train.x, data.train.x)


@pytest.mark.parametrize(
    ("dataset", "corners", "stddev"),
    [
        (Ring, {0: (1, 0), 1: (0.5**0.5, 0.5**0.5), 2: (0, 1), 4: (-1, 0)}, 0.01),
        (Grid, {0: (-4, -4), 4: (-4, 4), 12: (0, 0), 24: (4, 4)}, 0.05),
    ],
)
def test_mixtures_say_their_modes(dataset, corners, stddev):
    data = dataset(n=50_000).load()
    assert data.modes.stddev == stddev
    assert data.modes.centres.dtype == np.float32
    for mode, centre in corners.items():
        np.testing.assert_allclose(data.modes.centres[mode], centre, atol=1e-6)
    away = (data.train.x - data.modes.centres[data.train.y]) / stddev
    assert abs(away.mean()) < 0.02 and abs(away.std() - 1) < 0.02
    assert abs(np.corrcoef(away.T)[0, 1]) < 0.02
    share = np.bincount(data.train.y) / 50_000 * data.spec.classes
    np.testing.assert_allclose(share, 1, atol=0.1)


def test_moons():
    data = Moons(n=2000, noise=0).load()
    upper, lower = data.train.x[data.train.y == 0], data.train.x[data.train.y == 1]
    np.testing.assert_allclose((upper**2).sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(((lower - [1, 0.5]) ** 2).sum(1), 1, atol=1e-6)
    assert upper[:, 1].min() >= 0 and lower[:, 1].max() <= 0.5
    noisy = Moons(n=2000, noise=0.2).load().train.x
    assert 0.15 < (noisy - data.train.x).std() < 0.25
    with pytest.raises(ZooError, match="Moons: noise is in"):
        Moons(noise=-1)


def test_swiss_roll_says_where_along_it():
    train = SwissRoll(n=2000, noise=0).load().train
    t = train.factors
    assert t.shape == (2000, 1) and t.dtype == np.float32
    assert 1.5 * np.pi < t.min() < t.max() < 4.5 * np.pi
    np.testing.assert_allclose(np.linalg.norm(train.x, axis=1), t[:, 0] / 5, rtol=1e-5)
    np.testing.assert_allclose(train.x[:, 0] * 5, (t * np.cos(t))[:, 0], atol=1e-4)
    assert train.first(7).factors.shape == (7, 1)
    assert SwissRoll().load().train.y is None


def test_draws_are_those_of_every_release():
    draws = Draws(0, "test")
    np.testing.assert_allclose(draws.uniform(3), UNIFORM, rtol=1e-15)
    np.testing.assert_allclose(draws.normal((1, 2)), NORMAL, rtol=1e-12)
    assert draws.integers(8, 10).tolist() == INTEGERS
    many = Draws(1).integers(100_000, 7)
    assert many.dtype == np.int32 and (many.min(), many.max()) == (0, 6)


UNIFORM = [0.43605966175612526, 0.5556907996229594, 0.7409049150548175]
NORMAL = [[-0.6402040732880924, 0.7614924175585106]]
INTEGERS = [1, 3, 4, 3, 5, 1, 4, 0]


# Stacked MNIST, of the digits that stand in for it.


@pytest.fixture
def access(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("ZOO_DATA", raising=False)
    monkeypatch.setattr(mnist, "MIRRORS", (("http://127.0.0.1:9/", ("mnist.npz",)),))
    return Access(data_dir=tmp_path, say=lambda line: None)


def test_stacked_mnist(access):
    digits = mnist.MNIST().load(access)
    data = StackedMNIST(n=3000, held_out=100).load(access)
    assert data.name == "stacked digits (stand-in for mnist)"
    assert data.spec == DataSpec((28, 28, 3), classes=1000)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [3000, 100, 100]
    assert data.train.y.min() >= 0 and data.train.y.max() <= 999
    assert data.train.x[:7].shape == (7, 28, 28, 3)
    for split, of in ((data.train, digits.train), (data.test, digits.test)):
        for place, channel in ((100, 0), (10, 1), (1, 2)):
            wanted = of.x[of.y == split.y[5] // place % 10]
            assert (split.x[5][None, :, :, channel] == wanted[..., 0]).all((1, 2)).any()
    assert StackedMNIST(n=3000, held_out=100).load(access).fingerprint == data.fingerprint
    other = StackedMNIST(n=3000, held_out=100, seed=1).load(access)
    assert other.fingerprint != data.fingerprint


def test_stacked_mnist_refuses_to_stand_in(tmp_path, access):
    with pytest.raises(ZooError, match="--strict-data"):
        StackedMNIST().load(Access(data_dir=tmp_path, strict=True))


# Sprites.


def sprite(size=64, **factors):
    row = [factors.get(name, 0) for name in FACTORS]
    return render(np.array([row]), size)[0, :, :, 0]


def middle(picture):
    rows, columns = np.nonzero(picture)
    return columns.mean() + 0.5, rows.mean() + 0.5


def test_sprites():
    data = Sprites(n=500, held_out=50).load()
    assert data.spec == DataSpec((64, 64, 1), classes=3)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [500, 50, 50]
    train = data.train
    assert train.factors.shape == (500, 5) and train.factors.dtype == np.int32
    assert (train.factors.min(0) == 0).all()
    assert (train.factors.max(0) == np.array(list(FACTORS.values())) - 1).all()
    np.testing.assert_array_equal(train.y, train.factors[:, 0])
    np.testing.assert_array_equal(train.x[7], render(train.factors[7:8], 64)[0])
    everything = np.concatenate([s.factors for s in (train, data.validation, data.test)])
    assert len(np.unique(everything, axis=0)) == 600
    assert Sprites(n=500, held_out=50).load().fingerprint == data.fingerprint
    assert Sprites(n=500, held_out=50, seed=1).load().fingerprint != data.fingerprint
    assert Sprites(n=500, held_out=50, size=32).load().spec.shape == (32, 32, 1)


def test_sprites_move_with_x_and_y():
    left, right = middle(sprite(x=0, scale=5)), middle(sprite(x=31, scale=5))
    up, down = middle(sprite(y=0, scale=5)), middle(sprite(y=31, scale=5))
    assert left == pytest.approx((16, 16), abs=0.5)
    assert right == pytest.approx((48, 16), abs=0.5)
    assert up == pytest.approx((16, 16), abs=0.5)
    assert down == pytest.approx((16, 48), abs=0.5)


def test_sprites_have_the_areas_of_their_shapes():
    at = {"x": 16, "y": 16, "size": 256}
    side = 0.2 * 256  # the radius of the largest sprite in pixels
    areas = [(sprite(shape=shape, scale=5, **at) > 0).sum() / side**2 for shape in range(3)]
    assert areas[0] == pytest.approx(1.6**2, rel=0.03)
    assert areas[1] == pytest.approx(np.pi * 3.3**-0.5, rel=0.03)
    assert areas[2] == pytest.approx(3.66 / 1.15**2, rel=0.03)
    half = (sprite(shape=0, scale=0, **at) > 0).sum() / side**2
    assert half == pytest.approx(areas[0] / 4, rel=0.03)


def test_sprites_turn():
    at = {"scale": 5, "x": 16, "y": 16}
    np.testing.assert_array_equal(sprite(**at), sprite(orientation=10, **at))
    assert (sprite(**at) != sprite(orientation=5, **at)).any()
    flat, upright = (sprite(shape=1, orientation=o, **at) for o in (0, 10))
    assert np.ptp(np.nonzero(flat)[1]) > 1.5 * np.ptp(np.nonzero(flat)[0])
    assert np.ptp(np.nonzero(upright)[0]) > 1.5 * np.ptp(np.nonzero(upright)[1])


def test_every_sprite_is_whole():
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(0, k, 2000) for k in FACTORS.values()], axis=1)
    x = render(factors, 64)
    assert set(np.unique(x)) == {0, 255}
    assert (x > 0).sum((1, 2, 3)).min() > 20
    assert not x[:, 0].any() and not x[:, -1].any()
    assert not x[:, :, 0].any() and not x[:, :, -1].any()


def test_settings_are_checked():
    with pytest.raises(ZooError, match="Sprites: n is an integer, from 1 to 717,280"):
        Sprites(n=737_280)
    with pytest.raises(ZooError, match="Ring: n is an integer, at least 1"):
        Ring(n=0)
    with pytest.raises(ZooError, match="StackedMNIST: held_out"):
        StackedMNIST(held_out=0)
