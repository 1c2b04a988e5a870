"""Kills and stops processes that train together, at random moments, and compares how it ends.

    python -m tests.crews                             10 kills and 2 stops on each backend
    python -m tests.crews --backend jax --kills 3 --stops 0 --processes 3 --on ray

Every process is a real one. The training has to end with the state of one that was let be, bit for
bit. Then whoever watches a training is killed: no process may be left after ten seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests import sweeps
from zoo.runs.checkpoints import Store
from zoo.runs.run import Run
from zoo.runtime import backends

RECIPE = """
import keras
import zoo
from zoo import callbacks, datasets

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=2, units=(8,)),
    dataset=datasets.Digits(batch_size=65, binarize="dynamic"),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    callbacks=[
        callbacks.TensorBoard(),
        callbacks.Checkpoint(every="3 steps"),
        keras.callbacks.EarlyStopping("val_loss", patience=1000),
        keras.callbacks.ReduceLROnPlateau("val_loss", patience=1, min_delta=100),
    ],
    ema=0.9,
    epochs=4,
)
"""

IN_TIME = 10.0  # seconds in which processes end that nobody watches

AGENTS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")
"""Processes of Ray itself: where their cluster was killed, they look for it for about a minute."""


class Command:
    """``zoo`` in a process, with the recipe above, in a folder."""

    def __init__(self, folder: Path, backend: str, *args: str):
        folder.mkdir(exist_ok=True)
        (folder / "small.py").write_text(RECIPE)
        self.folder = folder
        self.child = subprocess.Popen(
            [sys.executable, "-m", "zoo", *args, "--backend", backend, "--runs", "runs"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"ZOO_DATA": ""},
        )

    def ended(self, timeout: float = 900) -> tuple[int, str]:
        told, _ = self.child.communicate(timeout=timeout)
        return self.child.returncode, told

    def workers(self) -> dict[int, int]:
        """``{rank: pid}`` of the processes that train for it."""
        found = {}
        for pid, command in sweeps.descendants(self.child.pid).items():
            try:
                variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if " -m zoo " in command:
                found |= {int(v[5:]): pid for v in variables if v.startswith(b"RANK=")}
        return found

    def run(self) -> Run | None:
        """The run, if it has a folder."""
        found = list(self.folder.glob("runs/small/*/run.json"))
        return Run(found[0].parent) if found else None

    def until_checkpoint(self, epochs: int = 1) -> Run:
        """The run, once some epochs of it are on the disk."""
        for _ in range(12000):
            run = self.run()
            if run and json.loads((run.path / "run.json").read_text())["epoch"] >= epochs:
                return run
            assert self.child.poll() is None, self.ended()
            time.sleep(0.05)
        raise AssertionError("no checkpoint")

    def until_written(self) -> None:
        """Wait for a new checkpoint, or for the end."""
        began = time.time()
        while self.child.poll() is None:
            run = self.run()
            if run and any(p.stat().st_mtime > began for p in run.checkpoints.glob("*")):
                return
            time.sleep(0.05)


def end(folder: Path) -> dict[str, np.ndarray]:
    """The state with which the run of a folder ended."""
    (path,) = folder.glob("runs/small/*")
    return dict(Store(Run(path).checkpoints).newest().arrays)


def assert_same(ours, theirs) -> None:
    """Two states are equal, bit for bit."""
    assert ours.keys() == theirs.keys()
    assert [key for key in ours if not np.array_equal(ours[key], theirs[key])] == []


def assert_all_end(command: Command) -> None:
    """Kill a command; whoever it has started ends, and the run does not say that it is trained."""
    started = sweeps.descendants(command.child.pid)
    ours = [pid for pid, args in started.items() if args not in AGENTS]
    run = command.run()
    command.child.kill()
    command.child.wait()
    sweeps.wait_for(lambda: not any(map(sweeps.is_alive, ours)), "the end of all", IN_TIME)
    sweeps.wait_for(lambda: not any(map(sweeps.is_alive, started)), "the end of Ray's agents")
    assert run is not None and run.status in ("interrupted", "killed")


def soak(
    folder: Path,
    backend: str,
    args: Sequence[str],
    faults: Sequence[int],
    *,
    epochs: int,
    seed: int,
) -> None:
    """Compare a training whose processes are sent signals with one that is let be.

    Args:
        folder: an empty one.
        backend: what both train on.
        args: of ``zoo launch``.
        faults: signals, one after the other.
        epochs: of the training, which has to last for so many.
        seed: of the moments and victims.

    Raises:
        AssertionError: it failed, ended otherwise, or a process was left.
    """
    moments = random.Random(seed)
    launch = ["launch", "small.py", f"epochs={epochs}", *args]
    status, told = Command(folder / "calm", backend, *launch).ended(3600)
    assert status == 0, told
    command = Command(folder / "broken", backend, *launch, "--max-restarts", str(len(faults)))
    for fault in faults:
        sweeps.wait_for(command.workers, "a process that trains", 600)
        if moments.random() < 0.75:  # else it may be within the start
            command.until_written()
        time.sleep(moments.uniform(0, 3))
        assert command.child.poll() is None, f"over before all faults: {command.ended()}"
        workers = command.workers()
        os.kill(moments.choice(sorted(workers.values())), fault)
        sweeps.wait_for(
            lambda seen=workers: not set(seen.values()) & set(command.workers().values()),
            "the end of those that trained together",
        )
    status, told = command.ended(3600)
    assert status == 0, told
    assert_same(end(folder / "calm"), end(folder / "broken"))
    assert "0 restarts left" in told, told
    command = Command(folder / "orphans", backend, "launch", "small.py", "epochs=2000", *args)
    command.until_checkpoint()
    assert_all_end(command)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crews", description=__doc__)
    parser.add_argument("--backend", metavar="NAME", action="append")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--on", choices=["local", "ray"], default="local")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--stops", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    faults = [signal.SIGKILL] * options.kills + [signal.SIGSTOP] * options.stops
    random.Random(options.seed).shuffle(faults)
    args = ["--processes", str(options.processes), "--on", options.on]
    for backend in options.backend or backends.installed():
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as name:
            soak(Path(name), backend, args, faults, epochs=options.epochs, seed=options.seed)
        what = f"{options.kills} kills and {options.stops} stops, the same end; no process left"
        print(f"{backend}, {' '.join(args)}: {what}, {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
