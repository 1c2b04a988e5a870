"""How fast pretrained models sample, beside a loop by hand over the same network.

    python -m benchmarks.sampling                       writes the table of docs/lab/performance.md
    python -m benchmarks.sampling --turns 9
    python -m benchmarks.sampling --models vae_mnist    prints its row alone

Each backend has a process of its own, on one core. There the zoo's ``model.sample`` and the loop by
hand take turns, and processor time is read. The loop by hand makes 1,000 pictures at once from the
framework's own noise, compiled where the framework compiles, and has NumPy arrays at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.table import NAMES, grid, put

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/lab/performance.md"
BEGIN = "<!-- measured: python -m benchmarks.sampling -->"
COUNTS = {"vae_mnist": 10_000, "dcgan_mnist": 10_000, "flow_mnist": 1000}
AT_ONCE = 1000


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--models", nargs="+", default=list(COUNTS), choices=list(COUNTS))
    options = parser.parse_args()
    found = {backend: _child(backend, options.models, options.turns) for backend in NAMES}
    table = _table(found, options.models, options.turns)
    print(table)
    if options.models == list(COUNTS):
        put(f"{table}\n", PAGE, BEGIN)


def _child(backend: str, models: Sequence[str], turns: int) -> dict[str, list[list[float]]]:
    """``{model: [[zoo, by hand], ...]}`` of a backend, seconds of processor time."""
    code = f"from benchmarks import sampling; sampling.measure({list(models)!r}, {turns})"
    environment = os.environ | {
        "KERAS_BACKEND": backend,
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _table(found, models: Sequence[str], turns: int) -> str:
    head, rows = ["", *(f"{name}: zoo, by hand, ratio" for name in NAMES.values())], []
    for model in models:
        cells = []
        for backend in NAMES:
            pairs = found[backend][model]
            zoo, hand = (min(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(hand / zoo for zoo, hand in pairs)
            cells.append(f"{zoo:.2f}, {hand:.2f} s, {ratio:.2f}")
        rows.append([f"{COUNTS[model]:,} of `{model}`", *cells])
    said = (
        f"The fastest of {turns} turns, and the median of their ratios: the zoo's speed by hand's."
    )
    return f"{grid(head, rows)}\n\n{said}"


def measure(models: Sequence[str], turns: int) -> None:
    """Take turns in this process, on one core; tell the seconds as JSON."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import zoo

    pairs: dict[str, list[list[float]]] = {}
    for name in models:
        model, n = zoo.load(name), COUNTS[name]
        loop = by_hand(name, model)
        ways: list[Callable[[], Any]] = [partial(model.sample, n), partial(loop, n)]
        for way in ways:
            way()  # compiles
        rows = []
        for turn in range(turns):
            spent = [0.0, 0.0]
            for place in (0, 1) if turn % 2 == 0 else (1, 0):
                began = time.process_time()
                ways[place]()
                spent[place] = time.process_time() - began
            rows.append(spent)
        pairs[name] = rows
        print(name, rows, file=sys.stderr, flush=True)
    print(json.dumps(pairs))


def by_hand(name: str, model) -> Callable[[int], Any]:
    """A loop that samples: ``loop(n)`` gives a NumPy array ``(n, 28, 28, 1)``."""
    import keras
    import numpy as np

    kinds: dict[str, Any] = {"vae_mnist": _Vae, "dcgan_mnist": _Dcgan, "flow_mnist": _Flow}
    kind = kinds[name]
    network = model.networks[kind.network]
    if keras.backend.backend() == "jax":
        import jax

        @jax.jit
        def batch(weights, others, key):
            def net(*inputs):
                return network.stateless_call(weights, others, *inputs, training=False)[0]

            keys = jax.random.split(key)
            normal = jax.random.normal(keys[0], (AT_ONCE, *kind.noise))
            which = jax.random.randint(keys[1], (AT_ONCE,), 0, 10)
            return kind.made(keras.ops, net, normal, which)

        def some(i):
            trained = [v.value for v in network.trainable_variables]
            others = [v.value for v in network.non_trainable_variables]
            return np.asarray(batch(trained, others, jax.random.key(i)))
    elif keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        @tf.function
        def batch():
            normal = tf.random.normal((AT_ONCE, *kind.noise))
            which = tf.random.uniform((AT_ONCE,), 0, 10, "int32")
            return kind.made(keras.ops, _inferring(network), normal, which)

        def some(i):
            return batch().numpy()
    else:
        import torch

        def some(i):
            with torch.inference_mode():
                normal = torch.randn(AT_ONCE, *kind.noise)
                which = torch.randint(0, 10, (AT_ONCE,))
                return kind.made(keras.ops, _inferring(network), normal, which).numpy()

    return lambda n: np.concatenate([some(i) for i in range(n // AT_ONCE)])


def _inferring(network):
    return lambda *inputs: network(*inputs, training=False)


class _Vae:
    """Decode normal codes."""

    network, noise = "decoder", (16,)

    @staticmethod
    def made(ops, net, normal, which):
        return ops.sigmoid(net(normal))


class _Dcgan:
    """Generate from normals around ten points."""

    network, noise = "generator", (100,)

    @staticmethod
    def made(ops, net, normal, which):
        return (net(normal + 4.0 * ops.one_hot(which, 100)) + 1) / 2


class _Flow:
    """Five steps of the midpoint rule, guided."""

    network, noise = "unet", (28, 28, 1)

    @staticmethod
    def made(ops, net, normal, which):
        def velocity(x, t):
            times, hidden = ops.full((AT_ONCE,), t), ops.full_like(which, 10)
            return 1.5 * net([x, times, which]) - 0.5 * net([x, times, hidden])

        x, h = normal, 1 / 5
        for i in range(5):
            middle = x + h / 2 * velocity(x, i * h)
            x = x + h * velocity(middle, i * h + h / 2)
        return (ops.clip(x, -1, 1) + 1) / 2


if __name__ == "__main__":
    main()
