"""The comparison of backends: its arithmetic here, its processes for real."""

from __future__ import annotations

import json
import math

import pytest

from tests.manifests import fields
from zoo import cli
from zoo.errors import RunFailed, ZooError
from zoo.runs import folders
from zoo.runtime import backends
from zoo.testing import parity

RECIPE = """
import keras
import zoo
from zoo import datasets

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=2, units=(8,)),
    dataset=datasets.Digits(batch_size=700, binarize="dynamic"),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    epochs=1,
)
"""

pytestmark = pytest.mark.backend_free


def test_differences_are_relative_and_the_largest_of_all_steps_and_pairs():
    traces = {
        "a": {"loss": [10.0, 20.0], "kl": [0.0, 1.0]},
        "b": {"loss": [10.0, 21.0], "kl": [0.0, 1.0]},
        "c": {"loss": [11.0, 20.0], "kl": [0.0, 1.0]},
    }
    loss, kl = parity.differences(traces)
    assert (loss.term, loss.step, loss.backends) == ("loss", 1, ("a", "c"))
    assert loss.relative == pytest.approx(1 / 11)
    assert (kl.term, kl.relative) == ("kl", 0)


def test_a_small_term_is_compared_by_the_loss_of_its_player():
    traces = {
        "a": {"loss": [100.0], "g/loss": [10.0], "g/kl": [0.1], "d/loss": [90.0]},
        "b": {"loss": [100.0], "g/loss": [10.0], "g/kl": [0.2], "d/loss": [90.0]},
    }
    assert parity.differences(traces)[2].relative == pytest.approx(0.1 / 10)
    for trace in traces.values():
        del trace["g/loss"]
    assert parity.differences(traces)[1].relative == pytest.approx(0.1 / 100)


@pytest.mark.parametrize("pair", [(math.nan, 1.0), (math.nan, math.nan), (math.inf, 1.0)])
def test_what_is_not_finite_never_agrees(pair):
    [found] = parity.differences({"a": {"loss": [pair[0]]}, "b": {"loss": [pair[1]]}})
    assert found.relative == math.inf


@pytest.mark.parametrize("other", [{"loss": [1.0]}, {"lss": [1.0, 2.0]}])
def test_other_terms_or_steps_are_a_failure(other):
    with pytest.raises(RunFailed, match="different terms or steps"):
        parity.differences({"a": {"loss": [1.0, 2.0]}, "b": other})


@pytest.fixture
def recorded(monkeypatch):
    """Pretend that two backends recorded what they are told."""

    def made(trace):
        own = dict(trace)
        return parity.Recording(samples=own.pop("samples", ()), trace=own)

    def pretend(traces):
        monkeypatch.setattr(backends, "installed", lambda: tuple(traces))
        monkeypatch.setattr(
            parity, "record_in_process", lambda backend, *arguments: made(traces[backend])
        )
        for name in ("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS", "KERAS_TORCH_DEVICE"):
            monkeypatch.setenv(name, "")  # so that it is put back

    return pretend


@pytest.mark.parametrize(("tolerance", "status"), [("1e-3", 1), ("0.1", 0)])
def test_the_exit_status_is_the_verdict(recorded, capsys, tolerance, status):
    recorded({"jax": {"loss": [1.0, 2.0]}, "torch": {"loss": [1.0, 2.02]}})
    assert cli.main(["parity", "vae_mnist", "--tolerance", tolerance]) == status
    out = capsys.readouterr().out
    assert "loss  9.9e-03  (step 2, jax and torch)" in out
    assert ("above the tolerance" in out) == bool(status)
    assert ("differ by more than" if status else "agree within") in out


def test_a_run_means_its_copy_of_its_recipe_with_its_changes(monkeypatch, tmp_path, capsys):
    source = tmp_path / "mine.py"
    source.write_text("recipe = None\n")
    run = folders.create(tmp_path / "runs", "mine", source=source, **fields(changes=["epochs=2"]))
    run.update(status="finished")
    asked = []

    def recorded(backend, *arguments):
        asked.append(arguments[:2])
        return parity.Recording({"loss": [1.0]}, [])

    monkeypatch.setattr(parity, "record_in_process", recorded)
    monkeypatch.setattr(backends, "installed", lambda: ("jax", "torch"))
    for name in ("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS", "KERAS_TORCH_DEVICE"):
        monkeypatch.setenv(name, "")  # so that it is put back
    for text in ("latest", "mine", "runs:mine"):
        args = ["parity", text, "seed=1", "--runs", str(tmp_path / "runs")]
        assert cli.main(args) == 0
        assert capsys.readouterr().err.startswith(f"{run.name}: the newest ")
    assert asked == [(run.recipe, ("epochs=2", "seed=1"))] * 6
    assert cli.main(["parity", "nobody", "--runs", str(tmp_path / "runs")]) == 2
    assert "'nobody' is no recipe and no run" in capsys.readouterr().err


