"""Metrics in a feature space: values worked by hand, and pictures that get worse and worse."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics.pairwise import pairwise_distances, polynomial_kernel

import zoo
from zoo import datasets, features, metrics
from zoo.config import overrides
from zoo.datasets import Access, Data, Split
from zoo.errors import ZooError
from zoo.features import classifiers, extraction, references
from zoo.metrics import budget, evaluate, neighbours, space
from zoo.metrics.class_score import class_score
from zoo.metrics.frechet import frechet
from zoo.metrics.kid import kid, mmd2
from zoo.metrics.memorisation import nearer
from zoo.metrics.prdc import prdc
from zoo.plugin.features import Extractor, FeatureSpace

pytestmark = pytest.mark.once_in_short


def exact(mean, covariance, n=64):
    """Points of exactly this mean and unbiased covariance."""
    mean, d = np.asarray(mean, "float64"), len(mean)
    x = np.random.RandomState(0).standard_normal((n, d))
    x -= x.mean(axis=0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T
    return mean + x @ np.linalg.cholesky(np.asarray(covariance)).T


# --- the numbers


@pytest.mark.backend_free
@pytest.mark.parametrize(
    ("mean", "covariance", "expected"),
    [
        ([0, 0], [[1, 0], [0, 1]], 0),
        ([3, 4], [[1, 0], [0, 1]], 25),
        ([0, 0], [[4, 0], [0, 9]], 1 + 4),  # (2 - 1)^2 + (3 - 1)^2
        # of C and the identity: tr(C) + 2 - 2 tr(C^(1/2)), whose roots of 3 and 1 are sqrt(3), 1
        ([1, 0], [[2, 1], [1, 2]], 1 + 4 + 2 - 2 * (np.sqrt(3) + 1)),
    ],
)
def test_frechet_of_normals_in_closed_form(mean, covariance, expected):
    standard = exact([0, 0], np.eye(2))
    other = exact(mean, covariance)
    assert frechet(standard, other) == pytest.approx(expected, abs=1e-9)
    assert frechet(other, standard) == pytest.approx(expected, abs=1e-9)


@pytest.mark.backend_free
def test_frechet_of_covariances_that_do_not_commute_and_of_singular_ones():
    from scipy.linalg import sqrtm

    a, b = exact([0, 0], [[2, 1], [1, 2]]), exact([0, 0], [[5, -1], [-1, 1]])
    product = np.cov(a, rowvar=False) @ np.cov(b, rowvar=False)
    expected = 4 + 6 - 2 * np.trace(sqrtm(product)).real
    assert frechet(a, b) == pytest.approx(expected, rel=1e-9)
    flat = exact([0, 0], np.eye(2)) * [1, 0]
    assert frechet(flat, exact([0, 0], np.eye(2))) == pytest.approx(1, abs=1e-9)
    large = exact([0, 0], np.eye(2)).astype("float32") + np.float32(1000)
    assert frechet(large, large) == pytest.approx(0, abs=1e-6)


@pytest.mark.backend_free
def test_kid_by_hand_and_by_scikit_learn():
    # d = 1: the kernel of 0 and anything is 1; of 1 and 1 it is 8, of 1 and 2 it is 27
    x, y = np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])
    assert mmd2(x, y) == 1 + 27 - 2 * (1 + 1 + 8 + 27) / 4
    rng = np.random.RandomState(0)
    a, b = rng.standard_normal((30, 5)), rng.standard_normal((30, 5)) + 0.2
    kernels = [polynomial_kernel(p, q, degree=3, gamma=1 / 5, coef0=1) for p, q in ((a, a), (b, b))]
    within = sum((k.sum() - np.trace(k)) / (30 * 29) for k in kernels)
    across = polynomial_kernel(a, b, degree=3, gamma=1 / 5, coef0=1).mean()
    assert mmd2(a, b) == pytest.approx(within - 2 * across, rel=1e-12)
    assert kid(a, b, subsets=3)[0] == pytest.approx(mmd2(a, b), rel=1e-9)  # all of them each time


@pytest.mark.backend_free
def test_kid_is_unbiased():
    values = [kid(*np.random.RandomState(i).standard_normal((2, 20, 4)))[0] for i in range(300)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(300)
    assert min(values) < 0


@pytest.mark.backend_free
def test_numbers_are_those_of_torch_fidelity_and_prdc():
    """torch-fidelity 0.4.0 (isc and kid of features, rng_seed 2020) and prdc 0.2, same arrays."""
    logits = np.random.RandomState(3).standard_normal((50, 10)) * 2
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = (2.181577054751262, 0.28499212421682113)
    assert class_score(p, seed=2020) == pytest.approx(expected, rel=1e-9)
    rng = np.random.RandomState(4)
    a, b = rng.standard_normal((60, 6)), rng.standard_normal((50, 6)) * 1.2 + 0.3
    expected = (0.2762691038119033, 0.3550580062514501)
    assert kid(a, b, subsets=10, size=20, seed=2020) == pytest.approx(expected, rel=1e-9)
    assert prdc(a, b, 5) == pytest.approx(
        {"precision": 0.94, "recall": 59 / 60, "density": 0.656, "coverage": 53 / 60}, rel=1e-12
    )


@pytest.mark.backend_free
def test_prdc_by_brute_force(monkeypatch):
    monkeypatch.setattr(neighbours, "_ROWS", 7)  # several blocks, the last one short
    rng = np.random.RandomState(1)
    real, made, k = rng.standard_normal((40, 3)), rng.standard_normal((33, 3)) * 1.5, 3
    balls = [np.sort(pairwise_distances(x), axis=1)[:, k] for x in (real, made)]
    apart = pairwise_distances(real, made)
    inside = apart < balls[0][:, None]
    assert prdc(real, made, k) == pytest.approx(
        {
            "precision": inside.any(axis=0).mean(),
            "recall": (apart < balls[1]).any(axis=1).mean(),
            "density": inside.sum(axis=0).mean() / k,
            "coverage": inside.any(axis=1).mean(),
        }
    )


@pytest.mark.backend_free
@pytest.mark.slow
def test_prdc_of_one_distribution_has_the_values_of_the_protocol():
    """Of identical normals (Naeem et al. 2020): density 1 and coverage 1 - 2^-k."""
    a, b = np.random.RandomState(0).standard_normal((2, 3000, 64))
    found = prdc(a, b, 5)
    assert found["density"] == pytest.approx(1, abs=0.1)
    assert found["coverage"] == pytest.approx(1 - 2**-5, abs=0.02)


@pytest.mark.backend_free
def test_class_score_of_sure_and_of_unsure_classes():
    sure = np.eye(4)[np.arange(40) % 4]
    assert class_score(np.concatenate([sure] * 10), splits=1)[0] == pytest.approx(4)
    assert class_score(np.full((40, 4), 0.25)) == pytest.approx((1, 0))
    assert class_score(np.eye(4)[np.zeros(40, int)]) == pytest.approx((1, 0))


@pytest.mark.backend_free
def test_memorisation_is_mann_whitneys_statistic():
    from scipy.stats import mannwhitneyu

    rng = np.random.RandomState(0)
    a, b = rng.randint(0, 9, 40), rng.randint(1, 9, 50)
    expected = mannwhitneyu(a, b, use_continuity=False, method="asymptotic", alternative="less")
    share, z = nearer(a, b)
    assert share == pytest.approx(1 - expected.statistic / (40 * 50))
    from scipy.stats import norm

    assert norm.cdf(z) == pytest.approx(expected.pvalue)
    assert nearer(np.zeros(5), np.ones(5))[0] == 1
    assert nearer(np.ones(5), np.ones(5)) == (0.5, 0.0)


@pytest.mark.backend_free
def test_distances_take_blocks_of_bounded_memory():
    a, b = np.random.RandomState(0).standard_normal((2, 6000, 16)).astype("float32")
    tracemalloc.start()
    neighbours.nearest(a, b)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 120e6  # of 288 MB for all distances


# --- an evaluation


@dataclasses.dataclass(frozen=True)
class Counted(FeatureSpace):
    """Two of the pixels, and how many pictures they were asked of."""

    has_classes = True

    def load(self, data):
        def of(x):
            asked.append(len(x))
            return metrics_unit(x).reshape(len(x), -1)[:, [20, 44]]

        return Extractor("two pixels", "1" * 64, 2, of, lambda v: np.tile([0.5, 0.5], (len(v), 1)))


asked: list[int] = []


def metrics_unit(x):
    return np.asarray(x, "float32") / (255 if x.dtype == np.uint8 else 1)


@pytest.fixture(scope="module")
def digits():
    return datasets.Digits().load(Access())


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    asked.clear()
    return tmp_path / "keras"


def sampling(x):
    """A model whose samples are these pictures, again and again."""
    x = metrics_unit(x)

    def sample(n, seed, first=0):
        return x[(np.arange(first, first + n)) % len(x)]

    plugin = SimpleNamespace(conditional=False)
    return SimpleNamespace(sample=sample, plugin=plugin)


def every(space, n=150):
    kinds = (metrics.Frechet, metrics.KID, metrics.PRDC, metrics.ClassScore, metrics.Memorisation)
    return [kind(space=space, samples=n) for kind in kinds]


@pytest.mark.backend_free
def test_features_are_made_once_for_all_metrics(digits):
    model = sampling(digits.train.x)
    found = evaluate.measure(every(Counted()), model, digits, 0, False)
    # samples, test, train, blur, noise, without a class; and all of train for memorisation
    assert sum(asked) == 6 * 150 + len(digits.train)
    assert list(found) == ["frechet", "kid", "prdc", "class_score", "memorisation"]
    # one subset, of all, has no deviation
    assert set(found["kid"]["details"]) == {"real", "blur", "noise", "missing_class"}
    assert found["frechet"]["protocol"].startswith(
        f"{digits.name}: Frechet distance of 150 samples and as many test pictures in two pixels; "
    )
    assert found["frechet"]["space_sha256"] == "1" * 64
    asked.clear()
    again = evaluate.measure(every(Counted()), model, digits, 0, False)
    assert sum(asked) == 2 * 150 + len(digits.train)  # the others are kept in files
    assert again == found
    alone = metrics.KID(space=Counted(), samples=150).measure(model, digits, 0)
    assert dict(alone.details) == found["kid"]["details"] and alone.value == found["kid"]["value"]


@pytest.mark.backend_free
def test_what_is_kept_is_of_one_space_one_data_and_one_n(digits, home):
    metric = metrics.Frechet(space=Counted(), samples=150)
    model = sampling(digits.test.x)
    first = evaluate.measure([metric], model, digits, 0, False)["frechet"]["details"]
    [file] = references.folder().glob("*.json")
    assert references.folder().is_relative_to(home) and json.loads(file.read_text()) == first
    file.write_text("{")  # damaged: computed anew
    assert evaluate.measure([metric], model, digits, 0, False)["frechet"]["details"] == first
    evaluate.measure([dataclasses.replace(metric, samples=100)], model, digits, 0, False)
    other = dataclasses.replace(digits, fingerprint="0")
    evaluate.measure([metric], model, other, 0, False)
    assert len(list(references.folder().glob("*.json"))) == 3


@pytest.mark.backend_free
def test_samples_of_a_larger_set_begin_with_those_of_a_smaller(digits):
    extractor, model = Counted().load(digits), sampling(digits.train.x)
    with extraction.shared():
        few = extraction.Sets(extractor, digits, 50, 0).samples(model)
        many = extraction.Sets(extractor, digits, 120, 0).samples(model)
        assert sum(asked) == 120
        np.testing.assert_array_equal(many[:50], few)
        extraction.Sets(extractor, digits, 120, 1).samples(model)
    assert sum(asked) == 240


def test_samples_from_a_place_on_are_those_of_the_whole():
    data = zoo.DataSpec((8, 8, 1), 3)
    for model in (zoo.build(zoo.model("vae", units=(4,)), data), zoo.build(Conditional(), data)):
        whole = model.sample(7, seed=3)
        parts = [model.sample(4, seed=3), model.sample(3, seed=3, first=4)]
        np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-5, atol=1e-6)


def Conditional():
    return zoo.model("vae", units=(4,), conditional=True)


@pytest.mark.backend_free
def test_pictures_are_binarized_as_the_test_pictures_are(digits):
    from zoo.datasets.pipeline import as_evaluated

    evaluated = as_evaluated(digits, "dynamic", 0)
    seen = []

    def of(x):
        seen.append(np.unique(x))
        return np.zeros((len(x), 2), "float32")

    extractor = Extractor("seen", "2" * 64, 2, of)
    extraction.Sets(extractor, evaluated, 50, 0).train()
    extraction.Sets(extractor, digits, 50, 0).train()
    assert seen[0].tolist() == [0, 255] and len(seen[1]) > 2


@pytest.mark.backend_free
def test_references_are_of_as_many_pictures_as_the_number(digits):
    labels = np.asarray(digits.train.y).copy()
    n = int((labels != 0).sum()) - 10
    metric = metrics.KID(space=Counted(), samples=n)
    wide = dataclasses.replace(digits, test=digits.train)
    whole = metric.measure(sampling(digits.train.x), wide, 0)
    assert {"real", "missing_class"} <= set(whole.details)
    assert "missing_class without class 0" in whole.protocol
    labels[np.flatnonzero(labels > 0)[:20]] = -1  # their class is unknown
    few = dataclasses.replace(wide, train=dataclasses.replace(digits.train, y=labels))
    found = metric.measure(sampling(digits.train.x), few, 0)
    assert "real" in found.details and "missing_class" not in found.details
    assert "missing_class" not in found.protocol
    without = dataclasses.replace(wide, train=digits.train.first(n - 1))
    found = metric.measure(sampling(digits.train.x), without, 0)
    assert "real" not in found.details and "training" not in found.protocol


@pytest.mark.backend_free
def test_references_are_of_the_metric_that_is_measured(digits, monkeypatch):
    """Two of one name, as one is before and after its formula is mended."""

    def mine(value):
        @dataclasses.dataclass(frozen=True)
        class Mine(metrics.KID):
            def compared(self, real, made, extractor):
                return value, {}

        return Mine(space=Counted(), samples=100)

    model = sampling(digits.train.x)
    with extraction.shared():
        assert mine(1.0).measure(model, digits, 0).details["real"] == 1
        monkeypatch.setattr(space, "_code", lambda metric: "changed")
        assert mine(2.0).measure(model, digits, 0).details["real"] == 2
        monkeypatch.setattr(space, "_code", lambda metric: "")  # of no file, as in a notebook
        assert mine(3.0).measure(model, digits, 0).details["real"] == 3


@pytest.mark.backend_free
def test_samples_that_are_not_finite_are_a_result_that_says_so(digits):
    x = metrics_unit(digits.train.x).copy()
    x[3] = np.nan
    found = evaluate.measure(every(Counted()), sampling(x), digits, 0, False)
    for each in found.values():
        assert math.isnan(each["value"]) and "1 of 150 samples are not finite" in each["protocol"]


@pytest.mark.backend_free
def test_too_few_pictures_for_the_dimensions(digits):
    metric = metrics.Frechet(space=features.Pixels(), samples=60)
    message = r"'frechet' needs at least 64 pictures in each set, for pixels .* has 64 dimensions"
    with pytest.raises(ZooError, match=message):
        metric.prepare(digits, Access(), None)
    with pytest.raises(ZooError, match=message):
        metric.measure(sampling(digits.test.x), digits, 0)
    assert metric.fewest(digits) == 64


@pytest.mark.backend_free
def test_a_short_evaluation_leaves_enough_pictures_and_says_so():
    x = np.random.RandomState(0).randint(0, 256, (4000, 8, 8, 1)).astype("uint8")
    split = Split(x)
    data = Data("noise", zoo.DataSpec((8, 8, 1)), split, split, split)
    metric = metrics.Frechet(space=features.Pixels()).prepare(data, Access(), None)
    assert metric.samples == 4000
    found = evaluate.measure([metric], sampling(x), data, 0, False, seconds=0)["frechet"]
    assert found["shortened"] == "500 of 4,000 samples"
    assert "shortened to 500 of 4,000 samples: Frechet distance of 500 samples" in found["protocol"]
    wide = dataclasses.replace(Counted())
    object.__setattr__(wide, "load", lambda data: Extractor("wide", "3" * 64, 900, None))
    part = budget.Part.of(dataclasses.replace(metric, space=wide), data, 10)
    assert part.metric.samples == 1000


@pytest.mark.backend_free
def test_settings_name_a_space():
    metric = metrics.KID()
    assert metric.space == features.Judge("classifier_mnist")
    for text in ("random", "RandomNetwork()"):
        changed = overrides.override({"metrics": [metric]}, [f"metrics.KID.space={text}"])
        assert changed["metrics"][0].space == features.RandomNetwork()
    changed = overrides.override({"metrics": [metric]}, ["metrics.KID.space=judge(classifier='x')"])
    assert changed["metrics"][0].space == features.Judge("x")
    with pytest.raises(ZooError, match="unknown part 'pixles'; did you mean 'Pixels'"):
        overrides.override({"metrics": [metric]}, ["metrics.KID.space=pixles"])


@pytest.mark.backend_free
def test_numbers_in_the_space_of_inception_have_names_of_their_own():
    with pytest.raises(ZooError, match=r"'frechet' in the space of Inception is metrics\.FID"):
        metrics.Frechet(space=features.Inception())
    with pytest.raises(ZooError, match=r"is metrics\.InceptionScore"):
        metrics.ClassScore(space=features.Inception())
    with pytest.raises(
        ZooError, match=r"needs a feature space with classes, such as features\.Judge"
    ):
        metrics.ClassScore(space=features.Pixels())
    assert metrics.FID().name == "fid" and metrics.FID().space == features.Inception()


# --- judges that come with the zoo

REAL = os.environ.get("ZOO_DATA", "")
MNIST = pytest.param(
    "classifier_mnist",
    datasets.MNIST(),
    marks=pytest.mark.skipif(not REAL, reason="ZOO_DATA names no folder"),
)
SPRITES = ("classifier_sprites", datasets.Sprites(n=2_000, held_out=300))
CASES = pytest.mark.parametrize(("classifier", "dataset"), [SPRITES, MNIST])


@CASES
def test_kid_grows_and_coverage_falls_as_pictures_get_worse(classifier, dataset):
    """Real < blur < more blur, real < noise, real < a class missing; each beyond the spread."""
    sets, others = judged(classifier, dataset, 1000)
    test, real = sets.test(), sets.train()
    floor = mmd(test, real)
    spread = np.std([mmd(test[i::3], real[j::3]) for i in range(3) for j in range(3)]) / 3
    found = {what: mmd(test, made) for what, made in others.items()}
    assert found["missing_class"] > floor  # of ten classes, one is missed by more pictures, below
    few = ("missing_class",) if "mnist" in classifier else ()
    assert min(v for what, v in found.items() if what not in few) > floor + 3 * spread
    assert found["more blur"] > found["blur"] + 3 * spread
    covered = [prdc(test, made, 5)["coverage"] for made in (others["blur"], others["more blur"])]
    assert covered == sorted(covered, reverse=True)
    assert covered[0] < prdc(test, real, 5)["coverage"] - 0.05


@CASES
@pytest.mark.slow
def test_frechet_grows_as_pictures_get_worse(classifier, dataset):
    dataset = dataclasses.replace(
        dataset, **{"n": 5000, "held_out": 2500} if "sprites" in classifier else {}
    )
    sets, others = judged(classifier, dataset, 2500)
    test, real = sets.test(), sets.train()
    floor, again = frechet(test, real), frechet(test, sets.train(2300))
    found = {what: frechet(test, made) for what, made in others.items()}
    assert min(found.values()) > floor + 3 * abs(again - floor)
    assert found["more blur"] > found["blur"] + 3 * abs(again - floor)


def mmd(a, b):
    return mmd2(a.astype("float64"), b.astype("float64"))


def judged(classifier, dataset, n):
    """The sets of a judge's features, and those of pictures that are worse and worse."""
    data = dataset.load(Access())
    extractor = features.Judge(classifier).load(data)
    n = min(n, len(data.test))
    sets = extraction.Sets(extractor, data, n, 0)
    x = np.asarray(data.train.x[extraction.drawn(n, len(data.train))])
    return sets, {
        "blur": sets.blurred(),
        "more blur": extractor.features(extraction.blurred(x, 2 * extraction.BLUR)),
        "noise": sets.noisy(),
        "missing_class": sets.missing_class(),
    }


def test_probabilities_of_features_are_those_of_the_classifier():
    data = SPRITES[1].load(Access())
    x = np.asarray(data.test.x[:20])
    extractor = features.Judge("classifier_sprites").load(data)
    judge = classifiers.loaded("classifier_sprites", data.spec)
    found = extractor.probabilities(extractor.features(x))
    np.testing.assert_allclose(found, judge(x), rtol=1e-4, atol=1e-6)
    assert (extractor.dimension, extractor.sha256) == (256, judge.sha256)
    assert extractor.facts["judge_sha256"] == judge.sha256


def test_a_random_network_is_the_same_everywhere():
    data = Data("p", zoo.DataSpec((8, 8, 1)), *[Split(np.zeros((2, 8, 8, 1), "uint8"))] * 3)
    extractor = features.RandomNetwork().load(data)
    x = np.random.RandomState(0).randint(0, 256, (3, 8, 8, 1)).astype("uint8")
    found = extractor.features(x)
    assert extractor.sha256[:8] == "f09db2f0"
    np.testing.assert_allclose(found[0, ::32], [0.0, 0.82285, 0.0, 0.0], rtol=1e-4, atol=1e-6)
