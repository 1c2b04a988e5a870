"""Metrics against values worked out by hand, on models that are made by hand."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

import zoo
from zoo import metrics
from zoo.datasets import Access, Data, Digits, Modes, Split, pipeline
from zoo.errors import ZooError
from zoo.metrics import codecs, evaluate
from zoo.metrics.linear_probe import Probe
from zoo.metrics.mode_coverage import coverage
from zoo.metrics.parzen_window import log_densities
from zoo.metrics.reconstruction import ROUNDING, decibels
from zoo.metrics.ssim import similarity
from zoo.plugin.metric import NotFinite

pytestmark = pytest.mark.backend_free


class Made(zoo.Model):
    """A model whose abilities are functions of NumPy arrays; those not given it lacks."""

    def __init__(self, **abilities):
        self.plugin = self
        self.where = "Made"
        vars(self).update(abilities)

    def can(self, ability):
        return ability in vars(self)

    def able(self, sampler=False):
        return [a for a in self.abilities if self.can(a) or (sampler and a == "sample")]


def data(x, y=None, train=None, classes=0, **options):
    """Data of which the test examples are given; others are the same, unless said."""
    test = Split(np.asarray(x), y)
    spec = zoo.DataSpec(test.x.shape[1:], classes)
    return Data("made", spec, train or test, test, test, **options)


def pictures(n=3, shape=(12, 12, 1), seed=0):
    return np.random.RandomState(seed).randint(0, 256, (n, *shape)).astype("uint8")


def shifted(by):
    """A model that adds to each pixel of a picture of bytes."""
    return Made(reconstruct=lambda x, labels=None: x / np.float32(255) + np.float32(by))


# --- reconstruction


def test_mse_is_the_mean_over_values_and_examples():
    x = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], "float32")
    model = Made(reconstruct=lambda x, labels=None: x + np.array([1.0, 3.0], "float32"))
    found = metrics.MSE().measure(model, data(x), seed=0)
    assert found.value == pytest.approx((1 + 9) / 2)
    assert found.protocol == "mean over 3 test examples"


def test_psnr_of_a_known_error():
    found = metrics.PSNR().measure(shifted(0.1), data(pictures() // 2), seed=0)
    assert found.value == pytest.approx(20.0, abs=1e-4) and found.unit == "dB"
    half = metrics.PSNR().measure(shifted(0.5), data(pictures() // 2), seed=0)
    assert half.value == pytest.approx(6.0206, abs=1e-4)


def test_psnr_is_the_mean_over_pictures_and_ends_at_rounding():
    assert decibels(np.array([0.01, 0.0001])).mean() == pytest.approx(30)
    found = metrics.PSNR().measure(shifted(0.0), data(pictures()), seed=0)
    assert found.value == pytest.approx(-10 * np.log10(ROUNDING)) == pytest.approx(58.92, abs=0.01)


def test_ssim_of_equal_and_of_constant_pictures():
    x = pictures(shape=(28, 28, 3)).astype("float32") / 255
    np.testing.assert_allclose(similarity(x, x), 1)
    # no variance: what is left is the luminance term
    low, high = np.full((1, 11, 11, 1), 0.2), np.full((1, 11, 11, 1), 0.8)
    expected = (2 * 0.2 * 0.8 + 1e-4) / (0.2**2 + 0.8**2 + 1e-4)
    np.testing.assert_allclose(similarity(low, high), expected)


def test_ssim_of_one_window_as_the_paper_writes_it():
    """A picture of 11 x 11 has one window within it: equation 13 once, sums written out."""
    x, y = (pictures(1, (11, 11, 1), seed)[0, ..., 0] / 255.0 for seed in (0, 1))
    i, j = np.indices((11, 11)) - 5
    weights = np.exp(-(i**2 + j**2) / (2 * 1.5**2))
    weights /= weights.sum()
    mean_x, mean_y = np.sum(weights * x), np.sum(weights * y)
    var_x, var_y = np.sum(weights * (x - mean_x) ** 2), np.sum(weights * (y - mean_y) ** 2)
    covariance = np.sum(weights * (x - mean_x) * (y - mean_y))
    c1, c2 = 0.01**2, 0.03**2
    expected = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    expected /= (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    np.testing.assert_allclose(similarity(x[None, ..., None], y[None, ..., None]), [expected])


def test_ssim_counts_windows_within_the_picture_only():
    """Of 28 x 28 pixels, the corner is in one window of 18 x 18, with the least weight."""
    x = np.full((1, 28, 28, 1), 0.5)
    corner, centre = x.copy(), x.copy()
    corner[0, 0, 0], centre[0, 14, 14] = 1, 1
    assert similarity(x, centre)[0] < similarity(x, corner)[0] < 1
    assert 1 - similarity(x, corner)[0] < 1e-3 / 18**2


def test_ssim_of_a_negative_is_negative():
    x = (np.indices((1, 12, 12, 1)).sum(axis=0) % 2).astype("float64")
    assert similarity(x, 1 - x)[0] < -0.9


def test_pictures_are_measured_in_parts_of_bounded_size(monkeypatch):
    sizes = []

    def reconstruct(x, labels=None):
        sizes.append(len(x))
        assert list(labels) == [x[i, 0, 0, 0] for i in range(len(x))]
        return x / np.float32(255)

    x = np.arange(10, dtype="uint8")[:, None, None, None] * np.ones((1, 2, 2, 1), "uint8")
    monkeypatch.setattr("zoo.plugin.metric._AT_ONCE", 4)
    found = metrics.MSE().measure(Made(reconstruct=reconstruct), data(x, np.arange(10)), seed=0)
    assert (sizes, found.value) == ([4, 4, 2], 0)


def test_what_fills_the_square_of_pictures_is_black():
    x = 255 - pictures(3)
    sheet = codecs._sheet(x)
    assert sheet.shape == (24, 24, 1) and (sheet[12:, 12:] == 0).all()
    assert (sheet[12:, :12] == x[2]).all()


def test_compression_of_pictures_and_of_vectors():
    model = shifted(0.1)
    model.encode = lambda x, labels=None: np.zeros((len(x), 4), "float32")
    found = metrics.Compression().measure(model, data(pictures() // 2), seed=0)
    assert found.value == 144 * 8 / (4 * 32) and found.unit == ": 1"
    assert found.protocol.startswith("144 values of 8 bits in 4 numbers of 32 bits")
    assert found.details["psnr"] == pytest.approx(20, abs=1e-4)
    assert found.details["mse"] == pytest.approx(0.01)
    assert found.details["ssim"] < 1
    small = metrics.Compression().measure(model, data(pictures(shape=(8, 8, 1))), seed=0)
    assert set(small.details) == {"mse", "psnr"}
    vectors = Made(encode=lambda x, labels=None: x[:, :2], reconstruct=lambda x, labels=None: x)
    found = metrics.Compression().measure(vectors, data(np.ones((3, 6), "float32")), seed=0)
    assert (found.value, dict(found.details)) == (3, {"mse": 0})


# --- modes


def test_modes_by_the_protocol_of_pacgan():
    modes = Modes(np.array([[0, 0], [10, 0], [0, 10]], "float32"), 1.0)
    samples = np.array([[0, 0], [2.9, 0], [3.1, 0], [10, 3], [5, 5]], "float32")
    assert coverage(samples, modes) == (2, 3 / 5)


def test_mode_coverage_of_samples_of_the_mixture_itself():
    centres = np.array([[0, 0], [1, 0]], "float32")
    mixture = data(np.zeros((4, 2), "float32"), modes=Modes(centres, 0.01))

    def sample(n, seed):
        drawn = np.random.RandomState(seed)
        return centres[drawn.randint(2, size=n)] + 0.01 * drawn.normal(size=(n, 2))

    found = metrics.ModeCoverage().measure(Made(sample=sample), mixture, seed=3)
    assert (found.value, found.unit) == (2, "of 2 modes")
    assert found.details["high_quality"] == pytest.approx(1 - np.exp(-4.5), abs=0.01)
    assert "2,500 samples" in found.protocol


# --- a Parzen window


def test_a_parzen_window_is_the_density_of_a_mixture():
    draws = np.random.RandomState(0)
    centres, x = draws.normal(size=(300, 5)), draws.normal(size=(2100, 5))
    for sigma in (0.1, 0.7):
        each = norm.logpdf(x[:, None], centres, sigma).sum(axis=2)
        expected = logsumexp(each, axis=1) - math.log(300)
        found = log_densities(x, centres, [0.3, sigma])
        assert found[:, 1] == pytest.approx(expected, rel=1e-9)


def test_a_parzen_window_of_one_sample_by_hand():
    # every pixel is off by 0.2; the nearest of the ten widths is 10 ** (-2 / 3), 0.215
    x = np.full((4, 2, 2, 1), 51, "uint8")
    model = Made(sample=lambda n, seed: np.zeros((n, 2, 2, 1), "float32"))
    found = metrics.ParzenWindow(samples=3).measure(model, data(x), 0)
    sigma = 10 ** (-2 / 3)
    assert found.details == {"sigma": pytest.approx(sigma), "standard_error": pytest.approx(0)}
    by_hand = -0.5 * 4 * 0.2**2 / sigma**2 - 2 * math.log(2 * math.pi * sigma**2)
    assert found.value == pytest.approx(by_hand)
    empty = dataclasses.replace(data(x), validation=data(x[:0]).test)
    with pytest.raises(ZooError, match="needs validation examples, to choose the width by"):
        metrics.ParzenWindow().check(empty)


# --- linear probe


def test_a_probe_draws_lines():
    x = np.random.RandomState(0).normal(size=(200, 2))
    assert (Probe(x, x[:, 0] > 0.3)(x) == (x[:, 0] > 0.3)).mean() > 0.95
    ring = np.linalg.norm(x, axis=1) > 1.1
    assert (Probe(x, ring)(x) == ring).mean() < 0.75


def test_the_unit_of_features_does_not_matter_to_a_probe():
    x = np.random.RandomState(0).normal(size=(100, 3))
    y = np.arange(100) % 4
    np.testing.assert_array_equal(Probe(x, y)(x), Probe(1000 * x + 7, y)(1000 * x + 7))


def test_linear_probe_on_codes_that_tell_the_label_and_data_that_do_not():
    labels = np.array([0, 0, 0, 1] * 5)
    blank = data(np.zeros((20, 2, 2, 1), "uint8"), labels, classes=2)
    model = Made(encode=lambda x, labels=None: np.eye(2, dtype="float32")[labels])
    found = metrics.LinearProbe().measure(model, blank, seed=0)
    assert found.value == 1
    assert found.details == {"on_data": 0.75, "ratio": pytest.approx(1 / 0.75)}
    assert "20 training examples" in found.protocol


def test_linear_probe_is_fitted_to_the_first_training_examples_only():
    y = np.array([0, 1, 0, 1])
    train = Split(np.array([[0.0], [1.0], [1.0], [0.0]], "float32"), y)  # the rest misleads
    test = data([[0.0], [1.0]], np.array([0, 1]), train=train, classes=2)
    model = Made(encode=lambda x, labels=None: x)
    assert metrics.LinearProbe(examples=2).measure(model, test, seed=0).value == 1


def test_a_probe_of_training_examples_that_come_class_by_class_sees_every_class():
    train = Split(np.array([[0.0]] * 5 + [[1.0]] * 5, "float32"), np.repeat([0, 1], 5))
    test = data([[0.0], [1.0]], np.array([0, 1]), train=train, classes=2)
    model = Made(encode=lambda x, labels=None: x)
    assert metrics.LinearProbe(examples=4).measure(model, test, seed=0).value == 1


@pytest.mark.parametrize("metric", [metrics.LinearProbe(), metrics.AugmentationGain()])
def test_training_examples_of_one_class_are_refused(metric):
    test = data([[0.0], [1.0]], np.array([0, 0]), classes=2)
    with pytest.raises(
        ZooError, match="training examples of two classes, and all 2 of made that it takes are"
    ):
        metric.check(test)


UNLABELLED = np.array([-1, -1, -1])


@pytest.mark.parametrize(
    ("metric", "train", "test"),
    [
        (metrics.LinearProbe(), UNLABELLED, [0, 1, 0]),
        (metrics.LinearProbe(), [0, 1, 0], UNLABELLED),
        (metrics.KNN(neighbours=1), UNLABELLED, [0, 1, 0]),
        (metrics.AugmentationGain(), [0, 1, 0], UNLABELLED),
        (metrics.Accuracy(), [0, 1, 0], UNLABELLED),
        (metrics.LabelKept(), [0, 1, 0], UNLABELLED),
    ],
)
def test_examples_without_any_label_are_refused(metric, train, test):
    train = Split(pictures(), np.asarray(train))
    with pytest.raises(ZooError, match=r"needs labels of t.* examples, and made has none"):
        metric.check(data(pictures(), np.asarray(test), train=train, classes=2))


@pytest.mark.parametrize("metric", [metrics.LinearProbe(), metrics.KNN(neighbours=1)])
def test_codes_that_are_not_finite_reach_no_classifier(metric):
    test = data([[0.0], [1.0]], np.array([0, 1]), classes=2)
    with pytest.raises(NotFinite, match="2 of 2 codes are not finite"):
        metric.measure(Made(encode=lambda x, labels=None: np.full((2, 1), np.nan)), test, 0)


def test_neighbours_are_examples_with_a_label():
    y = np.array([0, 1, 0, *([-1] * 17)])
    few = data(np.zeros((20, 1), "float32"), y, classes=2)
    with pytest.raises(ZooError, match=r"vote of 10 training examples.*fewer with a label: 3"):
        metrics.KNN().check(few)
    assert metrics.KNN(neighbours=500).fewest(few) == 500


def test_a_probe_that_pixels_tell_nothing_has_no_ratio():
    train = Split(np.array([[0.0], [0.1], [1.0], [1.1]], "float32"), np.array([0, 0, 1, 1]))
    test = data([[0.0]], np.array([1]), train=train, classes=2)
    model = Made(encode=lambda x, labels=None: x)
    found = metrics.LinearProbe().measure(model, test, seed=0)
    assert found.details["on_data"] == 0 and math.isnan(found.details["ratio"])


def test_a_reconstruction_that_is_given_the_label_says_so():
    model = shifted(0.1)
    model.conditional = True
    assert metrics.PSNR().measure(model, data(pictures()), 0).protocol.endswith("given the label")


# --- accuracy


def test_accuracy_counts_the_most_probable_class():
    probabilities = np.array([[0.6, 0.4], [0.1, 0.9], [0.6, 0.4], [0.5, 0.5]])
    model = Made(classify=lambda x: probabilities[: len(x)])
    found = metrics.Accuracy().measure(model, data(pictures(4), np.array([0, 1, 1, 0])), seed=0)
    assert found.value == 0.75


# --- the gain of samples among the training examples


def test_augmentation_gain_is_that_of_the_samples_it_is_given():
    x = np.array([[0.0], [1.0], [2.0], [3.0]], "float32")
    train = Split(x[[0, 3]], np.array([0, 1]))
    test = data(x, np.array([0, 0, 0, 1]), train=train, classes=2)  # 2 is nearer to the class of 3
    model = Made(
        conditional=True,
        sample=lambda n, seed, labels: (2 + labels[:, None]).astype("float32"),
    )
    found = metrics.AugmentationGain(samples=8).measure(model, test, seed=0)
    assert found.details == {"without": 0.75, "with": 1.0} and found.value == 0.25
    assert "2 training examples with 8 samples" in found.protocol


def test_augmentation_needs_samples_with_labels():
    test = data([[0.0], [1.0]], np.array([0, 1]), classes=2)
    model = Made(sample=lambda n, seed, labels=None: np.zeros((n, 1), "float32"))
    with pytest.raises(ZooError, match=r"needs a conditional model.*model\.conditional=True"):
        evaluate.refuse_unmeasurable([metrics.AugmentationGain()], model, test)


# --- what is refused


@pytest.mark.parametrize(
    ("metric", "lack"),
    [
        (metrics.ModeCoverage(), "a mixture of known modes, such as ring or grid"),
        (metrics.LinearProbe(), "labels of training examples"),
        (metrics.AugmentationGain(), "labels of training examples"),
        (metrics.Accuracy(), "labels of test examples"),
        (metrics.PSNR(), "pictures"),
        (metrics.SSIM(), "pictures"),
        (metrics.Recognition(), "pictures"),
        (metrics.LabelKept(), "pictures"),
        (metrics.StackedModes(), "pictures"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_data_that_a_metric_has_no_meaning_for(metric, lack):
    with pytest.raises(ZooError, match=f"'{metric.name}' needs {lack}, and made has none"):
        metric.check(data(np.zeros((3, 2), "float32")))


def test_ssim_of_small_pictures_is_refused():
    with pytest.raises(ZooError, match=r"at least 11 x 11 pixels, and those of made have 8 x 12"):
        metrics.SSIM().check(data(pictures(shape=(8, 12, 1))))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("log_likelihood", {"samples": 0}),
        ("mode_coverage", {"samples": 0}),
        ("recognition", {"samples": 0}),
        ("recognition", {"confidence": 1.0}),
        ("stacked_modes", {"samples": 0}),
        ("parzen_window", {"samples": 0}),
        ("linear_probe", {"examples": 1}),
        ("augmentation_gain", {"examples": 1}),
    ],
)
def test_settings_out_of_range_are_refused(name, settings):
    with pytest.raises(ZooError, match=f"{next(iter(settings))} is"):
        zoo.plugin.registry.create("metrics", name, **settings)


def test_every_metric_is_registered_by_its_name():
    for record in zoo.plugin.registry.records("metrics"):
        if record.distribution == "keras-zoo":
            metric = zoo.plugin.registry.create("metrics", record.name)
            assert metric.name == record.name
            assert set(metric.needs) <= set(zoo.Model.abilities)


# --- as the experiment hands them over


def test_a_metric_is_prepared_with_the_data_as_evaluated():
    digits = Digits(binarize="dynamic").load(Access())
    given = pipeline.as_evaluated(digits, "dynamic", seed=0)
    for split in ("validation", "test"):
        assert set(np.unique(getattr(given, split).x)) == {0, 255}
    assert given.train is digits.train and given.fingerprint == digits.fingerprint
    assert pipeline.as_evaluated(digits, None, seed=0) is digits


def test_a_model_without_the_ability_is_refused_with_those_it_has():
    model = Made(sample=lambda n, seed: None)
    with pytest.raises(ZooError, match="'mse' needs a model that can reconstruct, which Made"):
        evaluate.refuse_unmeasurable([metrics.MSE()], model, data(pictures()))
    with pytest.raises(ZooError, match=r'can: sample\. To measure nothing: "metrics=\[\]"$'):
        evaluate.refuse_unmeasurable([metrics.Compression()], model, data(pictures()))
    with pytest.raises(ZooError, match="it can: nothing"):
        evaluate.refuse_unmeasurable([metrics.MSE()], Made(), data(pictures()))


@pytest.mark.parametrize(
    ("metric", "given"),
    [
        (metrics.ELBO(), data(pictures())),
        (metrics.PSNR(), data(np.zeros((3, 2), "float32"))),
        (metrics.Accuracy(), data(pictures())),
        (metrics.Recognition(), data(np.zeros((3, 2), "float32"))),
        (metrics.ModeCoverage(), data(pictures())),
        (metrics.MSE(), data(pictures()[:0])),
    ],
)
def test_whatever_does_not_suit_a_metric_what_to_type_instead_is_told(metric, given):
    able = {name: None for name in metric.needs if name != "log_likelihood"}
    with pytest.raises(ZooError, match=r'\. To measure nothing: "metrics=\[\]"$'):
        evaluate.refuse_unmeasurable([metric], Made(**able), given)


def test_two_metrics_of_one_name_are_refused():
    model = Made(reconstruct=lambda x, labels=None: x)
    with pytest.raises(ZooError, match="two metrics are called 'mse'"):
        evaluate.refuse_unmeasurable([metrics.MSE(), metrics.MSE()], model, data(pictures()))


def test_a_sampler_that_is_to_come_counts_as_sampling():
    modes = data(np.zeros((3, 2), "float32"), modes=Modes(np.zeros((1, 2)), 1.0))
    evaluate.refuse_unmeasurable([metrics.ModeCoverage()], Made(), modes, sampler=True)
    with pytest.raises(ZooError, match="can sample"):
        evaluate.refuse_unmeasurable([metrics.ModeCoverage()], Made(), modes)


def test_what_is_measured_names_data_protocol_and_bits():
    model = shifted(0.1)
    plain = evaluate.measure([metrics.MSE()], model, data(pictures()), 5, binarized=False)
    assert set(plain) == {"mse"} and plain["mse"]["better"] == "lower"
    assert set(plain["mse"]) == {"value", "unit", "protocol", "details", "better"}
    assert plain["mse"]["protocol"] == "made: mean over 3 test examples, pixels in [0, 1]"
    drawn = evaluate.measure([metrics.MSE()], model, data(pictures()), 5, binarized=True)
    assert drawn["mse"]["protocol"].endswith("; pixels binarized once from seed 5")


def test_the_metric_of_the_docs():
    page = Path(__file__).parents[1] / "docs/how-to/measure.md"
    *_, shown = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    scope = {"__name__": __name__}
    exec(shown, scope)
    metric = scope["Brightness"](samples=4)
    model = Made(sample=lambda n, seed: np.full((n, 2, 2, 1), 0.25))
    evaluate.refuse_unmeasurable([metric], model, data(pictures()))
    found = evaluate.measure([metric], model, data(pictures()), 0, binarized=False)
    assert found["brightness"]["value"] == 0.25
    assert found["brightness"]["protocol"] == "made: mean pixel of 4 samples"
