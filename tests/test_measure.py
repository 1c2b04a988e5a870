"""``callbacks.Measure``: metrics while a model trains."""

from __future__ import annotations

import dataclasses
import json
from typing import ClassVar

import keras
import numpy as np
import pytest

import zoo
from tests.models import points
from tests.resumable import QUIET, STEPS, end, recipe, stopped, train
from tests.test_resume import scalars, table
from zoo import callbacks, datasets, metrics
from zoo.errors import ZooError
from zoo.metrics import Measured
from zoo.plugin import registry
from zoo.plugin.metric import Metric, finite
from zoo.reports import summary

pytestmark = pytest.mark.once_in_short


def measuring(**options):
    """A VAE that is measured after epochs 2 and 3; its validation examples are 20."""
    found = recipe("vae", epochs=3)
    measure = callbacks.Measure([metrics.ELBO(), metrics.ActiveUnits()], **{"every": 2} | options)
    return dataclasses.replace(found, callbacks=[*found.callbacks, measure])


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    return train(measuring(), tmp_path_factory.mktemp("measured"))


def over_training(run):
    """What is in the results, but for the time."""
    found = run.read_json("results.json")["over_training"]
    return {name: {k: v for k, v in own.items() if k != "seconds"} for name, own in found.items()}


def test_values_are_in_results_events_and_summary(measured):
    elbo = over_training(measured)["elbo"]
    assert elbo["epochs"] == [2, 3] and len(elbo["values"]) == 2
    best = int(np.argmax(elbo["values"]))
    assert elbo["best"] == {"epoch": elbo["epochs"][best], "value": elbo["values"][best]}
    assert elbo["final"] == {"epoch": 3, "value": elbo["values"][-1]}
    assert (elbo["better"], elbo["unit"]) == ("higher", "nats")
    assert len(elbo["details"]["standard_error"]) == 2
    assert elbo["protocol"] == (
        "digits, 20 validation examples as test examples: mean over 20 test examples, 1 draw of z "
        "each; pixels binarized once from seed 0"
    )
    events = scalars(measured, "validation")
    assert [step for step, _ in events["elbo"]] == [2 * STEPS, 3 * STEPS]
    np.testing.assert_allclose([v for _, v in events["elbo"]], elbo["values"], rtol=1e-6)
    assert {"elbo/standard_error", "active_units/kl_1"} <= events.keys()
    [line] = [line for line in summary.figures(measured) if "elbo over training" in line]
    assert "best -" in line and "(epoch 3)  nats" in line
    assert not any("elbo" in name for name in measured.read_json("results.json")["validation"])
    assert {len(row) for row in table(measured)} == {len(table(measured)[0])}


def test_the_last_value_is_what_measuring_the_run_gives(measured):
    # the validation examples in place of the test examples, with the weights of the end
    model = zoo.load(measured)
    data = datasets.pipeline.as_evaluated(recipe("vae").dataset.load(), "dynamic", 0)
    same = dataclasses.replace(data, test=data.validation)
    value = metrics.ELBO().measure(model, same, 0).value
    assert value == pytest.approx(over_training(measured)["elbo"]["values"][-1], rel=1e-6)


def test_measuring_changes_nothing_of_the_training(measured, tmp_path):
    without = train(recipe("vae", epochs=3), tmp_path)
    expected, found = end(without), end(measured)
    assert found.keys() == expected.keys()
    assert [n for n in found if not np.array_equal(found[n], expected[n], equal_nan=True)] == []
    assert table(measured) == table(without)
    parts = [run.read_json("results.json") for run in (measured, without)]
    assert parts[0]["test"] == parts[1]["test"] and "over_training" not in parts[1]


def test_resumed_equals_uninterrupted(measured, tmp_path):
    run = stopped(measuring(), tmp_path, 2 * STEPS + 1)
    run = zoo.resume(run, recipe=measuring(), access=QUIET)
    assert over_training(run) == over_training(measured)
    assert scalars(run) == scalars(measured)
    assert scalars(run, "validation") == scalars(measured, "validation")
    assert table(run) == table(measured)


@dataclasses.dataclass(frozen=True)
class Odd(Metric):
    """Numbers that are given, one after the other."""

    name: ClassVar[str] = "odd"
    needs: ClassVar[tuple[str, ...]] = ()
    better: ClassVar[str] = "lower"
    given: ClassVar[list[float]] = []

    def measure(self, model, data, seed):
        return Measured(self.given.pop(0), "", "as it comes")


def fitted(measure, epochs, **options):
    vae = zoo.build(
        zoo.model("vae", latent_dim=2, units=(4,), likelihood="normal"), zoo.DataSpec((2,))
    )
    vae.compile("adam")
    history = vae.fit(
        points(32), epochs=epochs, verbose=0, callbacks=[measure, *options.get("also", ())]
    )
    return history.history


def ring():
    return datasets.Ring(n=32, held_out=16).load()


