"""Kills a sweep at random moments, driver and children, and compares how it ends.

    python -m tests.sweeps                     5 kills of 12 runs
    python -m tests.sweeps --kills 9 --seed 1 --on ray

Every process is a real one, killed with SIGKILL. The same command is given until it ends well.
Then there has to be one folder per run, and the table of runs that were never stopped.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from zoo.runs import folders, locks
from zoo.runtime import backends

RECIPE = """
import keras
import zoo
from zoo import datasets

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=2, units=(8,)),
    dataset=datasets.Digits(batch_size=128),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    metrics=[zoo.metrics.ELBO()],
    epochs=EPOCHS,
)
"""


def start(runs: Path, recipe: Path, *args: str) -> subprocess.Popen:
    """A sweep in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "zoo", "sweep", str(recipe), *args, "--format", "csv"],
        env={**os.environ, "ZOO_RUNS": str(runs)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def descendants(pid: int) -> dict[int, str]:
    """``{pid: command}`` of all that a process has started, and those again."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    found = {pid: ""}
    for _ in rows:
        more = {int(r[0]): r[2] for r in rows if int(r[1]) in found and int(r[0]) not in found}
        if not more:
            break
        found |= more
    del found[pid]
    return found


def trainings(pid: int) -> list[int]:
    """The processes below one that train."""
    return [
        child
        for child, command in descendants(pid).items()
        if " -m zoo run " in command or " -m zoo resume " in command
    ]


def workers(pid: int) -> list[int]:
    """The processes of Ray below one that wait for a training."""
    return [child for child, command in descendants(pid).items() if command.startswith("ray::_")]


def is_alive(pid: int) -> bool:
    """Whether there is such a process that runs."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(told.stdout.strip()) and not told.stdout.strip().startswith("Z")


def wait_for(condition, what: str, seconds: float = 120.0) -> None:
    """Wait until something holds."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


def is_training(runs: Path) -> bool:
    """Whether a run has a folder and its lock is held."""
    return any(run.status == "running" for run in folders.all_runs(runs))


def kill(pid: int) -> None:
    """SIGKILL, also for a process that has ended."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def soak(
    folder: Path,
    args: Sequence[str],
    count: int,
    victims: Sequence[str],
    *,
    epochs: int,
    most: float,
    seed: int = 0,
) -> tuple[str, int]:
    """Give a sweep's command until it ends well, while processes of it are killed.

    Args:
        folder: an empty one.
        args: of the sweep.
        count: runs that it has.
        victims: ``"driver"``, ``"child"`` or ``"worker"``, one after the other.
        epochs: of each run.
        most: seconds from the beginning of a training to a kill, at most.
        seed: of the moments.

    Returns:
        The table, without times, and how many were killed.

    Raises:
        AssertionError: a process outlived its driver, or a run was made twice.
    """
    moments, pending, killed = random.Random(seed), list(victims), 0
    recipe, runs = folder / "swept.py", folder / "runs"
    recipe.write_text(RECIPE.replace("EPOCHS", str(epochs)))
    for _ in range(len(victims) + 2):
        driver = start(runs, recipe, *args)
        while pending and driver.poll() is None:
            wait_for(lambda d=driver: is_training(runs) or d.poll() is not None, "a training")
            time.sleep(moments.uniform(0, most))
            below = [*trainings(driver.pid)]
            found = {"driver": [driver.pid], "child": below, "worker": workers(driver.pid)}
            if driver.poll() is not None or not found[pending[0]]:
                continue
            everything = [*descendants(driver.pid)]
            kill(moments.choice(found[pending[0]]))
            killed += 1
            if pending.pop(0) == "driver":
                wait_for(lambda e=everything: not any(map(is_alive, e)), "the end of all children")
                assert not is_training(runs), "a run says running and nobody trains it"
        out, err = driver.communicate(timeout=3600)
        assert "Traceback" not in err, err
        if driver.returncode == 0 and not pending:
            break
    assert driver.returncode == 0, err
    made = folders.all_runs(runs)
    assert len(made) == count, f"{len(made)} runs in place of {count}"
    assert {run.status for run in made} == {"finished"}
    assert not any(locks.is_held(run.path) for run in made)
    return table(out), killed


def table(text: str) -> str:
    """A table in CSV without what differs from time to time."""
    rows = list(csv.DictReader(io.StringIO(text)))
    names = [name for name in rows[0] if name != "seconds"]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def compare_with_whole(folder: Path, text: str) -> None:
    """Train each run of a table in this process, unstopped, and compare their table with it.

    Raises:
        AssertionError: a mean or a deviation is another.
    """
    import zoo
    from zoo.config import overrides
    from zoo.config import recipe as recipes

    for row in csv.DictReader(io.StringIO(text)):
        changes = [f"{key}={value}" for key, value in row.items() if key.startswith("model.")]
        elbos = []
        for seed in row["seeds"].split():
            recipe = recipes.load(folder / "swept.py")
            recipe = overrides.override(recipe, [*changes, f"seed={seed}"])
            run = zoo.train(recipe, runs_folder=str(folder / "whole"))
            elbos.append(run.read_json("results.json")["metrics"]["elbo"]["value"])
        found = float(row["elbo, nats mean"]), int(row["elbo, nats n"])
        assert found == (statistics.fmean(elbos), len(elbos)), f"{changes}: {found}, {elbos}"
        if len(elbos) > 1:
            assert float(row["elbo, nats sd"]) == statistics.stdev(elbos)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sweeps", description=__doc__)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--on", choices=["here", "ray"], default="here")
    options = parser.parse_args()
    kinds = ["driver", "child"] if options.on == "here" else ["driver", "worker"]
    moments = random.Random(options.seed)
    victims = [moments.choice(kinds) for _ in range(options.kills)]
    args = ["model.latent_dim=2,3", "model.units=(8,),(4,4)", "--seeds", "3"]
    where = ["--jobs", "2", "--on", options.on, "--backends", backends.choose().backend]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found, count = soak(
            folder, [*args, *where], 12, victims, epochs=4, most=15.0, seed=options.seed
        )
        compare_with_whole(folder, found)
    took = f"{time.monotonic() - began:.0f} s"
    print(f"{options.on}: killed {count} times ({', '.join(victims)}), the same table, {took}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
