"""What ``zoo diagnose`` says, by numbers worked by hand, and of runs that were made ill."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import diagnosis as benchmark
from tests.resumable import QUIET, recipe, train
from tests.test_docs import anchors
from zoo.datasets import Data, Split
from zoo.plugin.model import DataSpec
from zoo.reports import summary
from zoo.reports.diagnosis import Evidence, Finding, diagnose, lines, read
from zoo.runs.curves import Curve, by_epoch, by_step
from zoo.runs.signs import Signs

ROOT = Path(__file__).parents[1]


def curve(*values: float) -> Curve:
    return Curve([*range(1, len(values) + 1)], list(values))


FALLEN = [100.0, 60.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0]
HEALTHY = Evidence(
    {"loss": curve(*FALLEN), "val_loss": curve(*FALLEN), "a/kl": curve(*FALLEN)},
    signs=Signs(steps=5000, kl=[1.0] * 8),
    made=5000,
)
GAME = Evidence(
    {f"{player}/loss": curve(*[1.4] * 10) for player in ("discriminator", "generator")},
    {f"gradient_norm/{player}": curve(*[1.0] * 50) for player in ("discriminator", "generator")},
    Signs(
        steps=5000,
        duplicates=0.1,
        coverage=0.8,
        coverage_of_real=0.97,
        told_apart={"discriminator": 0.7},
    ),
    made=5000,
)


def ill(seen: Evidence) -> list[str]:
    return [finding.name for finding in diagnose(seen).findings if finding.ill]


def of_game(**signs) -> Evidence:
    return dataclasses.replace(GAME, signs=dataclasses.replace(GAME.signs, **signs))


def with_loss(seen: Evidence, **curves_) -> Evidence:
    return dataclasses.replace(seen, epochs={**seen.epochs, **curves_})


def test_nothing_is_called_ill_of_the_healthy():
    assert diagnose(HEALTHY).findings == diagnose(GAME).findings == []
    assert lines(diagnose(HEALTHY)) == ["Nothing looks ill to 6 rules."]
    assert set(diagnose(HEALTHY).unseen) == {
        "vanishing_gradient",
        "discriminator_wins",
        "mode_collapse",
    }


def test_a_discriminator_wins_where_it_is_always_right_at_no_cost():
    won = with_loss(
        of_game(told_apart={"discriminator": 1.0}),
        **{"discriminator/loss": curve(1.4, *[0.01] * 9)},
    )
    [found] = diagnose(won).findings
    assert found.name == "discriminator_wins"
    assert "100.0% of pairs" in found.text and "0.01" in found.text
    # a Wasserstein critic is there to tell apart, and its loss goes below 0
    critic = with_loss(won, **{"discriminator/loss": curve(1.4, *[-5.0] * 9)})
    assert ill(critic) == []


def test_modes_collapse_where_samples_are_alike_and_cover_little():
    [found] = diagnose(of_game(coverage=0.02, duplicates=0.9)).findings
    assert found.name == "mode_collapse"
    assert "cover 2% of held-out" in found.text and "90%" in found.text
    assert ill(of_game(coverage=0.02)) == ill(of_game(duplicates=0.9)) == []


def test_a_gradient_vanishes_where_a_hundredth_is_left():
    gone = dataclasses.replace(
        GAME, steps={**GAME.steps, "gradient_norm/generator": curve(2.0, *[1.0] * 10, *[0.01] * 40)}
    )
    [found] = diagnose(gone).findings
    assert found.name == "vanishing_gradient" and "from 2 to 0.01" in found.text
    untold = dataclasses.replace(GAME, steps={})
    assert "callbacks.TensorBoard()" in diagnose(untold).unseen["vanishing_gradient"]


def test_norms_most_of_which_were_not_finite_are_not_judged():
    norms = curve(1.0, *[float("nan")] * 11)
    broken = dataclasses.replace(
        GAME, steps={f"gradient_norm/{p}": norms for p in GAME.adversarial}
    )
    assert ill(broken) == ["nan_near"]
    assert "too few" in diagnose(broken).unseen["vanishing_gradient"]


def test_a_kl_collapses_where_most_dimensions_carry_nothing():
    collapsed = dataclasses.replace(HEALTHY, signs=Signs(kl=[0.0] * 7 + [1.0]))
    assert ill(collapsed) == ["kl_collapse"]
    some = dataclasses.replace(HEALTHY, signs=Signs(kl=[0.0] * 3 + [1.0] * 5))
    [found] = diagnose(some).findings
    assert not found.ill and "3 of 8 latent dimensions" in found.text


def test_it_overfits_where_validation_rises_while_training_falls():
    rises = curve(100, 60, 50, 51, 53, 55, 57, 58, 59, 60)
    falls = curve(100, 60, 50, 45, 42, 40, 38, 36, 35, 35)
    found = [f for f in diagnose(with_loss(HEALTHY, loss=falls, val_loss=rises)).findings if f.ill]
    assert [f.name for f in found] == ["overfitting"]
    assert "best at epoch 3, 51, and is 60 now" in found[0].text
    assert ill(with_loss(HEALTHY, val_loss=rises)) == []  # training does not fall


@pytest.mark.parametrize("best", [-100.0, 0.0])
def test_it_overfits_likewise_where_a_loss_is_no_cost(best):
    """As of the density of pixels, which may be larger than 1."""
    rises = curve(*[best + rise for rise in (50, 10, 0, 1, 3, 5, 7, 8, 9, 10)])
    falls = curve(*[best - fall for fall in (-50, -10, 0, 5, 8, 10, 12, 14, 15, 15)])
    seen = with_loss(HEALTHY, loss=falls, val_loss=rises)
    [found] = [f for f in diagnose(seen).findings if f.ill]
    assert f"best at epoch 3, {best + 1:g}, and is {best + 10:g} now" in found.text


def test_it_was_still_improving_where_the_last_fifth_fell():
    falls = curve(*np.linspace(100, 50, 10))
    [found] = diagnose(with_loss(HEALTHY, loss=falls, val_loss=falls)).findings
    assert found.name == "still_improving" and "in the last 2 of 10 epochs" in found.text


@pytest.mark.parametrize(
    "epochs, steps",
    [
        ({"skipped": curve(0, 0, 3)}, {}),
        ({"loss": curve(100, 60, 50, 50, 90, 120)}, {}),
        ({"loss": curve(100, float("nan"))}, {}),
        ({}, {"gradient_norm/a": curve(*[1.0] * 20, 500.0)}),
    ],
)
def test_nan_is_near(epochs, steps):
    seen = dataclasses.replace(HEALTHY, epochs={**HEALTHY.epochs, **epochs}, steps=steps)
    assert ill(seen) == ["nan_near"]


def test_why_a_training_was_broken_off_is_told():
    full = dataclasses.replace(HEALTHY, failure="cannot write x: No space left on device.")
    assert ill(full) == ["broken_off"]
    for failure in ("kl of player a is not finite at step 6.", "every step was skipped at step 6."):
        [found] = diagnose(Evidence({}, failure=failure)).findings
        assert found.name == "nan_near" and "at step 6" in found.text


def test_a_trial_that_is_too_short_is_called_that_alone():
    short = dataclasses.replace(of_game(coverage=0.0, duplicates=1.0), made=31)
    [found] = diagnose(short).findings
    assert (found.name, found.ill) == ("too_short", False)
    assert found.text.startswith("31 steps: a GAN of this size")


def test_each_page_that_helps_is_there():
    source = (ROOT / "zoo" / "reports" / "diagnosis.py").read_text("utf-8")
    page = ROOT / re.search(r'^PAGE = "(.*)"', source, re.M)[1]
    named = re.findall(r"\{PAGE\}#([\w-]+)", source)
    assert len(set(named)) >= 7 and set(named) <= anchors(page)


def test_the_figures_of_the_docs_are_those_that_were_measured():
    found = json.loads(benchmark.FILE.read_text())["called"]
    assert benchmark.table(found) in (ROOT / "docs" / "how-to" / "diagnosis.md").read_text("utf-8")
    judged = [(name, c) for name, by_seed in found.items() for c in by_seed.values()]
    assert {seed for by_seed in found.values() for seed in by_seed} == set("56789")
    assert sum(benchmark.right(*each) for each in judged) / len(judged) >= 32 / 35
    assert all(c == "healthy" for name, c in judged if name.startswith("healthy"))


@pytest.mark.slow
@pytest.mark.backend_free
@pytest.mark.parametrize("name", benchmark.CASES)
def test_a_run_made_to_be_ill_is_called_that(name):
    options = ["--only", name, "--seeds", "5", "--json", os.devnull]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.diagnosis", *options],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert "| 1 of 1 |" in done.stdout, done.stdout + done.stderr


# --- what is read of runs


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.runs.signs.STEPS", 8)  # or nobody would look at the model
        return train(recipe("vae"), tmp_path_factory.mktemp("runs"))


def test_signs_are_kept_and_the_summary_shows_them(run):
    signs = run.read_json("results.json")["signs"]
    assert signs["steps"] == 8 and len(signs["kl"]) == 2
    assert 0 <= signs["coverage"] <= 1 and 0 <= signs["duplicates"] <= 1
    told = summary.finished(run)
    assert "  8 steps: a model of this size shows what it can after some 300." in told
    assert read(run).made == 8


def test_curves_are_those_of_the_table_and_of_the_events(run):
    table, (training, validation) = by_epoch(run), by_step(run)
    assert table["loss"].at == [1, 2] and training["loss"].at == [*range(1, 9)]
    assert validation["loss"].values == pytest.approx(table["val_loss"].values, rel=1e-6)


def test_a_strangers_table_and_results_are_refused_in_words(run, tmp_path):
    import shutil

    from zoo.errors import ZooError
    from zoo.runs.run import Run

    copy = Run(tmp_path / "a" / "b")
    shutil.copytree(run.path, copy.path)
    results = copy.read_json("results.json")
    copy.write_json("results.json", {**results, "signs": {"kl": ["<b>"]}})
    with pytest.raises(ZooError, match=r"signs.kl is \"<b>\"; a number is accepted"):
        read(copy)
    stated = json.dumps(results | {"signs": 0}).replace('"signs": 0', '"signs": {%s}')
    (copy.path / "results.json").write_text(stated % '"steps": 1e999')
    with pytest.raises(ZooError, match=r"signs.steps is Infinity; a number is accepted"):
        read(copy)
    (copy.path / "results.json").write_text(stated % f'"coverage": {10**400}')
    with pytest.raises(ZooError, match=r"signs.coverage is 1000.*; a number is accepted"):
        read(copy)
    assert "See docs" not in summary.finished(copy)  # the summary goes without it
    copy.log.write_text("loss\nnot an epoch")
    with pytest.raises(ZooError, match="no table of epochs"):
        by_epoch(copy)


def test_samples_that_are_all_the_same_are_duplicates():
    from zoo.training import signs

    numbers = np.random.default_rng(0)
    x = numbers.integers(0, 256, (200, 40, 40, 1), dtype=np.uint8)
    data = Data("noise", DataSpec((40, 40, 1)), Split(x), Split(x[::-1].copy()), Split(x[:0]))

    class Same:
        def __init__(self):
            self.networks = {}

        def can(self, ability):
            return ability == "sample"

        def sample(self, n):
            return np.full((n, 40, 40, 1), 0.5, "float32")

    class Copies(Same):
        def sample(self, n):
            return x[:n] / np.float32(255)

    same, copies = (signs.take(m, data, data, 9) for m in (Same(), Copies()))
    assert (same.duplicates, copies.coverage) == (1.0, 1.0)
    assert copies.duplicates <= 0.02 and same.steps == 9


@pytest.mark.once_in_short
def test_the_command(run, tmp_path):
    command = [sys.executable, "-m", "zoo", "diagnose", str(run.path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    told = json.loads(done.stdout)
    assert [f["name"] for f in told["findings"]] == ["too_short"], done.stderr
    assert Finding(**told["findings"][0]).page == "docs/how-to/problems.md#slow-convergence"


def test_a_run_without_signs_is_looked_at_anew(run, tmp_path, capsys):
    import shutil

    from zoo.cli import main
    from zoo.runs.run import Run

    copy = Run(tmp_path / "vae" / "20261121T101500Z-3f2a")
    shutil.copytree(run.path, copy.path)
    results = copy.read_json("results.json")
    del results["signs"]
    copy.write_json("results.json", results)
    assert main(["diagnose", str(copy.path)]) == 0
    out, err = capsys.readouterr()
    assert "8 steps" in out
    assert "the model is not looked at" in err  # its data are the code of a recipe
    assert QUIET
