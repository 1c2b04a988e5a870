"""``zoo compare``: one table of recipes and runs."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import pty
import re
import subprocess
import sys

import pytest

from tests.commands import call, environment_kept
from tests.manifests import DATA, manifest
from zoo.errors import ZooError
from zoo.reports import comparison, differences, tables
from zoo.runs import folders, locks, results
from zoo.runs.run import Run
from zoo.runtime import processes

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
    with environment_kept():
        os.environ.pop("ZOO_RUNS", None)
        yield tmp_path


def finished(root, recipe, number, **changes):
    """A run's folder with all that the table reads, written here."""
    folder = root / recipe / f"20261121T10150{number}Z-000{number}"
    folder.mkdir(parents=True)
    run = Run(folder)
    run.write_manifest(manifest(recipe=recipe, **changes))
    return run


def number(value, **details):
    return {"value": value, "unit": "", "protocol": "by hand", "details": details}


def trained(root, place, seed, elbo, protocol="digits: 1 draw", **changes):
    """A finished run with an ELBO; ``latent_dim`` is a setting of its model."""
    settings = {"latent_dim": changes.pop("latent_dim", 2)}
    model = {"name": "vae", "class": "zoo_vae:VAE", "settings": settings}
    shortened, more = changes.pop("shortened", None), changes.pop("more", {})
    run = finished(root, "tiny", place, model=model, seed=seed, **changes)
    told = {"value": elbo, "unit": "nats", "protocol": protocol, "details": {}}
    told |= {"better": "higher", "shortened": shortened, **more}
    run.write_json("results.json", {"metrics": {"elbo": told}})
    return run


def compared(runs, *args):
    return comparison.compare(runs, *args)


def cells(text):
    """The rows of a table in text as ``{heading: cell}``."""
    head, *rows = text.split("\n\n")[1].splitlines()
    headings = re.split(r"\s{2,}", head)
    starts = [f"  {head}".index(f"  {heading}") for heading in headings]
    ends = [*starts[1:], None]
    return [
        {h: row[a:b].strip() for h, a, b in zip(headings, starts, ends, strict=True)}
        for row in rows
    ]


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
    assert out.startswith("model: vae  data: digits  backend: jax  device: cpu\n")
    headings = ["recipe", "compression", "linear_probe", "recognition", "seconds", "can"]
    assert [[row[heading] for heading in headings] for row in cells(out)] == [
        ["ae", "16", "0.9", "-", "12", "encode"],
        ["gan", "-", "-", "0.51", "7.0", "sample"],
        ["old", "-", "-", "-", "-", "sample"],
    ]
    assert "recognition: by hand" in out


@pytest.mark.backend_free
def test_a_metric_that_is_named_is_shown_alone_and_so_is_a_detail(place, capfd):
    run = finished(place / "runs", "ae", 1, abilities=[])
    found = {"compression": number(16.0, mse=0.0123456), "accuracy": number(0.9)}
    run.write_json("results.json", {"metrics": found})
    args = ["compare", "0001", "--metric", "compression.mse"]
    status, out, err = call(capfd, *args)
    assert status == 0, err
    assert "compression.mse" in out and "0.01235" in out and "accuracy" not in out
    status, _, err = call(capfd, "compare", "0001", "--metric", "compression.mze")
    assert status == 2 and "--metric compression.mze: no run has it" in err


@pytest.mark.backend_free
def test_runs_that_differ_in_their_seed_alone_are_one_row(place):
    root = place / "runs"
    runs = [trained(root, i, seed, elbo) for i, seed, elbo in [(1, 5, -10.0), (2, 3, -14.0)]]
    runs.append(trained(root, 3, 3, -20.0, latent_dim=8))
    found = compared(runs)
    [elbo] = found.columns
    assert found.settings == ["model.latent_dim"]
    assert [(row.settings["model.latent_dim"], row.seeds) for row in found.rows] == [
        ("2", [3, 5]),
        ("8", [3]),
    ]
    pair, single = (row.values[elbo] for row in found.rows)
    assert (pair.mean, pair.n) == (-12.0, 2)
    assert pair.deviation == pytest.approx(8**0.5)  # of -10 and -14, with n - 1
    assert (single.mean, single.deviation, single.n) == (-20.0, None, 1)
    out = tables.text(found, io.StringIO())
    assert "latent_dim" in out and "2: 3 5" in out and "-12 ± 2.8" in out
    assert "± is the standard deviation over the seeds of a row (n - 1)" in out


