"""``zoo sweep``: a grid of runs, found again by their settings, and the table at its end."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import random
import signal
import sys

import keras
import pytest
import rich.console

import zoo
from tests import sweeps
from tests.commands import call, environment_kept
from tests.manifests import DATA, manifest
from zoo.config import grids, overrides
from zoo.config import recipe as recipes
from zoo.errors import ZooError
from zoo.reports.sweeping import Progress
from zoo.runs import folders, locks
from zoo.runs.run import Run
from zoo.runs.sought import Sought
from zoo.training.attempts import Attempt, Cell, Sweep
from zoo.training.here import Here

needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty folder with a recipe; the environment is put back."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.py").write_text(sweeps.RECIPE.replace("EPOCHS", "2"))
    with environment_kept():
        os.environ.pop("ZOO_RUNS", None)
        yield tmp_path


def made(place, number, changes, status="finished", **fields):
    """A run of the recipe, written here."""
    folder = place / "runs" / "tiny" / f"20261121T10150{number}Z-000{number}"
    folder.mkdir(parents=True)
    (folder / "recipe.py").write_bytes((place / "tiny.py").read_bytes())
    run = Run(folder)
    described = {"backend": keras.backend.backend(), "created": f"2026-11-21T10:15:0{number}"}
    settings = dict(change.split("=") for change in changes)
    described |= {"recipe": "tiny", "changes": list(changes), "status": status}
    run.write_manifest(manifest(**described, seed=int(settings.get("seed", 0)), **fields))
    return run


# --- a grid


@pytest.mark.backend_free
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8", ["8"]),
        ("8,16", ["8", "16"]),
        ("(256,128)", ["(256,128)"]),
        ("(256, 128),(512,)", ["(256, 128)", "(512,)"]),
        ("[1,2], [3]", ["[1,2]", "[3]"]),
        ("'a,b',c", ["'a,b'", "c"]),
        ("john's,jane's", ["john's", "jane's"]),
        ("NormalMixture(4, 2),StandardNormal(2)", ["NormalMixture(4, 2)", "StandardNormal(2)"]),
        ("", [""]),
    ],
)
def test_commas_part_values_but_for_those_in_brackets_and_quotes(text, expected):
    assert grids.values(text) == expected


@pytest.mark.backend_free
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["units=(1,2"], "a bracket is not closed: ) is missing"),
        (["a=1,,2"], "a value is empty"),
        (["a=1,2", "a=3"], "a is given twice: give all its values at once, a=a,b"),
        (["a=1e-3,0.001"], "a has a value twice"),
        (["a"], "a change is key=value"),
        ([f"{key}={','.join(map(str, range(30)))}" for key in "abc"], "these are 27,000 runs"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ZooError, match=message.replace("(", r"\(").replace(")", r"\)")):
        grids.combinations(changes)


@pytest.mark.backend_free
def test_changes_that_come_to_the_same_are_equal():
    assert grids.settled(["a.b=1e-3", "c=x"]) == grids.settled(["c=x", "a.b=0.001"])
    assert grids.settled(["model=iwae", "model.samples=5"]) != grids.settled(["model=iwae"])
    assert grids.settled(["model.latent_dim=3", "model=iwae"]) == grids.settled(["model=iwae"])


# --- runs that are there


@pytest.mark.backend_free
def test_a_run_is_found_by_what_it_was_made_of(place):
    backend, source = keras.backend.backend(), (place / "tiny.py").read_bytes()
    finished = made(place, 1, ["model.latent_dim=3", "seed=1"])
    made(place, 2, ["seed=1", "model.latent_dim=3"], status="failed")
    made(place, 3, ["model.latent_dim=4"], status="failed")
    newer = made(place, 4, ["model.latent_dim=4"], status="interrupted")
    made(place, 5, ["model.latent_dim=5"], weights_from="another")
    sought = Sought(place / "runs", "tiny", source)
    sought.refresh()
    found = sought.find(["model.latent_dim=3", "seed=1"], backend)
    assert found is not None and found.run == finished and found.finished
    unfinished = sought.find(["model.latent_dim=4"], backend)
    assert unfinished is not None and unfinished.run == newer and not unfinished.finished
    assert sought.find(["model.latent_dim=3"], backend) is None  # another seed
    assert sought.find(["model.latent_dim=5"], backend) is None  # it began elsewhere
    other = next(b for b in ("jax", "torch") if b != backend)
    assert sought.find(["model.latent_dim=4"], other) is None
    changed = Sought(place / "runs", "tiny", source + b"# another recipe")
    changed.refresh()
    assert changed.find(["model.latent_dim=4"], backend) is None


@pytest.mark.backend_free
@pytest.mark.parametrize(
    ("otherwise", "asked"),
    [
        ({"data": {**DATA, "name": "digits, a stand-in for MNIST"}}, {"strict": True}),
        ({"device": "gpu"}, {"device": "cpu"}),
        ({"device": "cpu"}, {"device": "gpu:1"}),
        ({"devices": 2}, {}),
        ({"resumed": ["after epoch 1: backend: 'jax' before, 'torch' now"]}, {}),
    ],
)
def test_a_run_that_was_trained_otherwise_is_none_of_the_sweep(place, otherwise, asked):
    made(place, 1, ["seed=1"], **otherwise)
    source, backend = (place / "tiny.py").read_bytes(), keras.backend.backend()
    sought = Sweep(place / "tiny.py", source, place / "runs", **asked).sought()
    assert sought.find(["seed=1"], backend) is None
    made(place, 2, ["seed=1"], device="mps" if "gpu" in str(asked) else "cpu")
    sought.refresh()
    assert sought.find(["seed=1"], backend) is not None


@pytest.mark.backend_free
def test_labels_of_runs_are_no_markup():
    cell = Cell(("path=[/data/x]",), "jax")
    progress = Progress({cell: "path='[/data/x]' [relu]"}, 0, 1, lambda cell: "")
    with io.StringIO() as out:
        progress.began(cell)
        rich.console.Console(file=out, width=80).print(progress)
        assert "path='[/data/x]' [relu]" in out.getvalue()
    progress.close()


@pytest.mark.backend_free
def test_a_manifest_that_changes_is_read_again(place):
    run = made(place, 1, ["seed=1"], status="running")
    sought = Sought(place / "runs", "tiny", (place / "tiny.py").read_bytes())
    for status in ("running", "finished"):
        run.update(status=status)
        sought.refresh()
        found = sought.find(["seed=1"], keras.backend.backend())
        assert found is not None and found.manifest.status == status


@pytest.mark.backend_free
def test_a_sweep_that_is_finished_trains_nothing_and_prints_its_table(place, capfd):
    for number, (dim, seed) in enumerate([(2, 0), (2, 1), (3, 0), (3, 1)]):
        model = {"name": "vae", "class": "zoo_vae:VAE", "settings": {"latent_dim": dim}}
        made(place, number, [f"model.latent_dim={dim}", f"seed={seed}"], model=model)
    args = ["sweep", "tiny.py", "model.latent_dim=2,3", "--seeds", "2"]
    args += ["--backends", keras.backend.backend()]
    status, out, err = call(capfd, *args, "--json")
    assert status == 0, err
    rows = json.loads(out)["rows"]
    assert [(row["settings"], row["seeds"]) for row in rows] == [
        ({"model.latent_dim": "2"}, [0, 1]),
        ({"model.latent_dim": "3"}, [0, 1]),
    ]
    assert f"4 runs of tiny in {place / 'runs'}: 4 finished" in err
    assert len(folders.all_runs(place / "runs")) == 4
    status, out, err = call(capfd, *args, "--dry-run")
    assert status == 0, err
    assert out.startswith("4 runs of tiny: 0 to train\n  latent_dim=2 seed=0  tiny/2026")


@pytest.mark.backend_free
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["tyni.py"], "no recipe 'tyni.py'; did you mean 'tiny.py'?"),
        (["tiny.py", "seed=1,2", "--seeds", "2"], "seed=... and --seeds both give seeds"),
        (["tiny.py", "--backends", "jaxx"], "unknown backend 'jaxx'; did you mean 'jax'?"),
        (["tiny.py", "--address", "auto"], "--address is of a Ray cluster: add --on ray"),
        (["tiny.py", "--dry-run", "--json"], "leave --json out"),
        (["tiny.py", "--metric", "elbow"], "unknown metric 'elbow'; did you mean 'elbo'?"),
    ],
)
def test_mistakes_are_told_before_anything_is_trained(place, capfd, args, message):
    status, out, err = call(capfd, "sweep", *args)
    assert (status, out) == (2, "") and message in err, err
    assert not (place / "runs").exists()


@pytest.mark.backend_free
def test_a_setting_that_does_not_fit_is_refused_before_anything_is_trained(place, capfd):
    status, out, err = call(capfd, "sweep", "tiny.py", "model.units=512,256")
    assert (status, out) == (2, "") and "model.units takes a tuple of int, not 512" in err, err
    assert not (place / "runs").exists()


@pytest.mark.backend_free
def test_ray_that_is_not_installed_is_named(place, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    status, _, err = call(capfd, "sweep", "tiny.py", "--on", "ray")
    assert status == 2 and 'Install it: pip install "keras-zoo[ray]"' in err


# --- while it lasts


@pytest.mark.backend_free
def test_progress_without_a_terminal_is_plain_lines(monkeypatch):
    out, cells = io.StringIO(), ["a", "b", "c"]
    progress = Progress({c: f"dim={c}" for c in cells}, 1, 2, lambda cell: "epoch 3/9", out)
    monkeypatch.setattr("zoo.reports.sweeping.EVERY", 0.0)
    monkeypatch.setattr("zoo.reports.sweeping.LOOK", 0.0)
    for cell in cells[:2]:
        progress.began(cell)
    progress.tick()
    progress.ended("a", "")
    progress.ended("b", "a term is not finite")
    progress.close()
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("1 of 4 finished, 2 running, 0:00  dim=a epoch 3/9 0:00  dim=b")
    assert lines[1:] == ["dim=a: finished in 0:00", "dim=b: a term is not finite"]


@pytest.mark.backend_free
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_a_run_that_another_process_trains_is_waited_for(place):
    run = made(place, 1, ["seed=1"], status="running")
    sweep = Sweep(place / "tiny.py", (place / "tiny.py").read_bytes(), place / "runs")
    attempt = Attempt(sweep, Cell(("seed=1",), keras.backend.backend()))
    with locks.held(run.path):
        assert attempt.outcome() is None
        run.update(status="finished")
    assert attempt.outcome() == ""
    stopped = Attempt(sweep, Cell(("seed=2",), keras.backend.backend()))
    stopped.loose()
    assert stopped.outcome() == "stopped"


@pytest.mark.backend_free
@pytest.mark.parametrize(("gpus", "expected"), [(0, ()), (1, ()), (2, ("gpu:0", "gpu:1", "gpu:0"))])
def test_several_gpus_are_shared_out(monkeypatch, gpus, expected):
    given = []
    monkeypatch.setattr(
        "zoo.training.here.Attempt", lambda sweep, cell, device, inherited: given.append(device)
    )
    here = Here(Sweep.__new__(Sweep), 3, gpus, ())
    for number in range(3):
        assert here.has_room()
        here.begin(Cell((f"seed={number}",), "jax"))
    assert not here.has_room()
    assert given == ([("--device", name) for name in expected] or [(), (), ()])


# --- real processes, killed


@needs_posix
@pytest.mark.once_in_short
def test_a_sweep_that_was_killed_ends_as_if_it_never_was(place, full):
    """Once in short. ``python -m tests.sweeps`` kills five times."""
    if full:
        args, count = ["model.latent_dim=2,3", "model.units=(8,),(4,4)", "--seeds", "3"], 12
        victims = random.Random(0).choices(["driver", "child"], k=5)
    else:  # one of the two is there already, as zoo run makes it
        args, count, victims = ["model.latent_dim=2,3"], 2, ["driver"]
        path, changes = place / "swept.py", ["model.latent_dim=2"]
        path.write_text(sweeps.RECIPE.replace("EPOCHS", "4"))
        recipe = overrides.override(recipes.load(path), changes)
        folder = str(place / "runs")
        zoo.train(recipe, name="swept", source=path, changes=changes, runs_folder=folder)
    backend = keras.backend.backend()
    args += ["--jobs", "2", "--backends", backend]
    found, killed = sweeps.soak(place, args, count, victims, epochs=4, most=1.0)
    assert killed == len(victims)
    assert len(list(csv.DictReader(io.StringIO(found)))) == (4 if full else 2)
    sweeps.compare_with_whole(place, found)


@needs_posix
@pytest.mark.slow
@pytest.mark.once_in_short
def test_a_run_that_fails_is_passed_over(place):
    (place / "tiny.py").write_text(
        sweeps.RECIPE.replace("EPOCHS", "1")
        + """
