"""Flow matching: loss, guidance and solvers against values worked by hand; the sampler's loop."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from zoo import random
from zoo.errors import ZooError
from zoo.plugin.model import Batch
from zoo.runtime import backends
from zoo_diffusion import FlowMatching

DATA = zoo.DataSpec((1, 2, 1), 3)
PICTURES = zoo.DataSpec((8, 8, 1), 3)


def numbers(*rows):
    """Pictures of 1 x 2 pixels."""
    return np.array(rows, "float32").reshape(-1, 1, 2, 1)


def nets(unet, data=DATA):
    return SimpleNamespace(unet=unet, data=data)


class Given:
    """An ``rng`` whose draws are given."""

    def __init__(self, normal, uniform=None, bernoulli=None):
        self._normal, self._uniform = list(normal), uniform
        self._bernoulli = bernoulli

    def normal(self, shape):
        return ops.convert_to_tensor(np.float32(self._normal.pop(0)))

    def uniform(self, shape):
        return ops.convert_to_tensor(np.float32(self._uniform))

    def bernoulli(self, shape, p):
        return ops.convert_to_tensor(np.array(self._bernoulli))


def array(x):
    return ops.convert_to_numpy(x)


# --- the loss


def test_the_loss_of_two_pictures():
    asked = []

    def unet(inputs, labels=None):
        asked.append([array(x) for x in inputs])
        return 2.0 * inputs[0]

    x_1, x_0 = numbers([1, -1], [0, 2]), numbers([0, 1], [4, 0])
    model = FlowMatching(sigma_min=0.5)
    rng = Given([x_0], uniform=[0.5, 0.25])
    (loss,) = model.match(nets(unet), Batch(ops.convert_to_tensor(x_1)), rng)["flow"].values()
    x_t, t = asked[0]
    np.testing.assert_array_equal(t, [0.5, 0.25])
    # (1 - t / 2) x_0 + t x_1
    np.testing.assert_allclose(x_t, numbers([0.5, 0.25], [3.5, 0.5]))
    # x_1 - x_0 / 2 is (1, -1.5) and (-2, 2), 2 x_t is (1, 0.5) and (7, 1)
    np.testing.assert_allclose(array(loss), [0 + 4, 81 + 1])


def test_times_may_favour_the_middle():
    times = []

    def unet(inputs, labels=None):
        times.append(array(inputs[1]))
        return inputs[0]

    x = ops.zeros((4000, 1, 2, 1))
    for logit_normal in (False, True):
        model = FlowMatching(logit_normal=logit_normal)
        model.match(nets(unet), Batch(x), random.Generator(0, "train"))
    uniform, middle = times
    for t in times:
        assert 0 < t.min() < t.max() < 1
        assert t.mean() == pytest.approx(0.5, abs=0.01)
    # |sigmoid(z) - 1/2| is below 1/4 where |z| is below log 3: 72.8% of a normal's draws
    assert (np.abs(uniform - 0.5) < 0.25).mean() == pytest.approx(0.5, abs=0.03)
    assert (np.abs(middle - 0.5) < 0.25).mean() == pytest.approx(0.728, abs=0.03)


def test_training_hides_labels_of_a_conditional_model():
    seen = []

    def unet(inputs, labels=None):
        seen.append(labels)
        return inputs[0]

    x, labels = ops.zeros((4000, 1, 2, 1)), ops.zeros((4000,), "int32") + 1
    for model in (
        FlowMatching(conditional=True, label_dropout=0.25),
        FlowMatching(conditional=True, label_dropout=0.0),
        FlowMatching(),
    ):
        model.match(nets(unet), Batch(x, labels), random.Generator(0, "train"))
    some, none, ignored = seen
    counts = np.bincount(array(some), minlength=4) / 4000
    assert counts[[0, 2]].tolist() == [0, 0]  # hidden labels are 3, as many as classes
    assert counts[3] == pytest.approx(0.25, abs=0.03)
    assert (array(none) == 1).all()
    assert (array(ignored) == 1).all()  # its network takes no labels


# --- guidance


def test_guidance_goes_beyond_what_the_label_asks_for():
    def unet(inputs, labels=None):
        return inputs[0] + ops.reshape(ops.cast(labels, "float32"), (-1, 1, 1, 1))

    x, labels = ops.zeros((2, 1, 2, 1)), ops.convert_to_tensor(np.int32([0, 2]))
    for guidance, expected in ((0.0, [0, 2]), (0.5, [-1.5, 1.5])):
        model = FlowMatching(conditional=True, guidance=guidance)
        found = array(model.velocity(nets(unet), x, 0.0, labels))
        # (1 + w) y - w 3
        np.testing.assert_allclose(found, numbers([expected[0]] * 2, [expected[1]] * 2))


def test_without_guidance_the_network_is_asked_once():
    asked = []

    def unet(inputs, labels=None):
        asked.append(labels)
        return inputs[0]

    x, labels = ops.zeros((2, 1, 2, 1)), ops.zeros((2,), "int32")
    FlowMatching(conditional=True).velocity(nets(unet), x, 0.0, labels)
    FlowMatching(guidance=2.0).velocity(nets(unet), x, 0.0, labels)  # it is not conditional
    assert len(asked) == 2


# --- the solvers


def end(model, velocity, start=((1.0, -2.0),)):
    """Where the sampler arrives from noise that is given."""

    def unet(inputs, labels=None):
        x, t = inputs
        return velocity(x, ops.reshape(t, (-1, 1, 1, 1)))

    rng = Given([numbers(*start)])
    return array(model.sample(nets(unet), len(start), rng))


@pytest.mark.parametrize("solver", ["midpoint", "heun", "euler"])
def test_a_constant_velocity_is_followed_exactly(solver):
    for steps in (1, 4):  # 1 / 4 is exact
        model = FlowMatching(solver=solver, steps=steps)
        found = end(model, lambda x, t: ops.zeros_like(x) + 0.5)
        np.testing.assert_array_equal(found, numbers([1.5, -1.5]))


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2), ("midpoint", 2)])
def test_the_order_of_a_solver(solver, order):
    def error(steps):  # of dx/dt = -2 t x, whose solution is x(0) exp(-t^2)
        found = end(FlowMatching(solver=solver, steps=steps), lambda x, t: -2.0 * t * x)
        return np.abs(found - numbers([1, -2]) * np.exp(-1)).max()

    rate = np.log2(error(8) / error(16))
    assert rate == pytest.approx(order, abs=0.2)


@pytest.mark.parametrize(
    (
        "solver",
        "expected",
    ),  # v = x (1 + t): from 1, v is 1 at first; 4 at (2, 1), 9/4 at (3/2, 1/2)
    [("euler", 2.0), ("heun", 3.5), ("midpoint", 3.25)],
)
def test_one_step_by_hand(solver, expected):
    found = end(FlowMatching(solver=solver, steps=1), lambda x, t: x * (1 + t), start=((1.0, 2.0),))
    np.testing.assert_allclose(found, numbers([expected, 2 * expected]))


# --- the loop


class Counted(FlowMatching):
    asked = 0

    def velocity(self, nets, x, t, labels=None):
        type(self).asked += 1
        return super().velocity(nets, x, t, labels)


def small(cls=FlowMatching, **settings):
    settings = {"filters": (4, 8), "units": 8, "steps": 3, **settings}
    return zoo.build(cls(**settings), PICTURES)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="PyTorch compiles nothing")
def test_the_program_does_not_grow_with_the_steps():
    counts = []
    for steps in (2, 40):
        Counted.asked = 0
        small(Counted, steps=steps).sample(2)
        counts.append(Counted.asked)
    assert counts[0] == counts[1] < 10  # times that the step was traced, not made


def test_a_sample_keeps_no_graph_of_its_steps():
    model = small()
    kept = []

    class Kept(FlowMatching):
        def sample(self, nets, n, rng, labels=None):
            out = super().sample(nets, n, rng, labels)
            kept.append(getattr(out, "grad_fn", None))
            return out

    small(Kept).sample(2)
    assert kept and kept[0] is None
    assert model.sample(2).shape == (2, 8, 8, 1)


@pytest.mark.parametrize("solver", ["midpoint", "heun", "euler"])
def test_a_compiled_sample_is_that_of_a_plain_loop(solver):
    model = small(solver=solver, conditional=True, guidance=1.0, steps=4)
    labels = np.int32([0, 1, 2])
    rng = random.Generator(5, "sample")
    x, told = rng.normal((3, 8, 8, 1)), ops.convert_to_tensor(labels)
    untold = ops.full_like(told, 3)

    def velocity(x, t):
        t = ops.full((3,), t, "float32")
        unet = model.networks["unet"]
        return 2 * unet([x, t, told]) - unet([x, t, untold])

    for i in range(4):
        v = velocity(x, i / 4)
        if solver == "heun":
            v = (v + velocity(x + v / 4, (i + 1) / 4)) / 2
        elif solver == "midpoint":
            v = velocity(x + v / 8, (i + 0.5) / 4)
        x = x + v / 4
    expected = np.clip((array(x) + 1) / 2, 0, 1)
    np.testing.assert_allclose(model.sample(3, seed=5, labels=labels), expected, atol=1e-5)


def test_a_label_out_of_range_never_stands_for_no_label():
    model = small(conditional=True)
    with pytest.raises(ZooError, match="labels are integers from 0 to 2"):
        model.sample(1, labels=[3])


SAMPLE = """
import sys, keras, numpy as np, zoo
from zoo import datasets
from zoo_diffusion import FlowMatching
model = zoo.build(
    FlowMatching(filters=(8, 16), units=16, hidden=16, conditional=True, guidance=1.0, steps=10),
    zoo.DataSpec((8, 8, 1), 3), seed=int(sys.argv[3]),
)
weights, out = sys.argv[1:3]
if sys.argv[4] == "save":
    digits = datasets.Digits().load().train
    model.compile(optimizers={"flow": keras.optimizers.Adam(1e-2)})
    model.fit(digits.x, np.asarray(digits.y) % 3, batch_size=32, verbose=0)
    model.save_weights(weights)
