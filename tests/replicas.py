"""A few steps of a small training, made by one process or by several; each writes what it has.

python -m tests.replicas RECIPE STEPS FOLDER DEVICES     with the variables of a rank, or without
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from zoo.runtime import ranks


def steps(name: str, count: int, folder: Path, devices: int = 1) -> None:
    """Write what is measured at first, the terms of the first steps, and the state after them."""
    rank = ranks.mine()
    from zoo.engine import distributed

    if rank:
        distributed.join(rank, os.environ["KERAS_BACKEND"])
    if devices > 1:
        from zoo.engine.distributed import jax

        jax.use(devices)
    from tests.resumable import QUIET, recipe
    from zoo.datasets import Batches
    from zoo.engine import state
    from zoo.engine.backends import backend
    from zoo.engine.distributed import sharing
    from zoo.training import evaluation
    from zoo.training.chunks import Chunks
    from zoo.training.experiment import prepare

    found = recipe(name, callbacks=[])
    experiment = prepare(found, QUIET)
    model, chunks = experiment.model, Chunks(experiment.batches, [])
    held_out = evaluation.evaluated(model, Batches(experiment.validation, 7, seed=0))
    with sharing.together():
        samples = model.sample(600, seed=1)
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
    number = rank.number if rank else "alone"
    measured = {"held_out": [*held_out.values()], "samples": samples, "terms": np.array(terms)}
    np.savez(folder / f"{number}.npz", **measured, **state.captured(model))
    distributed.leave()


def made(
    name: str, count: int, folder: Path, processes: int, devices: int = 1
) -> list[dict[str, np.ndarray]]:
    """What each of some processes has in the end, each with so many devices of JAX."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.replicas", name, str(count), str(folder), str(devices)]
    flags = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}
    threads = {"OMP_NUM_THREADS": "1", **(flags if devices > 1 else {})}
    places = [ranks.environment(n, processes, folder) for n in range(processes)]
    started = [
        subprocess.Popen(command, env=os.environ | threads | place)
        for place in (places if processes > 1 else [{}])
    ]
    assert [child.wait(300) for child in started] == [0] * processes
    names = range(processes) if processes > 1 else ["alone"]
    return [dict(np.load(folder / f"{number}.npz")) for number in names]


if __name__ == "__main__":
    steps(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