class Fails(zoo.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if self.model.plugin.latent_dim == 3:
            raise zoo.ZooError("three is too many")

recipe = __import__("dataclasses").replace(recipe, callbacks=[Fails()])
"""
    )
    driver = sweeps.start(place / "runs", place / "tiny.py", "model.latent_dim=3,2")
    out, err = driver.communicate(timeout=300)
    assert driver.returncode == 1
    assert "latent_dim=3: three is too many" in err
    assert "1 of 2 runs finished\nthe same command tries the others again" in err
    assert len(list(csv.DictReader(io.StringIO(out)))) == 1


@needs_posix
@pytest.mark.slow
@pytest.mark.once_in_short
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_with_a_checkpoint_and_says_how_to_go_on(place, number):
    runs = place / "runs"
    (place / "tiny.py").write_text(sweeps.RECIPE.replace("EPOCHS", "5000"))
    driver = sweeps.start(runs, place / "tiny.py", "model.latent_dim=3,2", "--jobs", "2")
    sweeps.wait_for(
        lambda: [run.manifest.epoch > 0 for run in folders.all_runs(runs)] == [True] * 2, "epochs"
    )
    children = sweeps.trainings(driver.pid)
    assert len(children) == 2
    driver.send_signal(number)
    out, err = driver.communicate(timeout=120)
    assert (driver.returncode, out) == (130 if number == signal.SIGINT else 143, "")
    assert "0 of 2 runs finished\nthe same command goes on with the others" in err
    assert not any(map(sweeps.is_alive, children))
    assert {run.status for run in folders.all_runs(runs)} == {"interrupted"}


needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray, the extra ray, is not installed"
)


@needs_posix
@needs_ray
@pytest.mark.slow
@pytest.mark.once_in_short
def test_on_ray_a_worker_and_a_driver_may_be_killed(place):
    args = ["model.latent_dim=2,3", "--jobs", "2", "--backends", keras.backend.backend()]
    victims = ["worker", "driver", "worker"]
    found, killed = sweeps.soak(place, [*args, "--on", "ray"], 2, victims, epochs=20, most=1.0)
    assert killed >= 2
    sweeps.compare_with_whole(place, found)
