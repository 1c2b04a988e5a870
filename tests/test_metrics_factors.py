"""Metrics of codes against true factors and labels, on codes whose answers are known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import zoo
from tests.test_metrics import Made, data
from zoo import metrics
from zoo.datasets import Data, Sources, Split, Sprites
from zoo.datasets.draws import Draws
from zoo.errors import ZooError
from zoo.metrics import beta_vae_score, dci, evaluate, factor_vae_score, mig, modularity, sap
from zoo.metrics.factors import entropies, mutual_information, places

pytestmark = pytest.mark.backend_free

# Every combination as often as every other, so that what one factor says of another is 0 exactly.
FACTORS = np.repeat(list(itertools.product(range(2), range(4), range(5))), 25, axis=0)
PERFECT = FACTORS.astype("float64")
NOISE = Draws(0, "test").normal((len(FACTORS), 3))
TURN = np.array([[1.0, -1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, math.sqrt(2)]]) / math.sqrt(2)
STANDARD = (PERFECT - PERFECT.mean(axis=0)) / PERFECT.std(axis=0)
ROTATED = STANDARD @ TURN  # the first two factors are each in two codes

SAME_ANSWERS = {
    "perfect": PERFECT,
    "permuted": PERFECT[:, [2, 0, 1]],
    "scaled": PERFECT * [7.0, -0.5, 100.0] + [1.0, -3.0, 20.0],
    "with codes that say nothing": np.concatenate([PERFECT, np.zeros_like(PERFECT)], axis=1),
}


def factor_vae(codes, votes=400, factors=FACTORS):
    return factor_vae_score.score((codes, factors), (codes, factors), votes, 64, Draws(1, "v"))


def beta_vae(codes, points=300, batch=64, factors=FACTORS):
    train = test = (codes, factors)
    return beta_vae_score.score(train, test, points, batch, Draws(1, "p"))


def importance(codes, factors=FACTORS):
    return dci.importances(codes, factors, codes, factors)[0]


@pytest.mark.parametrize("codes", SAME_ANSWERS.values(), ids=SAME_ANSWERS)
def test_a_code_for_each_factor_is_perfect(codes):
    assert mig.gaps(codes, FACTORS) == pytest.approx(1)
    information = mutual_information(codes, FACTORS)
    said = modularity.modularities(information[information.max(axis=1) > 0.1])
    assert said == pytest.approx(1)
    found, accuracy = dci.importances(codes, FACTORS, codes, FACTORS)
    assert accuracy == 1
    assert dci.disentanglement(found) == pytest.approx(1, abs=1e-6)
    assert dci.completeness(found) == pytest.approx(1, abs=1e-6)
    assert factor_vae(codes) == 1
    assert beta_vae(codes) == 1


def test_codes_that_say_nothing_have_0():
    assert (mig.gaps(NOISE, FACTORS) < 0.02).all()
    assert 1 / 4 < factor_vae(NOISE) < 1 / 2  # chance is a third
    assert 1 / 4 < beta_vae(NOISE) < 1 / 2  # likewise
    assert factor_vae(0.01 * NOISE) == 0  # none varies enough to count
    assert (mig.gaps(np.zeros_like(PERFECT), FACTORS) == 0).all()
    assert (modularity.modularities(np.zeros((2, 3))) == 0).all()
    assert dci.disentanglement(np.zeros((2, 3))) == 0


def test_rotated_codes_are_worse_in_the_factors_that_are_turned():
    gaps = mig.gaps(ROTATED, FACTORS)
    assert gaps[2] == pytest.approx(1) and (gaps[:2] < 0.6).all()
    found = importance(ROTATED)
    assert found[2, 2] == pytest.approx(1) and (found[:2, :2] > 0.1).all()
    assert dci.disentanglement(found) < 0.8 and dci.completeness(found) < 0.9
    assert modularity.modularities(mutual_information(ROTATED, FACTORS))[:2].max() < 0.9


def test_values_by_hand():
    # a factor of two values in one code, and in another that has half of it by the same name
    found = np.array([[3.0, 1.0], [0.0, 4.0]])
    rows = 1 - np.array([-(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25)), 0.0])
    assert dci.disentanglement(found) == pytest.approx((rows * [0.5, 0.5]).sum())
    columns = 1 - np.array([0.0, -(0.2 * math.log2(0.2) + 0.8 * math.log2(0.8))])
    assert dci.completeness(found) == pytest.approx((columns * [3 / 8, 5 / 8]).sum())
    assert modularity.modularities(np.array([[2.0, 1.0, 0.0], [3.0, 3.0, 3.0]])) == pytest.approx(
        [1 - (1 / 4) / 2, 0]
    )
    assert sap.gaps(np.array([[0.9, 0.5], [0.6, 0.5], [0.2, 0.1]])) == pytest.approx([0.3, 0])
    assert entropies(FACTORS) == pytest.approx(np.log([2, 4, 5]))


def test_a_factor_in_two_codes_has_no_gap():
    twice = np.concatenate([PERFECT, 2 * PERFECT[:, :1]], axis=1)
    assert mig.gaps(twice, FACTORS) == pytest.approx([0, 1, 1])
    # but each code is about one factor alone
    assert modularity.modularities(mutual_information(twice, FACTORS)) == pytest.approx(1)


def test_sap_is_the_gap_of_linear_classifiers():
    factors = FACTORS[:, :1]
    accuracy = sap.accuracies(PERFECT[:, :2], factors, PERFECT[:, :2], factors)
    assert accuracy[:, 0] == pytest.approx([1, 0.5])
    assert sap.gaps(accuracy) == pytest.approx([0.5])
    same = np.zeros_like(factors)  # where there is nothing to predict, there is no gap
    assert sap.gaps(sap.accuracies(PERFECT, same, PERFECT, same)) == [0]


def test_the_votes_of_entangled_codes_are_split():
    # the sum of two factors stands for neither: a fixed one leaves half of its variance
    both = STANDARD[:, [0, 1, 2]].copy()
    both[:, 0] = both[:, 1] = STANDARD[:, 0] + STANDARD[:, 1]
    assert 0.6 < factor_vae(both, 1000) < 0.75  # one factor in three, and half of the others


def test_the_score_of_beta_vae_does_not_miss_the_code_of_one_factor():
    assert beta_vae(PERFECT[:, :2]) == 1  # as Kim & Mnih (2018) say of it
    # without two, the points of these look alike
    assert beta_vae(PERFECT[:, :1]) == pytest.approx(2 / 3, abs=0.1)
    assert 1 / 2 < beta_vae(ROTATED) < 0.9  # those of the two that are turned as well


def test_a_point_of_the_score_of_beta_vae_by_hand():
    # a fixed factor has no difference in its code; one of two values differs in half of the pairs
    x, y = beta_vae_score._points(PERFECT, FACTORS, 3, 20_000, Draws(0, "by hand"))
    assert list(y) == [0, 1, 2]
    expected = np.array([0.5, 1.25, 1.6])  # E|a - b| of 2, 4 and 5 values: (n^2 - 1) / 3n
    # another example than the first of a pair: of 1,000, as often as not of another value
    assert x == pytest.approx(np.where(np.eye(3, dtype=bool), 0, expected), abs=0.04)


def test_pairs_of_the_score_of_beta_vae_are_of_two_examples():
    """With itself an example would differ by 0, more often the smaller a group is."""
    draws = Draws(2, "test")
    train, test = (
        (
            draws.normal((300, 10)),
            np.stack([draws.integers(300, n) for n in (3, 6, 40, 32, 32)], axis=1),
        )
        for _ in range(2)
    )
    found = beta_vae_score.score(train, test, 2000, 64, draws)
    assert found == pytest.approx(0.2, abs=0.06)
    twice = np.repeat(np.arange(100), 2)[:, None]
    x, _ = beta_vae_score._points(np.eye(200), twice, 1, 50, Draws(0, "by hand"))
    assert x.sum() == pytest.approx(2)  # each difference has two ones


def test_a_factor_whose_values_all_differ_has_no_pairs():
    factors = np.stack([np.arange(50), np.arange(50) % 2], axis=1)
    with pytest.raises(ZooError, match="among 50 all values of factor 0 differ"):
        beta_vae(np.zeros((50, 2)), factors=factors)


def test_real_factors_are_put_into_bins():
    real = np.linspace(0, 1, 200, dtype="float32")[:, None]
    assert len(np.unique(places(real))) == 20
    assert (places(FACTORS) == FACTORS).all()
    wider = np.array([[-3.0], [0.3], [0.52], [1.0], [7.0]])
    assert places(wider, real)[:, 0].tolist() == [1, 6, 11, 20, 20]  # by the bins of the others


def test_real_factors_of_training_and_test_examples_have_the_same_bins():
    draws = Draws(3, "test")
    train, test = (draws.normal((n, 2)).astype("float32") for n in (2000, 1000))
    given = Data(
        "normal",
        zoo.DataSpec((2,)),
        *(Split(v, factors=v) for v in (train, test, test)),
    )
    assert metrics.DCI().measure(ENCODING, given, 0).details["informativeness"] > 0.95


def test_codes_that_are_not_finite_are_a_result_that_says_so():
    broken = Made(encode=lambda x, labels=None: np.where(x > 3, np.nan, x))
    found = evaluate.measure([metrics.MIG()], broken, known(), 0, False)["mig"]
    assert math.isnan(found["value"]) and "of 1,000 codes are not finite" in found["protocol"]


# --- as metrics


def known(factors=FACTORS, **options):
    x = FACTORS.astype("float32")
    split = Split(x, factors=factors)
    return Data("known", zoo.DataSpec((3,)), split, split, split, **options)


ENCODING = Made(encode=lambda x, labels=None: np.asarray(x))
ALL = [
    metrics.MIG,
    metrics.DCI,
    metrics.SAP,
    metrics.FactorVAEScore,
    metrics.BetaVAEScore,
    metrics.Modularity,
]


@pytest.mark.parametrize("metric", ALL)
def test_metrics_name_factors_and_protocol(metric):
    given = known(factor_names=("size", "x", "y"))
    found = metric().measure(ENCODING, given, 0)
    assert found.protocol
    if metric is metrics.SAP:
        assert 0.1 < found.value < 1
    else:
        assert found.value == pytest.approx(1, abs=1e-6)
    if metric in (metrics.MIG, metrics.SAP):
        assert list(found.details) == ["size", "x", "y"]
        assert next(iter(metric().measure(ENCODING, known(), 0).details)) == "factor_0"
    assert metric().measure(ENCODING, given, 0) == found


@pytest.mark.parametrize("metric", ALL)
def test_examples_in_the_order_of_their_factors_are_drawn(metric):
    given = known()  # the first 100 have one value of the first factor, and one of the second
    few = {name: 100 for name in ("examples", "held_out") if hasattr(metric(), name)}
    found = metric(**few).measure(ENCODING, given, 0)
    assert "100 test examples" in found.protocol
    assert found.value > (0.1 if metric is metrics.SAP else 0.9)


def test_data_without_factors_are_refused():
    for metric in ALL:
        with pytest.raises(ZooError, match=r"needs true factors \(Split.factors\)"):
            metric().check(data(np.zeros((4, 2))))
    constant = FACTORS.copy()
    constant[:, 1] = 3
    with pytest.raises(ZooError, match="has 2 that vary over its training examples"):
        metrics.MIG().check(known(constant))


def test_names_of_factors_are_as_many_as_there_are():
    with pytest.raises(ZooError, match=r"2 factor_names for 3 columns of Split\.factors"):
        known(factor_names=("a", "b"))
    loaded = Sprites(size=16, n=10, held_out=5).load()
    assert loaded.factor_names == ("shape", "scale", "orientation", "x", "y")
    assert loaded.class_names == ("square", "ellipse", "heart")
    small = Sprites(size=16, n=10, held_out=5)
    assert Sources({"a": small, "b": small}).load().factor_names == loaded.factor_names


# --- neighbours


def test_neighbours_vote_on_the_codes():
    x = np.array(
        [[0.0, 0.0], [0.1, 9.0], [0.2, 1.0], [5.0, 9.0], [5.1, 0.0], [5.2, 8.0]], "float32"
    )
    y = np.array([0, 0, 0, 1, 1, 1])
    test = data(x + np.float32(0.01), y, Split(x, y), classes=2)
    first = Made(encode=lambda x, labels=None: np.asarray(x)[:, :1])
    found = metrics.KNN(neighbours=3).measure(first, test, 0)
    assert found.value == 1.0
    # by both coordinates, [0.1, 9] has two of the other class near, and [5.1, 0] likewise
    assert found.details == {"on_data": pytest.approx(4 / 6), "ratio": pytest.approx(1.5)}
    with pytest.raises(
        ZooError, match="a vote of 10 training examples, and is given fewer with a label: 6"
    ):
        metrics.KNN().check(test)