else:
    model.load_weights(weights)
np.save(out, model.sample(8, seed=7))
"""


@pytest.mark.slow
@pytest.mark.backend_free
def test_the_samples_of_one_file_of_weights_are_the_same_on_all_backends(tmp_path):
    installed = backends.installed()
    weights, found = tmp_path / "model.weights.h5", []
    for place, backend in enumerate(installed):
        out = tmp_path / f"{backend}.npy"
        what = ["load", "save"][place == 0]
        done = subprocess.run(
            [sys.executable, "-c", SAMPLE, weights, out, str(place), what],
            env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        found.append(np.load(out))
    assert len(found) > 1 or len(installed) == 1
    inside = (found[0] > 0) & (found[0] < 1)
    assert inside.mean() > 0.3  # the others are cut
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=1e-4)


# --- settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"solver": "euclid"}, "unknown solver 'euclid'. Accepted: euler, heun"),
        ({"steps": 0}, "steps is an integer, from 1 to 10,000"),
        ({"label_dropout": 1.0}, r"label_dropout is in \[0, 1\)"),
        ({"guidance": -0.5}, "guidance is at least 0"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ZooError, match=message):
        FlowMatching(**settings)


def test_what_is_no_picture_is_refused():
    with pytest.raises(ZooError, match="convolutions need pictures"):
        zoo.build(FlowMatching(), zoo.DataSpec((2,)))
