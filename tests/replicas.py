"""A few steps of a small training, made by one process or by several; each writes what it has.

    python -m tests.replicas                 two processes beside one: the table of the lab
    python -m tests.replicas --backend jax --models vae dcgan --devices 2
    python -m tests.replicas --models vaegan --processes 1 --threads 2

Two threads in one process round otherwise than one thread does: this says what rounding alone does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from zoo.runtime import backends, ranks

STEPS = {"vae": 50, "even_vae": 50, "dcgan": 50, "wgan_gp": 10, "vaegan": 50, "vqvae": 50}
"""How many first steps are compared; a WGAN-GP parts from itself by rounding after some ten."""


def write(
    folder: str,
    counts: dict[str, int],
    devices: int = 1,
    batch_norm: str = "synchronized",
    measured: bool = True,
) -> None:
    """In a process: train each model for so many steps, and write what it then has."""
    rank = ranks.mine()
    from zoo.engine import distributed

    distributed.batch_norm = batch_norm
    if rank:
        distributed.join(rank, os.environ["KERAS_BACKEND"])
    if devices > 1:
        from zoo.engine.distributed import jax

        jax.use(devices)
    for name, count in counts.items():
        found = steps(name, count, measured)
        np.savez(Path(folder, f"{name}-{rank.number if rank else 0}.npz"), **found)
    distributed.leave()


def steps(name: str, count: int, measured: bool) -> dict[str, np.ndarray]:
    """The terms of the first steps and the state after them; also what is measured before."""
    from tests.resumable import QUIET, recipe
    from zoo.datasets import Batches
    from zoo.engine import state
    from zoo.engine.backends import backend
    from zoo.engine.distributed import sharing
    from zoo.training import evaluation
    from zoo.training.chunks import Chunks
    from zoo.training.experiment import prepare

    experiment = prepare(recipe(name, callbacks=[]), QUIET)
    model, chunks = experiment.model, Chunks(experiment.batches, [])
    found = {}
    if measured:
        held_out = evaluation.evaluated(model, Batches(experiment.validation, 7, seed=0))
        with sharing.together():
            found["samples"] = (
                model.sample(600, seed=1)
                if model.can("sample")  # a VQ-VAE alone cannot
                else model.reconstruct(np.tile(experiment.validation.x, (30, 1, 1, 1)))
            )
        found["held_out"] = np.array([*held_out.values()])
    made = backend.Steps(model, chunks.rows, 1)
    terms: list[np.ndarray] = []
    for epoch in range(count):
        chunks.batches.epoch = epoch
        for i in range(len(chunks.batches)):
            if len(terms) < count:
                model.reset_metrics()
                chunk = chunks._joined(i, 1, False)
                terms.append(made.start(chunk.data, chunk.share)()[0])
                made.sync()
    return {**found, "terms": np.array(terms), **state.captured(model)}


def made_all(
    counts: dict[str, int], folder: Path, processes: int, threads: int = 1, **options
) -> dict[str, list[dict[str, np.ndarray]]]:
    """Of each model, what each of some processes has in the end.

    Args:
        counts: how many steps of each model.
        folder: a new one.
        processes: how many.
        threads: of each.
        options: of ``write``.
    """
    folder.mkdir()
    given = json.dumps({"folder": str(folder), "counts": counts, **options})
    devices = options.get("devices", 1)
    flags = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}
    own = {"OMP_NUM_THREADS": str(threads), **(flags if devices > 1 else {})}
    places = [ranks.environment(n, processes, folder) for n in range(processes)]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.replicas", given], env=os.environ | own | place
        )
        for place in (places if processes > 1 else [{}])
    ]
    assert [child.wait(900 * len(counts)) for child in started] == [0] * processes
    return {
        name: [dict(np.load(folder / f"{name}-{n}.npz")) for n in range(processes)]
        for name in counts
    }


def made(name: str, count: int, folder: Path, processes: int, **options):
    """What each of some processes has of one model in the end; see ``made_all``."""
    return made_all({name: count}, folder, processes, **options)[name]


def are_equal(several: list[dict[str, np.ndarray]]) -> bool:
    """Whether processes have the same in the end, bit for bit."""
    first, *others = several
    return all(np.array_equal(first[key], other[key]) for other in others for key in first)


def apart(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> np.ndarray:
    """The largest relative difference of a term in each step."""
    difference = np.abs(ours["terms"] - theirs["terms"])
    return (difference / np.maximum(np.abs(theirs["terms"]), 1e-30)).max(1)


def told(alone: dict[str, np.ndarray], several: list[dict[str, np.ndarray]]) -> str:
    """How far some processes are from one, in a line."""
    far = apart(several[0], alone)
    line = f"{far.max():.0e} within {len(far)} steps"
    over = np.flatnonzero(far > 1e-4)
    if len(over):
        line += f", at most 1e-4 for {over[0]}"
    if len(several) > 1:
        line += ", equal states" if are_equal(several) else ", OTHER STATES"
    return line


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.replicas", description=__doc__)
    parser.add_argument("--backend", metavar="NAME", action="append")
    parser.add_argument("--models", nargs="+", metavar="NAME", default=[*STEPS])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--devices", type=int, default=1, help="of JAX, in one process")
    parser.add_argument("--threads", type=int, default=1, help="of those that are compared")
    options = parser.parse_args()
    counts = {name: STEPS.get(name, 50) for name in options.models}
    given = {"measured": False, "devices": options.devices, "threads": options.threads}
    processes = 1 if options.devices > 1 else options.processes
    for os.environ["KERAS_BACKEND"] in options.backend or backends.installed():
        with tempfile.TemporaryDirectory() as folder:
            alone = made_all(counts, Path(folder, "alone"), 1, measured=False)
            several = made_all(counts, Path(folder, "several"), processes, **given)
        for name in counts:
            print(f"{os.environ['KERAS_BACKEND']}, {name}: {told(alone[name][0], several[name])}")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1].startswith("{"):  # one of the processes
        write(**json.loads(sys.argv[1]))
    else:
        sys.exit(main())
