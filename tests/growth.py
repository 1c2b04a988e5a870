"""Whether a process grows that trains again and again, or for many epochs.

    python -m tests.growth                         each backend, in a process of its own
    python -m tests.growth --backend jax --times 40

Prints memory in use (MB), open files and threads after each training, and after each tenth epoch of
a long one. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from zoo.runtime import backends


def in_use() -> tuple[float, int, int]:
    """Memory in MB, open files, threads of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    megabytes = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return megabytes, len(os.listdir("/proc/self/fd")), threading.active_count()


def told(what: str, use: tuple[float, int, int]) -> None:
    print(f"  {what:<12} {use[0]:7.1f} MB {use[1]:4} files {use[2]:3} threads", flush=True)


def recipe(name: str, epochs: int, callbacks=()):
    """A small training with most of what a training can have."""
    import keras

    import zoo

    players = {"vae": ["autoencoder"], "gan": ["discriminator", "generator"]}[name]
    return zoo.Recipe(
        model=zoo.model(name, units=(16,)),
        dataset=zoo.datasets.Digits(batch_size=256),
        optimizers={player: keras.optimizers.Adam(1e-3) for player in players},
        callbacks=[zoo.callbacks.TensorBoard(), zoo.callbacks.SampleGrid(n=4), *callbacks],
        metrics=[zoo.metrics.ELBO()] if name == "vae" else [],
        ema=0.9,
        epochs=epochs,
    )


def measure(name: str, times: int, epochs: int) -> None:
    """Train so many times, then once for so many epochs, in this process."""
    import keras

    import zoo

    class Tell(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if (epoch + 1) % 10 == 0:
                told(f"epoch {epoch + 1}", in_use())

    quiet = zoo.datasets.Access(say=lambda line: None)
    with tempfile.TemporaryDirectory() as folder:
        for time in range(times):
            zoo.train(recipe(name, 2), runs_folder=folder, access=quiet)
            told(f"training {time + 1}", in_use())
        zoo.train(recipe(name, epochs, [Tell()]), runs_folder=folder, access=quiet)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.growth", description=__doc__)
    parser.add_argument("--backend", metavar="NAME", action="append")
    parser.add_argument("--model", choices=["vae", "gan"], action="append")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    models = options.model or ["vae", "gan"]
    if options.here:
        measure(models[0], options.times, options.epochs)
        return 0
    for backend in options.backend or backends.installed():
        for name in models:
            print(f"{backend}, {name}", flush=True)
            command = [sys.executable, "-m", "tests.growth", "--here", "--model", name]
            command += ["--times", str(options.times), "--epochs", str(options.epochs)]
            environment = os.environ | {"KERAS_BACKEND": backend}
            subprocess.run(command, env=environment, stderr=subprocess.DEVNULL, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
