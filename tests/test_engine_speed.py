"""What a backend's file does for speed changes no number."""

from __future__ import annotations

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

BACKEND = keras.backend.backend()
on_torch = pytest.mark.skipif(BACKEND != "torch", reason="of the PyTorch backend")
on_jax = pytest.mark.skipif(BACKEND != "jax", reason="of the JAX backend")


@on_torch
@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.Adam(1e-2, beta_1=0.5, clipnorm=1.0, use_ema=True),
        keras.optimizers.AdamW(1e-2, weight_decay=0.1),
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-2, 20), epsilon=1e-3),
    ],
    ids=["Adam", "AdamW", "schedule"],
)
def test_adam_in_one_pass_is_the_adam_of_keras(optimizer, monkeypatch):
    import torch

    from zoo.configs import copy_of
    from zoo.engine import torch_adam

    passes, fused = [], torch._fused_adam_

    def counted(*args, **kwargs):
        passes.append(len(args[0]))
        return fused(*args, **kwargs)

    monkeypatch.setattr(torch, "_fused_adam_", counted)
    rng = np.random.default_rng(0)
    start, grads = rng.normal(size=(3, 4, 5)), rng.normal(size=(20, 3, 4, 5))
    found = []
    for fuse in (False, True):
        weights = [keras.Variable(w, dtype="float32") for w in start]
        used = copy_of(optimizer)
        used.build(weights)
        if fuse:
            torch_adam.fuse(used)
        for own in grads:
            used.apply([torch.tensor(g, dtype=torch.float32) for g in own], weights)
        found.append([v.numpy() for v in (*weights, *used.variables)])
        assert len(passes) == (20 if fuse else 0)
    for stock, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, stock, rtol=2e-5, atol=1e-7)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="keeps memory itself")
def test_memory_that_is_freed_is_kept():
    code = """
import resource, keras
from zoo.engine import backend
backend.prepare(keras.optimizers.SGD())
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


CHILD = """
import keras, numpy as np, zoo
model = zoo.build(zoo.model("vae", latent_dim=2, hidden=(8,)), zoo.DataSpec((8, 8, 1)))
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
    environment |= {"KERAS_HOME": str(home)}
    if folder == "off":
        environment["JAX_ENABLE_COMPILATION_CACHE"] = "false"
    done = subprocess.run(
        [sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True
    )
    assert done.stdout == "trained\n", done.stderr
    assert "compilation" not in done.stderr
    kept = [path for path in home.rglob("*-cache") if path.stat().st_size]
    assert bool(kept) == (folder == "there")
