"""What a backend's file does for speed changes no number."""

from __future__ import annotations

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers, ops

import zoo
from tests.models import Toy, square
from zoo.runs import own_networks
from zoo.runs.run import Run
from zoo.runtime.keras import copy_of

pytestmark = pytest.mark.usefixtures("accelerated")

BACKEND = keras.backend.backend()
not_on_jax = pytest.mark.skipif(BACKEND == "jax", reason="XLA makes one pass itself")
on_tensorflow = pytest.mark.skipif(BACKEND != "tensorflow", reason="of the TensorFlow backend")
on_jax = pytest.mark.skipif(BACKEND != "jax", reason="of the JAX backend")


@pytest.fixture
def one_pass(monkeypatch):
    """What fuses an optimizer here, and a list of the updates made in one pass."""
    if BACKEND == "torch":
        import torch as owner

        from zoo.engine.accelerate import torch_adam as module

        name = "_fused_adam_"
    else:
        from tensorflow import raw_ops as owner

        from zoo.engine.accelerate import tensorflow_adam as module

        name = "ResourceApplyAdam"
    passes, fused = [], getattr(owner, name)

    def counted(*args, **kwargs):
        passes.append(1)
        return fused(*args, **kwargs)

    monkeypatch.setattr(owner, name, counted)
    return module.fuse, passes


def updated(optimizer, start, grads):
    """Weights and slots after an optimizer's steps down gradients."""
    weights = [keras.Variable(w, dtype="float32") for w in start]
    optimizer.build(weights)
    for own in grads:
        optimizer.apply(own, weights)
    return [v.numpy() for v in (*weights, *optimizer.variables)]


@not_on_jax
@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.Adam(1e-2, beta_1=0.5, clipnorm=1.0, use_ema=True),
        keras.optimizers.AdamW(1e-2, weight_decay=0.1),
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-2, 20), epsilon=1e-3),
        keras.optimizers.Adam(1e-2, gradient_accumulation_steps=2),
    ],
    ids=["Adam", "AdamW", "schedule", "accumulated"],
)
def test_adam_in_one_pass_is_the_adam_of_keras(optimizer, one_pass):
    fuse, passes = one_pass
    rng = np.random.default_rng(0)
    start = rng.normal(size=(3, 4, 5))
    grads = [
        [ops.convert_to_tensor(g, "float32") for g in own] for own in rng.normal(size=(20, 3, 4, 5))
    ]
    stock = updated(copy_of(optimizer), start, grads)
    assert not passes
    fused = copy_of(optimizer)
    fuse(fused)
    for ours, theirs in zip(updated(fused, start, grads), stock, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-7)
    updates = 20 // (optimizer.gradient_accumulation_steps or 1)
    assert len(passes) == updates * (1 if BACKEND == "torch" else len(start))


@not_on_jax
def test_gradients_in_another_order_of_memory_go_in_one_pass_too(one_pass):
    """As those of convolutions are, whose pictures are channels last."""
    fuse, passes = one_pass
    start = np.random.default_rng(0).normal(size=(1, 4, 5))
    grads = [[ops.transpose(ops.ones((5, 4)) * ops.arange(4, dtype="float32"))]] * 3
    stock = updated(keras.optimizers.Adam(1e-2), start, grads)
    fused = keras.optimizers.Adam(1e-2)
    fuse(fused)
    for ours, theirs in zip(updated(fused, start, grads), stock, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-7)
    assert len(passes) == 3


@not_on_jax
def test_what_is_not_the_adam_of_keras_is_left_alone(one_pass):
    class Own(keras.optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, gradient)

        def _parallel_update_step(self, grads, variables, learning_rate):
            for gradient, variable in zip(grads, variables, strict=True):
                self.update_step(gradient, variable, learning_rate)

    fuse, passes = one_pass
    for optimizer in (Own(), keras.optimizers.Adam(amsgrad=True), keras.optimizers.Nadam()):
        fuse(optimizer)
        updated(optimizer, [np.ones(3)], [[ops.ones(3)]])
    assert not passes


@on_tensorflow
def test_an_update_of_the_users_own_stays(one_pass):
    fuse, passes = one_pass
    optimizer = keras.optimizers.Adam(1.0)
    optimizer.update_step = lambda gradient, variable, rate: variable.assign_sub(gradient)
    fuse(optimizer)
    assert updated(optimizer, [np.ones(3)], [[0.25 * ops.ones(3)]])[0] == pytest.approx(0.75)
    assert not passes