@pytest.mark.backend_free
def test_of_runs_that_are_alike_the_newest_counts_and_the_others_are_named(place):
    old = trained(place / "runs", 1, 0, -10.0, created="2026-01-01T00:00:00+00:00")
    new = trained(place / "runs", 2, 0, -9.0, created="2026-01-02T00:00:00+00:00")
    found = compared([new, old])
    assert [row.runs for row in found.rows] == [[new.name]]
    assert found.older == [old.name] and old.name in tables.text(found, io.StringIO())


@pytest.mark.backend_free
def test_a_setting_of_a_callback_keeps_runs_apart(place):
    """Keras's callbacks have no settings in the manifest: the change tells them."""
    runs = [
        trained(place / "runs", n, 0, -10.0 - n, changes=[f"callbacks.EarlyStopping.patience={n}"])
        for n in (1, 2)
    ]
    assert compared(runs).settings == ["callbacks.EarlyStopping.patience"]


@pytest.mark.backend_free
def test_callbacks_that_only_look_keep_no_runs_apart(place):
    grid, events = {"class": "SampleGrid", "every": 1, "n": 64}, {"class": "TensorBoard"}
    stopping = "EarlyStopping"
    changes = ["callbacks.SampleGrid.every=5", "callbacks.0.n=64"]
    other = {"callbacks": [{**grid, "every": 5}, stopping], "changes": changes}
    runs = [
        trained(place / "runs", 1, 0, -10.0, callbacks=[grid, events, stopping]),
        trained(place / "runs", 2, 1, -11.0, **other),
    ]
    [row] = compared(runs).rows
    assert row.seeds == [0, 1] and row.settings["callbacks"] == "(EarlyStopping,)"


@pytest.mark.backend_free
def test_what_is_measured_may_stop_a_training(place):
    measure = {"class": "Measure", "every": 1}
    runs = [
        trained(place / "runs", n, n, -10.0, callbacks=[*others, {**measure, "every": n}])
        for n, others in ((1, []), (2, []), (3, ["EarlyStopping"]), (4, ["EarlyStopping"]))
    ]
    found = compared(runs)
    assert sorted(row.seeds for row in found.rows) == [[1, 2], [3], [4]]


@pytest.mark.backend_free
def test_a_changed_callback_has_the_place_it_has_among_those_that_count(place):
    a, b = ({"class": "Own", "p": p} for p in (1, 2))
    run = trained(
        place / "runs",
        1,
        0,
        -1.0,
        callbacks=[{"class": "SampleGrid"}, a, b],
        changes=["callbacks.1.p=1", "callbacks.SampleGrid.every=2"],
    )
    [row] = compared([run]).rows
    told = {key: text for key, text in row.settings.items() if key.startswith("callbacks")}
    assert told == {
        "callbacks.0": "Own",
        "callbacks.0.p": "1",
        "callbacks.1": "Own",
        "callbacks.1.p": "2",
    }


def test_all_callbacks_of_the_zoo_but_the_base_only_look(place):
    from zoo import callbacks
    from zoo.plugin.serialization import plain

    named = {*callbacks.__all__} - {"Callback", "Context"}
    assert named == {*differences.WATCHING}
    given = {"ViewGrid": {"view": "samples"}, "Measure": {"metrics": []}}
    made = [plain(getattr(callbacks, name)(**given.get(name, {}))) for name in sorted(named)]
    [row] = compared([trained(place / "runs", 1, 0, -1.0, callbacks=made)]).rows
    assert row.settings["callbacks"] == "()"


@pytest.mark.backend_free
def test_other_data_of_the_same_name_are_other_rows(place):
    """A hash says so where nothing else does."""
    data = [{**DATA, "fingerprint": sign * 64} for sign in "ab"]
    runs = [trained(place / "runs", i, i, -1.0, data=each) for i, each in enumerate(data)]
    assert compared(runs).settings == ["data.sha256"]
    settings = [{"name": "digits", "class": "d:D", "settings": {"size": size}} for size in (8, 9)]
    runs = [
        trained(place / "more", i, i, -1.0, data=each, dataset=settings[i])
        for i, each in enumerate(data)
    ]
    assert compared(runs).settings == ["dataset.size"]
    runs = [
        trained(place / "latent", i, i, -1.0, data=each, latent_dim=i)
        for i, each in enumerate(data)
    ]
    assert compared(runs).settings == ["model.latent_dim", "data.sha256"]