def test_json(recorded, capsys):
    recorded({"jax": {"loss": [1.0]}, "torch": {"loss": [math.inf]}})
    assert cli.main(["parity", "vae_mnist", "--json"]) == 1
    report = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert report["passed"] is False
    assert report["terms"][0]["relative"] is None
    assert report["traces"] == {"jax": {"loss": [1.0]}, "torch": {"loss": [None]}}


@pytest.mark.parametrize(("other", "status"), [([0.5, 1e-6, -2.0], 0), ([0.5, 1e-3, -2.0], 1)])
def test_samples_are_compared_by_their_largest_number(recorded, capsys, other, status):
    terms = {"loss": [1.0]}
    recorded({"jax": {**terms, "samples": [0.5, 0.0, -2.0]}, "torch": {**terms, "samples": other}})
    assert cli.main(["parity", "vae_mnist"]) == status
    out = capsys.readouterr().out
    assert f"samples  {other[1] / 2:.1e}  (before the first step, jax and torch)" in out
    assert ("above the tolerance" in out) == bool(status)


def test_samples_that_are_not_finite_or_missing_never_agree():
    def made(*samples):
        return {b: parity.Recording({}, s) for b, s in zip("ab", samples, strict=True)}

    assert parity.samples_difference(made([math.nan, 1.0], [2.0, 1.0])).relative == math.inf
    assert parity.samples_difference(made([1.0, math.nan], [1.0, math.nan])).relative == math.inf
    assert parity.samples_difference(made([0.0], [0.0])).relative == 0
    assert parity.samples_difference(made([], [])) is None
    with pytest.raises(RunFailed, match="different sizes"):
        parity.samples_difference(made([1.0], []))


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def test_one_backend_is_too_few(recorded, capsys):
    recorded({"jax": {"loss": [1.0]}})
    assert cli.main(["parity", "vae_mnist"]) == 2
    assert "only jax is installed" in capsys.readouterr().err


def test_all_backends_take_the_same_steps(tmp_path, capfd, full, monkeypatch):
    """Three steps, past the end of an epoch, each backend in its own process; two in short."""
    if len(backends.installed()) < 2:
        pytest.skip("only one backend is installed")
    if not full:
        two = backends.installed()[:: len(backends.installed()) - 1]
        monkeypatch.setattr(backends, "installed", lambda: two)
    path = tmp_path / "tiny.py"
    path.write_text(RECIPE)
    before = dict(parity.os.environ)
    try:
        assert cli.main(["parity", str(path), "--steps", "3", "--json"]) == 0
    finally:
        parity.os.environ.clear()
        parity.os.environ.update(before)
    captured = capfd.readouterr()
    report = json.loads(captured.out)
    assert set(report["traces"]) == set(backends.installed())
    assert {row["term"] for row in report["terms"]} == {
        "loss",
        "autoencoder/kl",
        "autoencoder/reconstruction",
    }
    assert max(row["relative"] for row in report["terms"]) < 1e-5
    assert 0 <= report["samples"]["relative"] < 1e-5
    for trace in report["traces"].values():
        assert len(trace["loss"]) == 3 and len(set(trace["loss"])) == 3
    recipe, plan, *each = captured.err.splitlines()
    assert recipe.startswith("recipe ")
    assert plan.startswith("3 steps each on ") and plan.endswith("nothing is kept")
    assert each == [f"{name} ..." for name in backends.installed()]


def test_a_mistake_in_the_recipe_is_told_once(tmp_path):
    path = tmp_path / "tiny.py"
    path.write_text(RECIPE)
    backend = backends.installed()[0]
    with pytest.raises(ZooError, match=r"^recipe: unknown setting 'epoch'; did you mean 'epochs'"):
        parity.record_in_process(backend, path, ["epoch=3"], 1, {})


def test_a_process_that_breaks_is_a_failure(tmp_path):
    path = tmp_path / "tiny.py"
    path.write_text("import os; os._exit(3)")
    backend = backends.installed()[0]
    with pytest.raises(RunFailed, match=f"{backend} broke with exit status 3"):
        parity.record_in_process(backend, path, [], 1, {})
