"""``zoo compare``: one table of recipes and runs."""

from __future__ import annotations

import json
import os

import pytest

from tests.manifests import manifest
from zoo import cli
from zoo.reports import table
from zoo.runs import folders
from zoo.runs.run import Run

VAE = """
import keras
import zoo
from zoo import datasets, metrics

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=2, units=(8,)),
    dataset=datasets.Digits(batch_size=512),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-2)},
    metrics=[metrics.ELBO()],
    epochs=2,
)
"""

GAN = """
import zoo
from zoo import datasets

recipe = zoo.Recipe(
    model=zoo.model("gan", prior=zoo.nn.distributions.StandardNormal(2), units=(8,)),
    dataset=datasets.Digits(batch_size=512),
    optimizers={"discriminator": "adam", "generator": "adam"},
    epochs=2,
)
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty folder with two recipes; the environment is put back."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "likely.py").write_text(VAE)
    (tmp_path / "playful.py").write_text(GAN)
    before = dict(os.environ)
    os.environ.pop("ZOO_RUNS", None)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def call(capfd, *args):
    """Exit status, stdout and stderr of a command in this process."""
    capfd.readouterr()
    status = cli.main([str(arg) for arg in args])
    return status, *capfd.readouterr()


def finished(root, recipe, number, **changes):
    """A run's folder with all that the table reads, written here."""
    folder = root / recipe / f"20261121T10150{number}Z-000{number}"
    folder.mkdir(parents=True)
    run = Run(folder)
    run.write_manifest(manifest(recipe=recipe, **changes))
    return run


def number(value, **details):
    return {"value": value, "unit": "", "protocol": "by hand", "details": details}


@pytest.mark.backend_free
def test_the_table_of_runs_has_what_was_measured_and_dashes(place, capfd):
    first = finished(place / "runs", "ae", 1, abilities=["encode"], finished_in_seconds=12.4)
    first.write_json("results.json", {"metrics": {"compression": number(16.0, mse=0.0123456)}})
    first.write_json("evaluation.json", {"metrics": {"linear_probe": number(0.9)}})
    second = finished(place / "runs", "gan", 2, abilities=["sample"], finished_in_seconds=7)
    judged = number(0.51, real=0.953, least_class=0.03)
    second.write_json("results.json", {"metrics": {"recognition": judged}})
    finished(place / "runs", "old", 3)
    status, out, err = call(capfd, "compare", "0001", "0002", "0003")
    assert status == 0, err
    head, *rows = out.split("\n\n")[0].splitlines()
    columns = ["MSE", "recognized", "real", "least class", "linear probe", "seconds", "can"]
    starts = [head.index(column) for column in columns]
    cells = [
        [row[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)] for row in rows
    ]
    assert cells == [
        ["0.01235", "-", "-", "-", "0.9", "12", "encode"],
        ["-", "0.51", "0.953", "0.03", "-", "7", "sample"],
        ["-", "-", "-", "-", "-", "-", "sample"],
    ]
    assert "log p(x)" not in head
    assert f"recognition of {second.name}:\n  by hand" in out


@pytest.mark.backend_free
def test_the_bound_of_more_samples_comes_before_the_elbo(place):
    run = finished(place / "runs", "vae", 1)
    run.write_json("results.json", {"metrics": {"elbo": number(-96.0)}})
    assert table.row(run).measured == {"log p(x), nats": -96.0}
    run.write_json("evaluation.json", {"metrics": {"log_likelihood": number(-92.0)}})
    assert table.row(run).measured == {"log p(x), nats": -92.0}
    assert set(table.row(run).protocols) == {"log_likelihood"}


@pytest.mark.slow
@pytest.mark.backend_free
def test_recipes_are_trained_measured_and_compared(place, capfd):
    args = ["likely.py", "playful.py", "epochs=1", "--metric", "mse", "--metric", "elbo", "--train"]
    status, out, err = call(capfd, "compare", *args, "--json")
    assert status == 0, err
    rows = json.loads(out)["rows"]
    assert [row["recipe"] for row in rows] == ["likely", "playful"]
    assert [row["model"] for row in rows] == ["vae", "gan"]
    assert {row["data"] for row in rows} == {"digits"}
    assert set(rows[0]["measured"]) == {"log p(x), nats", "MSE"}
    assert rows[1]["measured"] == {} and "sample" in rows[1]["abilities"]
    assert all(row["seconds"] >= 0 for row in rows)
    assert "epoch 1/1" in err and "epoch 2" not in err
    made = folders.all_runs(place / "runs")
    assert {run.name for run in made} == {row["run"] for row in rows}
    measured_once = [line for line in err.splitlines() if line.startswith("measuring")]
    assert measured_once == [f"measuring mse of {rows[0]['run']}"]


@pytest.mark.backend_free
def test_a_recipe_that_fails_ends_the_comparison_with_its_own_words(place, capfd):
    status, out, err = call(capfd, "compare", "likely.py", "model.latent=3", "--train")
    assert (status, out) == (1, "")
    assert "unknown setting 'latent'" in err
    assert "training likely failed, with exit status 2; why is said above" in err


@pytest.mark.backend_free
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["epochs=3"], "name recipes or runs to compare"),
        (["vae_mnsit"], "'vae_mnsit' is no recipe and no run: no recipe 'vae_mnsit'; did you mean"),
        (["latest"], "'latest' is no recipe and no run"),
        (["gan", "--train"], "'gan' is a model, and not a recipe"),
        (["vae_mnist", "--metric", "elbow"], "unknown metric 'elbow'; did you mean 'elbo'?"),
    ],
)
def test_mistakes_are_told_before_anything_is_trained(place, capfd, args, message):
    status, out, err = call(capfd, "compare", *args)
    assert (status, out) == (2, "")
    assert message in err
    assert not (place / "runs").exists()


@pytest.mark.backend_free
def test_a_recipe_is_its_newest_finished_run(place, capfd):
    finished(place / "runs", "gan_mnist", 1)
    newest = finished(place / "runs", "gan_mnist", 2)
    unfinished = finished(place / "runs", "gan_mnist", 3, status="failed")
    status, out, err = call(capfd, "compare", "gan_mnist", unfinished.id, "--json")
    assert status == 0, err
    assert [row["run"] for row in json.loads(out)["rows"]] == [newest.name, unfinished.name]
    assert err.splitlines()[0].startswith(f"{newest.name}: the newest finished run of gan_mnist")


@pytest.mark.backend_free
@pytest.mark.parametrize("args", [["likely.py"], ["likely.py", "epochs=1"]])
def test_nothing_is_trained_unasked_and_the_time_is_told(place, capfd, args):
    status, out, err = call(capfd, "compare", *args)
    assert (status, out) == (2, "")
    assert "nothing was trained. With --train, this command trains:\n  likely: about " in err
    assert not (place / "runs").exists()


@pytest.mark.backend_free
def test_changes_are_for_recipes(place, capfd):
    finished(place / "runs", "ae", 1)
    status, _, err = call(capfd, "compare", "0001", "epochs=3")
    assert status == 2 and "epochs=3 changes recipes, and there are only runs" in err