@pytest.mark.backend_free
def test_figures_of_other_examples_are_never_the_best(place):
    data = [{**DATA, "fingerprint": sign * 64} for sign in "ab"]
    runs = [
        trained(place / "runs", 3 * i + seed, seed, -50.0 if i else -900.0, data=each)
        for i, each in enumerate(data)
        for seed in range(3)
    ]
    found = compared(runs)
    assert not any(row.values[found.columns[0]].best for row in found.rows)


@pytest.mark.backend_free
@pytest.mark.parametrize("bad", [None, float("inf"), -float("inf")])
def test_what_is_not_finite_costs_no_other_number(place, bad):
    numbers = [(-10.0, -11.0, bad), (-20.0, -21.0, -22.0)]
    runs = [
        trained(place / "runs", 3 * i + seed, seed, elbo, latent_dim=i)
        for i, row in enumerate(numbers)
        for seed, elbo in enumerate(row)
    ]
    found = compared(runs)
    first, second = (row.values[found.columns[0]] for row in found.rows)
    assert not math.isfinite(first.mean) and math.isnan(first.deviation)
    assert (second.mean, second.deviation) == (-21.0, 1.0)
    assert not second.best and "-21 ± 1" in tables.text(found, io.StringIO())
    assert json.loads(tables.json(found))["rows"][1]["measured"]["elbo, nats"]["mean"] == -21.0


@pytest.mark.backend_free
@pytest.mark.parametrize("large", [10**400, -1e200])
def test_a_number_that_cannot_have_been_measured_names_its_field(place, large):
    with pytest.raises(ZooError, match=r"metrics.elbo: value is .*, too large to be measured"):
        compared([trained(place / "runs", 1, 1, large)])


@pytest.mark.backend_free
def test_seeds_whose_models_gave_nothing_finite_stay_in_their_row(place):
    def failed(bad):
        words = f"{bad} of 9 samples are not finite"
        return {"protocol": f"digits: {words}", "not_finite": words, "unit": ""}

    runs = [
        trained(
            place / "runs",
            10 * i + seed,
            seed,
            None if i and seed > 2 else 5.0 + i,
            latent_dim=i,
            more=failed(seed) if i and seed > 2 else {},
        )
        for i in range(2)
        for seed in range(5)
    ]
    found = compared(runs)
    [column] = found.columns
    assert (column.title, column.protocol) == ("elbo, nats", "digits: 1 draw")
    first, second = (row.values[column] for row in found.rows)
    assert first.mean == 5 and math.isnan(second.mean) and second.n == 5
    assert not first.best and not second.best
    alone = compared([trained(place / "alone", 1, 0, None, more=failed(3))])
    assert alone.columns[0].protocol == "digits: 3 of 9 samples are not finite"


@pytest.mark.backend_free
def test_units_that_differ_leave_a_column_without_one_and_without_a_best(place):
    units = [f"of {n} dimensions" for n in (2, 32)]
    runs = [
        trained(place / "runs", 3 * i + seed, seed, 2.0 + i, latent_dim=i, more={"unit": unit})
        for i, unit in enumerate(units)
        for seed in range(3)
    ]
    found = compared(runs)
    [column] = found.columns
    assert column.title == "elbo" and not any(row.values[column].best for row in found.rows)


@pytest.mark.backend_free
@pytest.mark.parametrize("older", [0, 1])
def test_the_best_comes_first_whichever_run_does_not_say_what_is_better(place, older):
    runs = [
        trained(
            place / "runs",
            i,
            0,
            float(-i),
            latent_dim=i,
            more={"better": ""} if i == older else {},
        )
        for i in range(2)
    ]
    for order in (runs, runs[::-1]):
        found = compared(order, (), "elbo")
        assert [row.values[found.columns[0]].mean for row in found.rows] == [0.0, -1.0]


