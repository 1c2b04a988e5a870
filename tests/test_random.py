"""Random numbers from a counter: the same bits everywhere, each a function of its place."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from zoo import random
from zoo.random import Generator

VECTORS = [  # threefry2x32 with 20 rounds: kat_vectors of Random123
    ((0x00000000, 0x00000000), (0x00000000, 0x00000000), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]


def generators(**options):
    """The same generator drawing through ``keras.ops`` and on the host."""
    return [Generator(3, "test", on_host=on_host, **options) for on_host in (False, True)]


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def words(xp, pair):
    array = np.array(pair, "uint32").view("int32")
    return tuple(xp.array([word]) for word in array)


@pytest.mark.parametrize(("key", "counter", "expected"), VECTORS)
@pytest.mark.parametrize("xp", [np, ops], ids=["numpy", "ops"])
def test_known_answers(xp, key, counter, expected):
    found = random.threefry(xp, words(xp, key), words(xp, counter))
    assert tuple(numpy(word).view("uint32")[0] for word in found) == expected


def test_the_host_generator_is_numpys_philox_keyed_by_names():
    assert random.host(0, "a", 1).random_raw(2).tolist() == [
        14199303159782759140,
        10486586384491682719,
    ]
    keys = [(0, "a", 1), (1, "a", 1), (0, "b", 1), (0, "a", 2), (0, "a", "1"), (0, "a1")]
    assert len({random.host(*key).random_raw() for key in keys}) == len(keys)


def test_a_host_permutation_is_one_and_keeps_to_its_seed():
    order = random.host_permutation(0, 1000, "order", 1)
    assert order.dtype == np.int64
    assert sorted(order) == list(range(1000))
    assert (order == random.host_permutation(0, 1000, "order", 1)).all()
    assert (order != random.host_permutation(0, 1000, "order", 2)).any()
    assert (order != np.arange(1000)).any()


@pytest.mark.parametrize("shape", [(5, 3), (1, 1), (4, 2, 3), (6,), (2, 0)])
def test_host_and_ops_draw_the_same(shape):
    there, here = generators(step=2, first_row=7)
    np.testing.assert_array_equal(numpy(there.uniform(shape)), numpy(here.uniform(shape)))
    np.testing.assert_allclose(  # the bits are the same; a logarithm may round otherwise
        numpy(there.normal(shape)), numpy(here.normal(shape)), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(
        numpy(there.integers(shape, -3, 9)), numpy(here.integers(shape, -3, 9))
    )
    np.testing.assert_array_equal(
        numpy(there.bernoulli(shape, 0.3)), numpy(here.bernoulli(shape, 0.3))
    )
    np.testing.assert_array_equal(numpy(there.permutation(50)), numpy(here.permutation(50)))


def test_numbers_are_those_ever_drawn():
    """They come again in years to come: a change here changes every experiment."""
    rng = Generator(0, "train")
    uniform = numpy(rng.uniform((2, 2)))
    normal = numpy(rng.normal((1, 3)))
    assert uniform.ravel().tolist() == pytest.approx(
        [0.9147132039070129, 0.620339572429657, 0.7861142754554749, 0.5677505135536194], abs=1e-7
    )
    assert normal.ravel().tolist() == pytest.approx(
        [-0.619785487651825, -0.722186803817749, 0.144248366355896], abs=1e-5
    )


@pytest.mark.parametrize("on_host", [False, True])
def test_a_rows_noise_is_its_own(on_host):
    """Of examples 4 to 8, whether drawn with others or alone: batches and devices may divide."""
    whole = Generator(0, "train", step=3, on_host=on_host)
    part = Generator(0, "train", step=3, first_row=4, on_host=on_host)
    shape, all_shape = (4, 5), (8, 5)
    np.testing.assert_array_equal(numpy(whole.uniform(all_shape))[4:], numpy(part.uniform(shape)))
    np.testing.assert_allclose(  # vectors of another length may round otherwise
        numpy(whole.normal(all_shape))[4:], numpy(part.normal(shape)), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(
        numpy(whole.bernoulli(all_shape, 0.5))[4:], numpy(part.bernoulli(shape, 0.5))
    )


def test_step_and_first_row_may_be_tensors():
    plain = Generator(0, "train", step=3, first_row=4)
    step, row = (ops.convert_to_tensor(np.int32(value)) for value in (3, 4))
    tensors = Generator.of_key(random.key(0, "train"), step, row)
    np.testing.assert_array_equal(numpy(plain.uniform((2, 2))), numpy(tensors.uniform((2, 2))))


def test_every_place_has_numbers_of_its_own():
    rng = Generator(0, "train")
    drawn = [numpy(rng.uniform((3, 4))) for _ in range(3)]  # calls
    drawn += [numpy(Generator(0, "train", step=step).uniform((3, 4))) for step in (1, 2)]
    drawn += [numpy(Generator(seed, "train").uniform((3, 4))) for seed in (1, -1)]
    drawn += [numpy(Generator(0, "evaluate").uniform((3, 4)))]
    together = np.concatenate([array.ravel() for array in drawn])
    assert len(np.unique(together)) == len(together)


def test_moments_and_ranges():
    rng = Generator(1, "moments")
    uniform = numpy(rng.uniform((500, 400)))
    assert uniform.dtype == np.float32
    assert 0 < uniform.min() < 1e-4 and 1 - 1e-4 < uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=3e-3)
    assert uniform.var() == pytest.approx(1 / 12, abs=1e-3)
    normal = numpy(rng.normal((500, 400))).astype("float64")
    assert normal.mean() == pytest.approx(0, abs=0.01)
    assert normal.var() == pytest.approx(1, abs=0.02)
    assert (normal**4).mean() == pytest.approx(3, abs=0.1)
    assert np.abs(normal).max() < 5.8
    # pairs share a radius, so their halves are looked at together
    first, second = normal[:, :200].ravel(), normal[:, 200:].ravel()
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0, abs=0.02)
    assert np.corrcoef(first**2, second**2)[0, 1] == pytest.approx(0, abs=0.02)
    assert numpy(rng.uniform((100, 100), -2.0, 3.0)).mean() == pytest.approx(0.5, abs=0.1)
    assert numpy(rng.normal((100, 100), 5.0, 0.1)).std() == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("on_host", [False, True])
def test_the_interval_is_open(on_host):
    rng = Generator(0, "ends", on_host=on_host)
    bits = np.array([[0, -1, 2**31 - 1, -(2**31)]], "int32")
    unit = numpy(rng._in_unit(bits if on_host else ops.convert_to_tensor(bits)))
    assert (unit > 0).all() and (unit < 1).all()


def test_integers():
    rng = Generator(2, "integers")
    drawn = numpy(rng.integers((1000, 20), -2, 5))
    assert drawn.dtype == np.int32
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == list(range(-2, 5))
    expected = drawn.size / 7
    assert (((counts - expected) ** 2) / expected).sum() < 22.5  # chi-square, p = 0.001
    assert (numpy(rng.integers((5, 5), 3, 4)) == 3).all()
    large = numpy(rng.integers((100, 100), 0, 2**23))
    assert large.min() >= 0 and large.max() < 2**23
    for low, high in [(3, 3), (4, 3), (0, 2**23 + 1)]:
        with pytest.raises(ValueError, match="integers needs"):
            rng.integers((1,), low, high)


@pytest.mark.parametrize("on_host", [False, True])
def test_bernoulli(on_host):
    rng = Generator(3, "bernoulli", on_host=on_host)
    for p in (0.1, 0.5, 0.75):
        drawn = numpy(rng.bernoulli((500, 7, 57), p))
        assert drawn.dtype == np.bool_
        deviation = np.sqrt(p * (1 - p) / drawn.size)
        assert drawn.mean() == pytest.approx(p, abs=4 * deviation)
        # the four quarters of a row come from the same counters
        quarters = drawn.reshape(500, -1)[:, :396].reshape(500, 4, 99).transpose(1, 0, 2)
        agreement = np.corrcoef(quarters.reshape(4, -1))
        assert np.abs(agreement - np.eye(4)).max() < 0.02
    assert not numpy(rng.bernoulli((100, 100), 0.0)).any()
    assert numpy(rng.bernoulli((100, 100), 1.0)).all()


def test_bernoulli_compares_halves_of_the_known_words():
    """Key and counter 0 give 0x6b200159 and 0x99ba4efe, as above; a half is an int16."""
    halves = np.array([0x6B20, 0x0159, 0x99BA, 0x4EFE], "uint16").view("int16").astype(int)
    for threshold in (0x19BA, 0x19BB, 0x8159, 0x815A, 0xCEFF, 0xEB20, 0xEB21):
        drawn = numpy(Generator.of_key(np.int32(0)).bernoulli((1, 4), threshold / 65536))
        assert drawn.tolist() == [[half + 32768 < threshold for half in halves]]


def test_permutations():
    rng = Generator(0, "permutation")
    drawn = numpy(rng.permutation(100))
    assert drawn.dtype == np.int32
    assert sorted(drawn) == list(range(100))
    assert (drawn != numpy(rng.permutation(100))).any()


def test_shared_draws_have_no_rows():
    first, second = (Generator(0, "shared", first_row=row) for row in (0, 64))
    np.testing.assert_array_equal(
        numpy(first.shared.normal((2, 3))), numpy(second.shared.normal((2, 3)))
    )
    assert first._calls == second._calls == 1
    assert (numpy(first.uniform((2, 3))) != numpy(second.uniform((2, 3)))).all()


def test_too_many_draws_are_refused():
    rng = Generator(0, "many", on_host=True)
    for _ in range(1024):
        rng.uniform((1,))
    with pytest.raises(ValueError, match="more than 1024 draws"):
        rng.uniform((1,))
    with pytest.raises(ValueError, match="numbers a row"):
        Generator(0, "wide").uniform((1, 2**23 + 1))


def test_calls_do_not_overlap():
    """The last call's counter is as far from the first's as any."""
    rng = Generator(0, "many", on_host=True)
    first = numpy(rng.uniform((1, 4)))
    rng._calls = 1023
    assert not np.intersect1d(first, numpy(rng.uniform((1, 4)))).size


def test_layers_draw_from_the_scope_and_only_there():
    rng = Generator(0, "scope")
    with pytest.raises(RuntimeError, match=r"zoo\.random\.scope"):
        random.current()
    with random.scope(rng):
        assert random.current() is rng
        with random.scope(Generator(1, "inner")) as inner:
            assert random.current() is inner
        assert random.current() is rng
    with pytest.raises(RuntimeError):
        random.current()