@on_tensorflow
def test_rows_of_a_table_are_moved_as_by_keras(one_pass):
    import tensorflow as tf

    fuse, passes = one_pass
    grads = [[tf.IndexedSlices(tf.ones((2, 3)), tf.constant([0, 2]), tf.constant([4, 3]))]] * 3
    start, fused = [np.ones((4, 3))], keras.optimizers.Adam(0.1)
    fuse(fused)
    stock = updated(keras.optimizers.Adam(0.1), start, grads)
    for ours, theirs in zip(updated(fused, start, grads), stock, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not passes


def test_memory_that_is_freed_is_kept():
    code = """
import resource, keras
from zoo.engine import accelerate
accelerate.install(keras.backend.backend(), "cpu")
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for round_ in range(3):
    before = faults()
    for _ in range(2):
        b"x" * (40 << 20)  # more than malloc ever keeps by default
    found = faults() - before
print(found)
"""
    if not sys.platform.startswith("linux"):
        pytest.skip("needs the malloc of glibc")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 1000  # else twice 10,240 pages


def toy():
    """A model with a convolution, compiled."""

    def net():
        return keras.Sequential([keras.Input((4, 1)), layers.Conv1D(1, 2), layers.Flatten()])

    model = zoo.build(Toy({"a": net}, {"a": ["a"]}, [square("a")]), zoo.DataSpec((4, 1)))
    model.compile({"a": "adam"})
    return model


CHILD = """
import keras, numpy as np, zoo
model = zoo.build(zoo.model("vae", latent_dim=2, units=(8,)), zoo.DataSpec((8, 8, 1)))
model.compile(optimizers={"autoencoder": "adam"})
model.fit(np.zeros((8, 8, 8, 1), "uint8"), batch_size=4, verbose=0)
print("trained")
"""


@on_jax
@pytest.mark.parametrize("folder", ["there", "cannot be made", "off"])
def test_compiled_programs_are_kept_where_that_can_be(tmp_path, folder):
    home = tmp_path / "home"
    home.mkdir()
    if folder == "cannot be made":
        (home / "zoo").write_text("a file")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    environment |= {"KERAS_HOME": str(home), "ZOO_ACCELERATE": "all"}
    if folder == "off":
        environment["JAX_ENABLE_COMPILATION_CACHE"] = "false"
    done = subprocess.run(
        [sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True
    )
    assert done.stdout == "trained\n", done.stderr
    assert "compilation" not in done.stderr
    kept = [path for path in home.rglob("*-cache") if path.stat().st_size]
    assert bool(kept) == (folder == "there")


@on_jax
def test_networks_of_a_recipe_are_rebuilt_without_programs_for_their_first_values(
    tmp_path, monkeypatch
):
    def decoder(data, model):
        return keras.Sequential([keras.Input((2,)), layers.Dense(2, name="own")])

    spec = zoo.DataSpec((2,))
    model = zoo.build(zoo.model("ae", latent_dim=2), spec, networks={"decoder": decoder})
    drawn, initializer = [], keras.initializers.GlorotUniform
    monkeypatch.setattr(initializer, "__call__", lambda *given, **more: drawn.append(given))
    own_networks.keep(Run(tmp_path), model, pytest.fail)
    assert Run(tmp_path).networks.is_file()
    assert not drawn


@pytest.fixture
def jitted(monkeypatch):
    """The ``compiler_options`` of what is jitted with any."""
    import jax

    found, jit = [], jax.jit

    def noted(*args, **kwargs):
        found.extend([kwargs["compiler_options"]] if kwargs.get("compiler_options") else [])
        return jit(*args, **kwargs)

    monkeypatch.setattr(jax, "jit", noted)
    return found


@on_jax
def test_steps_are_compiled_as_is_best_for_cpus(jitted):
    from zoo.engine.accelerate.jax_compiler_options import OPTIONS, options

    assert options() == OPTIONS, "this JAX does not know the option"
    jitted.clear()
    model = toy()
    for _ in range(3):
        model.train_on_batch(np.ones((2, 4, 1), "float32"))
    assert jitted == [OPTIONS]  # once


@on_jax
def test_xla_is_told_nothing_it_does_not_know_or_was_told_already(monkeypatch):
    from zoo.engine import accelerate
    from zoo.engine.accelerate import jax_compiler_options

    monkeypatch.setenv("XLA_FLAGS", f"--{jax_compiler_options.FLAG}=+reduce")
    assert jax_compiler_options.install() == "XLA_FLAGS says how to use YNN"
    monkeypatch.delenv("XLA_FLAGS")
    assert jax_compiler_options.install() is None
    monkeypatch.setattr(jax_compiler_options, "OPTIONS", {"xla_no_such_option": "1"})
    assert "does not know" in jax_compiler_options.install()
    assert jax_compiler_options.options()
    accelerate.undo()
    assert jax_compiler_options.options() is None