@pytest.mark.backend_free
def test_a_row_that_is_shortened_in_part_is_never_the_best(place):
    part = {
        "protocol": "digits, shortened to 25 of 200 test examples: mean over 25 test examples",
        "shortened": "25 of 200 test examples",
    }
    whole = {"protocol": "digits: mean over 200 test examples"}
    runs = [
        trained(place / "runs", 3 * i + seed, seed, 10.0 - 9 * i, latent_dim=i, **how)
        for i, row in enumerate(((whole, whole, part), (part, part, part)))
        for seed, how in enumerate(row)
    ]
    found = compared(runs)
    [column] = found.columns
    assert [row.values[column].shortened for row in found.rows] == [
        ("", part["shortened"]),
        (part["shortened"],),
    ]
    assert not any(row.values[column].best for row in found.rows)
    lines = csv.DictReader(io.StringIO(tables.comma_separated(found)))
    assert [line["elbo, nats shortened"] for line in lines] == [
        f"all; {part['shortened']}",
        part["shortened"],
    ]


@pytest.mark.backend_free
def test_only_figures_of_the_present_weights_count(place):
    run = trained(place / "runs", 1, 0, -50.0, epoch=40)
    before = {**number(-99.0), "epoch": 20}
    run.write_json("evaluation.json", {"metrics": {"elbo": before, "now": {**before, "epoch": 40}}})
    assert {name: found["value"] for name, found in results.kept(run).items()} == {
        "elbo": -50.0,
        "now": -99.0,
    }
    run.update(status="interrupted", epoch=41)  # it went on: results.json is of earlier weights
    assert results.kept(run) == {}


@pytest.mark.backend_free
def test_runs_trained_otherwise_are_rows_of_their_own(place):
    otherwise = [
        {},
        {"devices": 4, "batch_norm": "per-device"},
        {"devices": 4},
        {"resumed": ["after epoch 1: backend: 'jax' before, 'torch' now"]},
        {"augment": [{"class": "RandomFlip", "name": "random_flip", "mode": "horizontal"}]},
        {"dataset": {"name": "tfds", "class": "d:T", "settings": {"name": "mnist"}}},
        {"dataset": {"name": "tfds", "class": "d:T", "settings": {"name": "svhn"}}},
    ]
    runs = [trained(place / "runs", i, 0, -1.0, **fields) for i, fields in enumerate(otherwise)]
    found = compared(runs)
    assert len(found.rows) == len(otherwise) and not found.older


@pytest.mark.backend_free
def test_names_that_keras_counts_keep_no_runs_apart(place):
    runs = [
        trained(
            place / "runs",
            seed,
            seed,
            -1.0,
            augment=[{"class": "RandomFlip", "name": f"random_flip_{seed}", "mode": "vertical"}],
        )
        for seed in range(3)
    ]
    [row] = compared(runs).rows
    assert row.settings["augment.0"] == "RandomFlip" and row.seeds == [0, 1, 2]


@pytest.mark.backend_free
def test_nothing_that_a_run_says_is_markup_or_moves_a_cursor(place):
    said = "\x1b[31m5 of 9\n# heading"
    model = {"name": "vae", "class": "zoo_vae:VAE"}
    runs = [
        trained(place / "runs", i, i, -1.0, more={"shortened": said, "unit": said})
        for i in range(2)
    ]
    for i, run in enumerate(runs):
        run.update(model={**model, "settings": {f"a\x1b[2J\n| {i} |": i}}, changes=[])
    found = compared(runs)
    for text in (tables.text(found, io.StringIO()), tables.markdown(found)):
        assert "\x1b" not in text
        assert not any(line.startswith("# heading") for line in text.splitlines())
    rows = [line for line in tables.markdown(found).splitlines() if line.startswith("| ")]
    assert len(rows) == 4


@pytest.mark.backend_free
def test_a_run_that_cannot_be_read_costs_the_others_no_table(place, capfd):
    trained(place / "runs", 1, 0, -10.0)
    trained(place / "runs", 2, 1, -11.0)
    bad = trained(place / "runs", 3, 2, -12.0)
    (bad.path / "results.json").write_text("{")
    status, out, err = call(capfd, "compare", "tiny/*")
    assert status == 1 and "-10.5 ± 0.71" in out
    assert f"left out: run {bad.name}: cannot read " in err and "results.json" in err
    status, out, err = call(capfd, "compare", "0003")
    assert status == 2 and "no run is left to compare" in err
    (bad.path / "run.json").write_text("{")
    status, out, err = call(capfd, "compare", "tiny/*")
    assert status == 1 and "-10.5 ± 0.71" in out and "run.json" in err


