"""``zoo evaluate``: what it measures, prints, keeps and refuses."""

from __future__ import annotations

import json
import shutil

import keras
import pytest

from tests.commands import call, environment_kept
from zoo import cli
from zoo.metrics import budget
from zoo.runs import folders
from zoo.runs import results as evaluation
from zoo.runs.run import Run

RECIPE = """
import keras
import zoo
from zoo import datasets, metrics

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=2, units=(8,)),
    dataset=datasets.Digits(batch_size=512, binarize="dynamic"),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-2)},
    metrics=[metrics.ELBO(), metrics.LogLikelihood(samples=3)],
    epochs=2,
    seed=5,
)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run, made by the command in this process."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "tiny.py").write_text(RECIPE)
    with environment_kept():
        assert cli.main(["run", str(folder / "tiny.py"), "--runs", str(folder / "runs")]) == 0
    [found] = folders.all_runs(folder / "runs")
    return found


@pytest.fixture(autouse=True)
def environment(run):
    """Each test starts with a run that was never evaluated; the environment is put back."""
    with environment_kept():
        (run.path / evaluation.FILE).unlink(missing_ok=True)
        yield


def test_the_metrics_of_the_recipe_give_the_results_again(run, capfd):
    before = (run.path / "results.json").read_bytes()
    status, out, err = call(capfd, "evaluate", run.path, "--json")
    assert status == 0, err
    told = json.loads(out)
    assert told["run"] == run.name and told["path"] == str(run.path)
    results = run.read_json("results.json")["metrics"]
    assert set(told["metrics"]) == set(results) == {"elbo", "log_likelihood"}
    for name, found in results.items():
        again = told["metrics"][name]
        assert again.pop("value") == pytest.approx(found.pop("value"), rel=1e-5)
        assert again == found
    assert (run.path / "results.json").read_bytes() == before
    kept = run.read_json("evaluation.json")["metrics"]["elbo"]
    assert (kept["seed"], kept["backend"]) == (5, keras.backend.backend())


@pytest.mark.once_in_short
def test_a_metric_by_name_with_its_unit_and_protocol_in_words(run, capfd):
    status, out, err = call(capfd, "evaluate", run.path, "--metric", "linear_probe")
    assert status == 0, err
    first, line, details = out.splitlines()
    assert first == f"run {run.name}"
    assert line.startswith("  linear_probe  0.") and "pixels binarized once from seed 5)" in line
    assert details.split()[::2] == ["on_data", "ratio"]


@pytest.mark.once_in_short
def test_evaluations_add_up_and_show_beside_the_results(run, capfd):
    for name in ("mse", "linear_probe"):
        assert call(capfd, "evaluate", run.path, "--metric", name)[0] == 0
    assert set(run.read_json("evaluation.json")["metrics"]) == {"mse", "linear_probe"}
    assert list(evaluation.kept(run)) == ["elbo", "log_likelihood", "mse", "linear_probe"]
    out = call(capfd, "show", run.path)[1]
    assert "elbo  -" in out and "mse  0." in out


@pytest.mark.once_in_short
def test_settings_are_those_of_the_recipe_unless_changed(run, capfd):
    _, out, _ = call(capfd, "evaluate", run.path, "--metric", "log_likelihood", "--json")
    assert "3 importance samples" in json.loads(out)["metrics"]["log_likelihood"]["protocol"]
    change = "metrics.LogLikelihood.samples=7"
    status, out, err = call(capfd, "evaluate", run.path, change, "--json")
    assert status == 0, err
    assert "7 importance samples" in json.loads(out)["metrics"]["log_likelihood"]["protocol"]


@pytest.mark.once_in_short
def test_a_shortened_value_is_marked_and_full_measures_all(run, capfd, monkeypatch):
    monkeypatch.setattr(budget, "FEWEST", 20)
    monkeypatch.setattr(budget, "of", lambda seconds: 0.0)
    status, out, err = call(capfd, "evaluate", run.path)
    assert status == 0, err
    assert "  elbo  ~-" in out and "(digits, shortened to 25 of 200 test examples: mean" in out
    assert "of the whole one: zoo evaluate RUN --full" in out
    assert run.read_json("evaluation.json")["metrics"]["elbo"]["shortened"].startswith("25 of 200")
    assert "elbo  -" in call(capfd, "show", run.path)[1]  # the whole one of the training stays
    assert call(capfd, "evaluate", run.path, "--metric", "mse")[0] == 0
    assert "mse  ~0." in call(capfd, "show", run.path)[1]
    assert "  ~0." in call(capfd, "compare", run.path)[1]
    assert call(capfd, "evaluate", run.path, "--metric", "mse", "--full")[0] == 0
    status, out, err = call(capfd, "evaluate", run.path, "--full")
    assert status == 0 and "~" not in out and "digits: mean over 200 test examples" in out
    assert "~" not in call(capfd, "show", run.path)[1]


@pytest.mark.once_in_short
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--metric", "mes"], "unknown metric 'mes'; did you mean 'mse'?"),
        (
            ["--metric", "accuracy"],
            "needs a model that can classify, which VAE cannot; it can: sam",
        ),
        (["--metric", "mode_coverage"], "needs a mixture of known modes"),
        (["--metric", "mse", "metrics.MSE.sample=3"], "unknown setting 'sample'"),
        (["metrics.ELBOW.samples=3"], "unknown entry 'ELBOW'; did you mean 'ELBO'?"),
        (["epochs=3"], "unknown setting 'epochs'. Accepted: metrics."),
    ],
)
def test_mistakes_are_told_and_nothing_is_kept(run, capfd, args, message):
    status, out, err = call(capfd, "evaluate", run.path, *args)
    assert (status, out) == (2, "")
    assert message in err
    assert not (run.path / "evaluation.json").exists()


@pytest.mark.once_in_short
def test_a_run_whose_recipe_measures_nothing_asks_for_a_name(run, capfd, tmp_path):
    copy = tmp_path / "tiny" / run.id
    shutil.copytree(run.path, copy)
    Run(copy).update(metrics=[])
    status, _, err = call(capfd, "evaluate", copy)
    assert status == 2
    assert "measures nothing; name what to measure, as --metric NAME. There are: accuracy," in err


@pytest.mark.once_in_short
def test_other_data_are_refused(run, capfd, tmp_path):
    copy = tmp_path / "tiny" / run.id
    shutil.copytree(run.path, copy)
    Run(copy).update(data={**run.manifest.json()["data"], "fingerprint": "0"})
    status, _, err = call(capfd, "evaluate", copy)
    assert status == 2 and "digits with another fingerprint" in err
