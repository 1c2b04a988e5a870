"""Noise in loops: by index the same traced and not, and refused without one."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from zoo import random
from zoo.engine.backends import backend
from zoo.errors import ZooError
from zoo.nn.layers import Dropout
from zoo.random import Generator

STEPS, SHAPE = 4, (3, 2)


def made(**options):
    return Generator(0, "train", step=5, on_host=backend.draws_on_host, **options)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def start():
    return ops.convert_to_tensor(np.int32(0))


def fori(draw):
    return ops.fori_loop(0, STEPS, lambda i, total: total + draw(i), ops.zeros(SHAPE))


def whilst(draw):
    def body(i, total):
        return i + 1, total + draw(i)

    return ops.while_loop(lambda i, _: i < STEPS, body, (start(), ops.zeros(SHAPE)))[1]


def scan(draw):
    def body(total, i):
        total = total + draw(i)
        return total, total

    return ops.scan(body, ops.zeros(SHAPE), ops.arange(STEPS, dtype="int32"))[0]


def mapped(draw):
    return ops.sum(ops.map(draw, ops.arange(STEPS, dtype="int32")), axis=0)


LOOPS = [fori, whilst, scan, mapped]


def in_python(draw):
    return sum(draw(i) for i in range(STEPS))


def compiled(fn):
    """``fn()`` within one compiled function, where the backend compiles."""
    return backend.compiled([], lambda zero: fn() + zero)(ops.zeros(()))


@pytest.mark.parametrize("run", [lambda fn: fn(), compiled], ids=["eager", "compiled"])
@pytest.mark.parametrize("loop", LOOPS)
def test_an_index_has_the_same_noise_in_every_loop(loop, run):
    expected = in_python(lambda i: made().at(i).normal(SHAPE))

    def looped():
        rng = made()
        return loop(lambda i: rng.at(i).normal(SHAPE))

    np.testing.assert_allclose(numpy(run(looped)), numpy(expected), rtol=1e-4, atol=1e-5)


def test_numbers_of_an_index_and_of_a_fork_are_those_ever_drawn():
    """As in ``test_random``: a change here changes every experiment."""
    rng = made()
    drawn = [
        rng.at(2).uniform((1, 2)),
        rng.at(-1).at(7).uniform((1, 2)),
        rng.fork().uniform((1, 2)),
    ]
    expected = [[0.0212569, 0.8245746], [0.4553334, 0.3732104], [0.9815355, 0.7422965]]
    np.testing.assert_allclose([numpy(d)[0] for d in drawn], expected, atol=1e-7)


def test_host_and_ops_have_the_same_indices():
    here, there = (Generator(3, "test", 2, 7, on_host) for on_host in (True, False))
    for i in (0, 1, -1, 2**31 - 1, -(2**31), np.int32(5), np.int64(6)):
        ours, theirs = here.at(i).at(3), there.at(i).at(3)
        assert [int(ours._key), int(ours._step)] == [int(theirs._key), int(theirs._step)]
        np.testing.assert_array_equal(numpy(ours.uniform(SHAPE)), numpy(theirs.uniform(SHAPE)))
    ours, theirs = here.fork(), there.fork()
    np.testing.assert_array_equal(numpy(ours.uniform(SHAPE)), numpy(theirs.uniform(SHAPE)))


def test_an_index_does_not_depend_on_others_and_draws_before_it_count():
    first, second = made(), made()
    second.at(0).normal(SHAPE)
    second.at(7).uniform(SHAPE)
    np.testing.assert_array_equal(
        numpy(first.at(3).uniform(SHAPE)), numpy(second.at(3).uniform(SHAPE))
    )
    np.testing.assert_array_equal(numpy(first.uniform(SHAPE)), numpy(second.uniform(SHAPE)))
    again = numpy(first.at(3).uniform(SHAPE))
    assert (again != numpy(made().at(3).uniform(SHAPE))).all()


@pytest.mark.parametrize("loop", LOOPS)
def test_rows_keep_their_noise_in_a_loop(loop):
    def rows(first_row, n):
        rng = made(first_row=first_row)
        shape = (n, 2)
        draws = [numpy(rng.at(i).uniform(shape)) for i in range(STEPS)]
        looped = loop(lambda i: ops.pad(rng.at(i).uniform(shape), ((0, 3 - n), (0, 0))))
        np.testing.assert_allclose(numpy(looped)[:n], sum(draws), rtol=1e-5)
        return numpy(looped)[:n]

    whole = rows(4, 3)
    np.testing.assert_allclose(rows(4, 2), whole[:2], rtol=1e-6)
    np.testing.assert_allclose(rows(5, 2), whole[1:], rtol=1e-6)
    np.testing.assert_array_equal(
        numpy(made(first_row=9).at(1).shared.uniform(SHAPE)),
        numpy(made(first_row=2).shared.at(1).uniform(SHAPE)),
    )


def test_loops_nest():
    def draw(rng, i, j):
        return rng.at(i).at(j).normal(SHAPE)

    expected = sum(numpy(draw(made(), i, j)) for i in range(STEPS) for j in range(STEPS))

    def nested():
        rng = made()
        return fori(lambda i: scan(lambda j: draw(rng, i, j)))

    np.testing.assert_allclose(numpy(compiled(nested)), expected, rtol=1e-4, atol=1e-5)


def streams():
    """Generators that have to be apart: ``{how it was made: generator}``."""
    rng = Generator(0, "train", on_host=True)
    found = {"itself": rng, "step": Generator(0, "train", 1, on_host=True)}
    for i in range(-8, 24):
        found[f"at {i}"] = rng.at(i)
    for i in range(6):
        for j in range(6):
            found[f"at {i} at {j}"] = rng.at(i).at(j)
    for k in range(8):
        found[f"fork {k}"] = own = rng.fork()
        found[f"fork {k} at 0"], found[f"after fork {k}, at 0"] = own.at(0), rng.at(0)
        found[f"fork {k} fork"] = own.fork()
    with random.scope(rng):
        pass
    found["after a scope, at 0"] = rng.at(0)
    return found


def test_no_two_streams_share_a_key_or_bits():
    found = streams()
    keys = {(int(rng._key), int(rng._step)) for rng in found.values()}
    assert len(keys) == len(found)
    bits = []
    for rng in found.values():
        for _ in range(3):
            first, second = rng._bits((8, 16))
            words = first.astype("int64") << 32 | (second.astype("int64") & 0xFFFFFFFF)
            bits.append(words.ravel())
    together = np.concatenate(bits)
    assert len(together) > 15_000
    assert len(np.unique(together)) == len(together)


def test_streams_are_uncorrelated():
    drawn = np.stack([numpy(rng.normal((64, 64))).ravel() for rng in streams().values()])
    correlation = np.corrcoef(drawn) - np.eye(len(drawn))
    assert np.abs(correlation).max() < 5 / np.sqrt(drawn.shape[1])
    assert correlation.std() == pytest.approx(1 / np.sqrt(drawn.shape[1]), rel=0.1)


@pytest.mark.parametrize("i", [1.0, "1", None, np.float32(2)])
def test_an_index_is_an_integer(i):
    with pytest.raises(ZooError, match=r"rng\.at\(.*\): an index is an int or an int32 scalar"):
        made().at(i)


# --- noise without an index


@pytest.mark.parametrize("run", [lambda fn: fn(), compiled], ids=["eager", "compiled"])
@pytest.mark.parametrize("loop", LOOPS)
def test_noise_without_an_index_is_refused_in_a_loop(loop, run):
    rng = made()
    told = (
        r"^test_random_loops\.py, line \d+: noise without an index in ops\.\w+, .*"
        r"rng\.at\(i\).*zoo\.random\.loop"
    )
    with pytest.raises(ZooError, match=told):
        run(lambda: loop(lambda i: rng.normal(SHAPE)))
    with pytest.raises(ZooError, match=told):
        run(lambda: loop(lambda i: rng.shared.normal(SHAPE)))
    with pytest.raises(ZooError, match=told):
        run(lambda: loop(lambda i: rng.fork().normal(SHAPE)))


def test_the_index_of_an_outer_loop_is_none_of_the_inner_one():
    rng = made()

    def outer(i):
        own = rng.at(i)
        return fori(lambda j: own.normal(SHAPE))

    with pytest.raises(ZooError, match="noise without an index"):
        fori(outer)


def test_a_layer_that_draws_in_a_loop_is_told():
    layer = Dropout(0.5)

    def body(i, x):
        return layer(x, training=True)

    with random.scope(made()), pytest.raises(ZooError, match=r"zoo\.random\.scope\(rng\.at\(i\)"):
        ops.fori_loop(0, 2, body, ops.ones(SHAPE))


def test_elsewhere_noise_needs_no_index():
    rng = made()
    x = ops.ones(SHAPE)

    def fn(x):
        return ops.sum(x * rng.uniform(SHAPE))

    zoo.gradient(fn, x)
    compiled(lambda: fn(x))
    compiled(lambda: zoo.gradient(fn, x))
    ops.vectorized_map(lambda row: row + rng.shared.uniform((2,)), x)
    for _ in range(2):
        rng.normal(SHAPE)

    def whole(i):  # as where many training steps are one program
        own = Generator(0, "train", step=i)
        return zoo.gradient(lambda x: ops.sum(x * own.uniform(SHAPE)), x)

    compiled(lambda: fori(whole))


# --- zoo.random.loop


def test_loop_gives_each_iteration_a_generator():
    rng, other = made(), made()
    own = other.fork()
    expected = sum(numpy(own.at(i).normal(SHAPE)) * (i + 1) for i in range(STEPS))

    def step(i, state, rng):
        noise = rng.normal(SHAPE)
        return {"z": state["z"] + noise * ops.cast(i + 1, "float32"), "n": state["n"] + 1}

    state = random.loop(STEPS, step, {"z": np.zeros(SHAPE, "float32"), "n": 0}, rng)
    np.testing.assert_allclose(numpy(state["z"]), expected, rtol=1e-4, atol=1e-5)
    assert int(state["n"]) == STEPS
    # the parent has made one fork, however many steps there were
    np.testing.assert_array_equal(numpy(rng.uniform(SHAPE)), numpy(other.uniform(SHAPE)))
    again = random.loop(STEPS, step, {"z": np.zeros(SHAPE, "float32"), "n": 0}, rng)
    assert (numpy(again["z"]) != numpy(state["z"])).all()


def test_loop_takes_a_traced_number_of_steps():
    def looped(steps):
        return random.loop(steps, lambda i, z, rng: z + rng.normal(SHAPE), ops.zeros(SHAPE), made())

    steps = ops.convert_to_tensor(np.int32(STEPS))
    np.testing.assert_allclose(
        numpy(backend.compiled([], looped)(steps)), numpy(looped(STEPS)), rtol=1e-4, atol=1e-5
    )
    assert not numpy(looped(0)).any()


@pytest.mark.parametrize("run", [lambda fn: fn(), compiled], ids=["eager", "compiled"])
def test_loop_is_differentiated_as_pythons(run):
    x = ops.convert_to_tensor(np.linspace(-1, 1, 6, dtype="float32").reshape(SHAPE))

    def step(i, z, rng):
        return z + 0.5 * ops.square(z) * rng.uniform(SHAPE)

    def unrolled(z):
        own = made().fork()
        for i in range(STEPS):
            z = step(i, z, own.at(i))
        return z

    found = run(lambda: zoo.gradient(lambda z: random.loop(STEPS, step, z, made()), x))
    np.testing.assert_allclose(numpy(found), numpy(zoo.gradient(unrolled, x)), rtol=1e-4)


def test_layers_in_a_loop_draw_from_its_iteration():
    layer, own = Dropout(0.5), made().fork()
    kept = [numpy(own.at(i).bernoulli((8, 16), 0.5)) for i in range(STEPS)]

    def step(i, total, rng):
        assert random.current() is rng
        return total + layer(ops.ones((8, 16)), training=True)

    found = random.loop(STEPS, step, ops.zeros((8, 16)), made())
    np.testing.assert_allclose(numpy(found), 2.0 * np.sum(kept, axis=0))


def test_loop_refuses_the_outer_generator_and_a_state_that_changes():
    rng = made()
    with pytest.raises(ZooError, match="noise without an index"):
        random.loop(2, lambda i, z, own: z + rng.normal(SHAPE), ops.zeros(SHAPE), rng)
    for other in (ops.zeros((3, 3)), (ops.zeros(SHAPE),), ops.zeros(SHAPE, "int32")):
        with pytest.raises(ZooError, match=r"zoo\.random\.loop: step was given the state float32 "):
            random.loop(2, lambda i, z, own, other=other: other, ops.zeros(SHAPE), rng)


# --- in a model


class Walk(zoo.Model):
    """Points that walk at random, in the loss and in samples; each move has a walk of its own."""

    value_range = None

    def networks(self, data):
        return {
            "net": keras.Sequential(
                [
                    keras.Input((2,)),
                    keras.layers.Dense(4, "tanh"),
                    Dropout(0.5),
                    keras.layers.Dense(2),
                ]
            )
        }

    def players(self):
        return {"p": ("net",)}

    def moves(self):
        return [zoo.Move(self.walked, repeat=2), self.indexed]

    def step(self, nets):
        return lambda i, z, rng: z + nets.net(z) + 0.1 * rng.normal(ops.shape(z))

    def walked(self, nets, batch, rng):
        z = random.loop(3, self.step(nets), batch.x, rng)
        return {"p": {"walked": ops.mean(ops.square(z), axis=1)}}

    def indexed(self, nets, batch, rng):
        zero = ops.zeros_like(batch.x)
        noise = ops.fori_loop(0, 3, lambda i, z: z + rng.at(i).normal(ops.shape(z)), zero)
        return {"p": {"indexed": ops.mean(ops.square(nets.net(batch.x) + noise), axis=1)}}

    def sample(self, nets, n, rng):
        return random.loop(5, self.step(nets), rng.normal((n, 2)), rng)


def test_a_model_trains_through_loops_and_samples_alike():
    x = np.linspace(-1, 1, 16, dtype="float32").reshape(8, 2)
    model = zoo.build(Walk(), zoo.DataSpec((2,)))
    model.compile(optimizers={"p": keras.optimizers.SGD(0.1)})
    logs = model.fit(x, epochs=2, batch_size=4, shuffle=False, verbose=0).history
    assert logs["loss"] == pytest.approx([5.888979, 1.951239], rel=1e-5)
    np.testing.assert_allclose(model.sample(4)[:2], model.sample(2), rtol=1e-5)
    many = model.sample(300)  # in two chunks
    np.testing.assert_allclose(many[:4], model.sample(4), rtol=1e-4, atol=1e-5)
    assert len(np.unique(many.round(5), axis=0)) > 295


def test_moves_that_share_a_generator_share_no_index():
    rng = made()
    drawn = []
    for _ in range(2):
        with random.scope(rng):
            with random.scope(rng):  # within a move it changes nothing
                pass
            drawn.append(numpy(rng.at(0).uniform(SHAPE)))
    assert (drawn[0] != drawn[1]).all()
    np.testing.assert_array_equal(drawn[0], numpy(made().at(0).uniform(SHAPE)))