@pytest.mark.backend_free
def test_what_is_shortened_is_measured_again_where_all_is_asked_for(place, capfd, monkeypatch):
    """The process that measures is a stand-in: what it is asked for is the subject."""
    asked, given = [], [None, -9.0]

    def answer(args, failed):
        asked.append([args[place + 1] for place, word in enumerate(args) if word == "--metric"])
        return {"metrics": {"elbo": {**number(given.pop()), "unit": "nats"}}}

    monkeypatch.setattr(processes, "answer", answer)
    able = ["sample", "reconstruct", "encode", "decode", "log_likelihood", "posterior"]
    short = "25 of 200 test examples"
    trained(place / "runs", 1, 0, -10.0, shortened=short, abilities=able)
    status, out, err = call(capfd, "compare", "0001", "--full")
    assert (status, asked) == (0, [["elbo"]]) and "-9" in out and "~" not in out, err
    status, out, err = call(capfd, "compare", "0001", "--full", "--metric", "elbo")
    assert (status, asked) == (0, [["elbo"]] * 2) and "nan" in out, err  # null as JSON has it
    call(capfd, "compare", "0001", "--metric", "elbo")
    assert len(asked) == 2


@pytest.mark.backend_free
def test_all_that_a_shell_finds_in_a_folder_of_runs_is_taken(place, capfd):
    run = trained(place / "runs=1", 1, 0, -10.0)
    (run.path.parent / locks.FILE).touch()
    found = sorted(str(path.relative_to(place)) for path in run.path.parent.iterdir())
    status, out, err = call(capfd, "compare", *found)
    assert status == 0 and "-10" in out, err


@pytest.mark.backend_free
def test_two_protocols_are_never_in_one_column(place):
    root, seed = place / "runs", "; pixels binarized once from seed "
    runs = [
        trained(root, 1, 1, -10.0, f"digits: mean over 200 test examples{seed}1"),
        trained(
            root,
            2,
            2,
            -12.0,
            f"digits, shortened to 25 of 200 test examples: mean over 25 test examples{seed}2",
            shortened="25 of 200 test examples",
        ),
        trained(root, 3, 3, -99.0, "digits: mean over 200 training examples"),
    ]
    found = compared(runs)
    assert [(column.title, column.protocol) for column in found.columns] == [
        (
            "elbo [1], nats",
            "digits: mean over 200 test examples; pixels binarized once from the run's seed",
        ),
        ("elbo [2], nats", "digits: mean over 200 training examples"),
    ]
    [row] = found.rows
    assert [row.values[column].mean for column in found.columns] == [-11.0, -99.0]
    out = tables.text(found, io.StringIO())
    assert "~-11 ± 1.4 (n = 2)" in out and "-99 (n = 1)" in out
    assert "~ is of a shortened protocol (25 of 200 test examples)" in out
    assert "elbo [2]: digits: mean over 200 training examples" in out


@pytest.mark.backend_free
@pytest.mark.parametrize(
    ("first", "second", "marked"),
    [
        ([-10.0, -11.0, -12.0], [-13.1, -14.1, -15.1], True),  # 3.1 apart, deviation 1
        ([-10.0, -11.0, -12.0], [-12.0, -13.0, -14.0], False),  # 2 apart: not more than 2 * 1
        ([-10.0, -11.0], [-90.0, -91.0, -92.0], False),  # two seeds are too few
    ],
)
def test_the_best_is_marked_where_the_spread_allows_it(place, first, second, marked):
    runs = [
        trained(place / "runs", 3 * group + place_, place_, elbo, latent_dim=group)
        for group, numbers in enumerate((first, second))
        for place_, elbo in enumerate(numbers)
    ]
    found = compared(runs)
    [elbo] = found.columns
    assert [row.values[elbo].best for row in found.rows] == [marked, False]
    assert ("-11 ± 1 *" in tables.text(found, io.StringIO())) == marked
    assert ("**-11 ± 1**" in tables.markdown(found)) == marked
    assert ("marked as best: " in tables.text(found, io.StringIO())) == marked


