"""What feature spaces make of pictures."""

from __future__ import annotations

import re

import numpy as np

from zoo.plugin.features import Extractor
from zoo.testing.checks.bench import Bench
from zoo.testing.checks.listing import check
from zoo.testing.checks.outcomes import expect, expect_close


@check("features")
def loads_an_extractor(bench: Bench):
    """``load`` gives an ``Extractor`` with a name and the SHA-256 of what decides its features."""
    found = bench.extractor[0]
    expect(isinstance(found, Extractor), f"load() gives {type(found).__name__}, not an Extractor")
    expect(isinstance(found.name, str) and found.name, "its name is empty: protocols show it")
    fits = isinstance(found.sha256, str) and re.fullmatch("[0-9a-f]{64}", found.sha256)
    expect(fits, f"sha256 is 64 hexadecimal digits; it is {found.sha256!r}")


@check("features")
def features_are_vectors(bench: Bench):
    """``features`` gives finite float32 ``(n, dimension)``."""
    extractor, x = bench.extractor
    out = np.asarray(extractor.features(x))
    expected = (len(x), extractor.dimension)
    expect(out.shape == expected, f"features of {x.shape} have shape {out.shape}, not {expected}")
    expect(out.dtype == np.float32, f"features are {out.dtype}, not float32")
    expect(np.isfinite(out).all(), "features are not finite")


@check("features")
def pictures_count_alike_in_both_forms(bench: Bench):
    """Pictures as uint8 have the features of the same pictures as floats in [0, 1]."""
    extractor, x = bench.extractor
    of_floats = extractor.features(x.astype("float32") / np.float32(255))
    expect_close(extractor.features(x), of_floats, "features of uint8 and of the same floats")


@check("features")
def features_are_of_one_picture_each(bench: Bench):
    """The features of a picture depend on no other picture."""
    extractor, x = bench.extractor
    parts = [extractor.features(x[:1]), extractor.features(x[1:])]
    message = "features of a batch and of its parts"
    expect_close(extractor.features(x), np.concatenate(parts), message, rtol=1e-3, atol=1e-4)


@check("features", when=lambda case: case.plugin.has_classes)
def classes_of_features_have_probabilities(bench: Bench):
    """``probabilities`` of features are a row for each picture that sums to one."""
    extractor, x = bench.extractor
    expect(extractor.probabilities is not None, "it says that it has classes, and gives none")
    out = np.asarray(extractor.probabilities(extractor.features(x)))
    expect(out.ndim == 2 and len(out) == len(x), f"probabilities have shape {out.shape}")
    expect((out >= 0).all(), "some probabilities are below 0")
    expect_close(out.sum(axis=1), np.ones(len(x)), "probabilities sum to one", rtol=1e-3)