def test_fit_has_the_values_in_its_history():
    measure = callbacks.Measure([metrics.ModeCoverage(samples=50)], every=2, data=ring())
    history = fitted(measure, 3)
    found = measure.results()["mode_coverage"]
    assert history["val_mode_coverage"] == found["values"] and found["epochs"] == [2, 3]
    assert history["val_mode_coverage/high_quality"] == found["details"]["high_quality"]
    assert found["unit"] == "of 8 modes"
    fitted(measure, 2)  # again from the beginning
    assert measure.results()["mode_coverage"]["epochs"] == [2]
    with pytest.raises(ZooError, match=r"with fit, say which, as in Measure\(\[...\], data="):
        fitted(callbacks.Measure([metrics.ModeCoverage()]), 1)


def test_the_best_is_finite_and_of_the_side_that_is_better():
    Odd.given[:] = [3.0, float("nan"), 1.0, 2.0]
    measure = callbacks.Measure([Odd()], data=ring())
    fitted(measure, 4)
    found = measure.results()["odd"]
    assert found["best"] == {"epoch": 3, "value": 1.0} and found["final"]["value"] == 2.0
    state = json.loads(json.dumps(measure.get_state()))
    again = callbacks.Measure([Odd()], data=ring())
    again.set_state(state)
    assert repr(again.results()) == repr(measure.results())


@dataclasses.dataclass(frozen=True)
class Broken(Metric):
    """Finite in the first epoch."""

    name: ClassVar[str] = "broken"
    needs: ClassVar[tuple[str, ...]] = ()
    given: ClassVar[list[int]] = []

    def measure(self, model, data, seed):
        finite(np.array([[1.0], self.given.pop(0)]), "samples")
        return Measured(1.0, "dB", "of all", {"part": 2.0})


def test_a_model_that_gives_nothing_finite_loses_no_earlier_value():
    Broken.given[:] = [[1.0], [np.nan]]
    measure = callbacks.Measure([Broken()], data=ring())
    fitted(measure, 2)
    found = measure.results()["broken"]
    assert (found["unit"], found["protocol"].partition(": ")[2]) == ("dB", "of all")
    assert repr(found["values"]) == "[1.0, nan]" and repr(found["details"]["part"]) == "[2.0, nan]"


def test_metrics_that_came_or_went_when_a_training_was_resumed_are_kept():
    about = {"unit": "", "protocol": "", "better": "lower"}
    measure = callbacks.Measure([Odd()])
    rows = [{"epoch": 1, "seconds": 1, "gone": 4.0}, {"epoch": 2, "seconds": 1, "odd": 2.0}]
    measure.set_state({"epoch": 2, "rows": rows, "about": {"gone": about, "odd": about}})
    found = measure.results()
    assert found["gone"]["final"] == {"epoch": 1, "value": 4.0}
    assert found["odd"]["epochs"] == [2]


class Counted(callbacks.Callback):
    """A callback of a person's own that measures."""

    adds_to_logs = True

    def on_epoch_end(self, epoch, logs=None):
        logs["val_counted"] = float(epoch)

    def results(self):
        return {"counted": {"unit": "", "final": {"epoch": 1, "value": 0.0}}}


def test_others_see_what_a_callback_adds_and_results_keep_what_it_says(tmp_path):
    seen = []
    looks = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(dict(logs)))
    found = dataclasses.replace(recipe("vae", epochs=1), callbacks=[looks, Counted()])
    run = train(found, tmp_path)
    assert seen[0]["val_counted"] == 0.0
    assert over_training(run)["counted"]["final"] == {"epoch": 1, "value": 0.0}


def test_a_training_that_ends_early_is_measured_at_its_end():
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    Odd.given[:] = [3.0]
    measure = callbacks.Measure([Odd()], every=10, data=ring())
    fitted(measure, 10, also=[Stop()])
    assert measure.results()["odd"]["final"] == {"epoch": 2, "value": 3.0}


def test_what_cannot_be_measured_is_refused_before_training(tmp_path):
    bad = dataclasses.replace(recipe("vae"), callbacks=[callbacks.Measure([metrics.Accuracy()])])
    with pytest.raises(ZooError, match=r"needs a model that can classify.*callbacks.Measure"):
        train(bad, tmp_path)
    with pytest.raises(ZooError, match=r"Measure: every is an integer, at least 1"):
        callbacks.Measure([metrics.ELBO()], every=0)
    with pytest.raises(ZooError, match=r"Measure: metrics"):
        callbacks.Measure(metrics.ELBO())


def test_settings_change_on_the_command_line(tmp_path):
    from zoo.config.overrides import override

    changes = ["callbacks.Measure.every=3", "callbacks.Measure.examples=7"]
    found = override(measuring(), changes).callbacks[-1]
    assert (found.every, found.examples, len(found.metrics)) == (3, 7, 2)
    draws = dataclasses.replace(
        recipe("vae"), callbacks=[callbacks.Measure([metrics.LogLikelihood()])]
    )
    found = override(draws, ["callbacks.Measure.metrics.LogLikelihood.samples=9"]).callbacks[-1]
    assert found.metrics[0].samples == 9


@pytest.mark.backend_free
def test_every_metric_of_the_zoo_says_which_values_are_better():
    own = [r.typed for r in registry.records("metrics") if r.distribution == "keras-zoo"]
    better = {name: registry.load("metrics", name).better for name in own}
    assert better["elbo"] == better["fid"].replace("lower", "higher") == "higher"
    # as often nearer to training pictures as test pictures are: neither more nor less is better
    assert [name for name in own if better[name] not in ("higher", "lower")] == ["memorisation"]