@pytest.mark.backend_free
def test_rows_come_in_the_order_of_their_settings_or_of_a_column(place):
    root, found = place / "runs", [(10, -1.0), (0.0001, -2.0), (0.001, -3.0)]
    runs = [trained(root, i, 0, elbo, latent_dim=d) for i, (d, elbo) in enumerate(found)]
    for name, expected in [
        (None, ["0.0001", "0.001", "10"]),
        ("elbo", ["10", "0.0001", "0.001"]),
        ("latent_dim", ["0.0001", "0.001", "10"]),
    ]:
        rows = compared(runs, (), name).rows
        assert [row.settings["model.latent_dim"] for row in rows] == expected


@pytest.mark.backend_free
def test_formats_hold_the_same_numbers(place, capfd):
    for i, elbo in enumerate([-10.0, -14.0]):
        trained(place / "runs", i, i, elbo, data=named("<b>|data"))
    told = {}
    for form in ("text", "markdown", "csv", "json", "html"):
        status, told[form], err = call(capfd, "compare", "tiny/*", "--format", form)
        assert status == 0, err
    assert all("-12 ± 2.8" in told[form] for form in ("text", "markdown", "html"))
    assert "\\<b>\\|data" in told["markdown"]
    assert "<b>" not in told["html"] and "&lt;b&gt;|data" in told["html"]
    assert "http" not in told["html"]  # it needs nothing but itself
    [row] = csv.DictReader(io.StringIO(told["csv"]))
    assert (row["seeds"], row["elbo, nats mean"], row["elbo, nats n"]) == ("0 1", "-12.0", "2")
    [row] = json.loads(told["json"])["rows"]
    assert row["measured"]["elbo, nats"]["mean"] == -12.0 and row["seeds"] == [0, 1]
    assert call(capfd, "compare", "tiny/*", "--json")[1] == told["json"]


def named(name):
    return {**DATA, "name": name}


@pytest.mark.backend_free
@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("wide", [60, 100])
def test_a_narrow_terminal_has_whole_words(place, wide):
    names = ["mse", "psnr", "ssim", "accuracy"]
    for i in range(2):
        settings = {"latent_dim": 2**i, "activation": "silu" if i else "relu"}
        model = {"name": "vae", "class": "zoo_vae:VAE", "settings": settings}
        run = finished(place / "runs", "tiny", i, model=model)
        run.write_json("results.json", {"metrics": {name: number(0.123456) for name in names}})
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo", "compare", "tiny/*"],
        stdout=side,
        env={**os.environ, "COLUMNS": str(wide)},
    )
    os.close(side)
    shown = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:  # Linux: the other side is closed
            break
        if not part:
            break
        shown += part
    assert process.wait() == 0
    lines = shown.decode().splitlines()
    assert max(map(len, lines)) <= wide
    words = set(" ".join(lines).split())
    assert {"latent_dim", "activation", *names, "seeds", "0.1235"} <= words


@pytest.mark.backend_free
def test_unfinished_runs_do_not_fit_a_pattern(place, capfd):
    good = trained(place / "runs", 1, 0, -1.0)
    trained(place / "runs", 2, 1, -1.0, status="failed")
    status, out, err = call(capfd, "compare", "tiny/*", "--json")
    assert status == 0 and [row["runs"] for row in json.loads(out)["rows"]] == [[good.name]]
    assert "tiny/*: 1 run left out that did not finish" in err
    status, _, err = call(capfd, "compare", "tinny/*")
    assert status == 2 and "no finished run in runs fits 'tinny/*'" in err


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
    assert set(rows[0]["measured"]) == {"mse", "elbo, nats"}
    assert rows[1]["measured"] == {} and "sample" in rows[1]["abilities"]
    assert all(row["seconds"] >= 0 for row in rows)
    assert "epoch 1/1" in err and "epoch 2" not in err
    made = folders.all_runs(place / "runs")
    assert {run.name for run in made} == {row["runs"][0] for row in rows}
    measured_once = [line for line in err.splitlines() if line.startswith("measuring")]
    assert measured_once == [f"measuring mse of {rows[0]['runs'][0]}"]


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
        (["vae_mnist", "--sort", "elbow"], "unknown column 'elbow'; did you mean 'elbo'?"),
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
    rows = json.loads(out)["rows"]
    assert [row["runs"] for row in rows] == [[unfinished.name], [newest.name]]
    assert [row["status"] for row in rows] == ["failed", "finished"]
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
