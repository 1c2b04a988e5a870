"""What abilities give: shapes, types, and that examples do not meddle with each other."""

from __future__ import annotations

import numpy as np

from zoo.plugin import views
from zoo.testing.checks.bench import Bench, N
from zoo.testing.checks.cases import CLASSES
from zoo.testing.checks.listing import check
from zoo.testing.checks.outcomes import Skipped, expect, expect_close


@check(needs=("sample",))
def samples_are_like_examples(bench: Bench):
    """``sample`` gives finite float32 ``(n, *data.shape)``."""
    _like_examples(bench, "sample", bench.call("sample"))


@check(needs=("sample",))
def samples_keep_to_their_seed_and_place(bench: Bench):
    """The first m of n samples are those of m; other rows and other seeds differ."""
    samples = bench.call("sample")
    expect_close(bench.call("sample", n=1), samples[:1], "the first of 1 and of 4 samples")
    other = bench.call("sample", seed=2)
    expect(np.abs(other - samples).max() > 1e-5, "samples are the same for every seed")
    expect(np.abs(samples[1:] - samples[:1]).max() > 1e-5, "samples of one seed are all the same")


@check(needs=("sample",), when=lambda case: case.plugin.conditional)
def labels_choose_samples(bench: Bench):
    """A conditional model samples something else for another label."""
    zeros = np.zeros(N, "int32")
    first, other = (bench.call("sample", chosen=labels) for labels in (zeros, zeros + 1))
    expect(np.abs(first - other).max() > 1e-6, "samples are the same for every label")


@check(needs=("sample",))
def samples_are_the_same_everywhere(bench: Bench):
    """Samples of the initial weights are those recorded, or those of the other backends."""
    bench.require_built()
    recorded = bench.case.first_samples
    if not len(recorded):
        raise Skipped("no samples are recorded; zoo check --backend all compares the backends")
    try:
        numbers = bench.compiled_samples.ravel()
    except Exception as error:
        raise Skipped("it does not sample: another check says why") from error
    found = numbers[np.linspace(0, len(numbers) - 1, len(recorded)).astype(int)]
    listed = ", ".join(f"{number:.7g}" for number in found)
    message = f"samples of the initial weights, which are {listed}, and those recorded"
    expect_close(found, recorded, message)


@check(needs=("reconstruct",))
def reconstructions_are_like_examples(bench: Bench):
    """``reconstruct`` gives finite float32 ``(n, *data.shape)``."""
    _like_examples(bench, "reconstruct", bench.call("reconstruct"))


@check(needs=("encode",))
def codes_are_vectors(bench: Bench):
    """``encode`` gives finite float32 ``(n, latent_dim)``."""
    codes = bench.call("encode")
    expect(codes.ndim == 2 and len(codes) == N, f"encode of {N} examples gives shape {codes.shape}")
    _finite("encode", codes)


@check(needs=("latent",))
def the_prior_is_of_codes(bench: Bench):
    """``latent`` gives a distribution whose finite float32 samples are of the shape of codes."""
    codes = bench.call("latent")
    expect(codes.ndim == 2 and len(codes) == N, f"{N} samples of latent have shape {codes.shape}")
    _finite("latent", codes)
    if "encode" in bench.working:
        own = bench.call("encode").shape
        expect(codes.shape == own, f"{N} samples of latent have shape {codes.shape}, codes {own}")


@check(needs=("encode",))
def codes_are_of_one_example_each(bench: Bench):
    """The code of an example does not depend on the others in its batch."""
    together, alone = bench.call("encode"), bench.call("encode", n=1)
    expect_close(alone, together[:1], "the code of an example, alone and among others")


@check(needs=("encode", "decode"))
def codes_decode_to_examples(bench: Bench):
    """``decode`` takes what ``encode`` gives, to finite float32 ``(n, *data.shape)``."""
    bench.require_built()
    if "encode" not in bench.working:
        raise Skipped("there are no codes to decode: another check says why")
    _like_examples(bench, "decode", bench.call("decode", given=bench.call("encode")))


@check(needs=("log_likelihood",))
def likelihoods_are_one_number_an_example(bench: Bench):
    """``log_likelihood`` gives finite float32 ``(n,)`` for any number of samples."""
    for samples in (1, 3):
        found = bench.call("log_likelihood", samples=samples)
        expect(found.shape == (N,), f"log_likelihood of {N} examples gives shape {found.shape}")
        _finite("log_likelihood", found)


@check(needs=("posterior",))
def posteriors_are_of_one_code_an_example(bench: Bench):
    """``posterior`` has for each example a code's mean, draw and log density, all finite."""
    found = bench.posterior()
    draws, densities = found["draw"], found["log_prob"]
    expect(
        draws.ndim == 2 and len(draws) == N and found["mean"].shape == draws.shape,
        f"the posterior of {N} examples has means {found['mean'].shape} and draws {draws.shape}",
    )
    expect(
        densities.shape == (N,),
        f"log_prob of {N} draws of the posterior has shape {densities.shape}",
    )
    for what, numbers in found.items():
        _finite(f"{what} of the posterior", numbers)


@check(needs=("classify",))
def classes_have_probabilities(bench: Bench):
    """``classify`` gives ``(n, classes)``, each row at least 0 and summing to 1."""
    found = bench.call("classify")
    expect(found.shape == (N, CLASSES), f"classify of {N} examples gives shape {found.shape}")
    expect(found.min() >= 0, f"classify gives {found.min():.3g}, which is no probability")
    expect_close(found.sum(axis=1), np.ones(N), "probabilities of an example sum to 1")


@check(needs=("views",))
def views_keep_to_their_seed_and_place(bench: Bench):
    """A view gives finite numbers; the first m of its n rows are those of m, for one seed."""
    bench.built()
    for name, view in views.of(bench.plugin).items():
        found, again = bench.view(name), bench.view(name, n=1)
        for column, rows in found.items():
            what = f"view {name!r}" if column == name else f"view {name!r}, {column!r}"
            _finite(what, rows)
            first = rows if view.inputs == "nothing" else rows[:1]
            expect_close(again[column], first, f"{what}: the first row, alone and among others")


def _like_examples(bench, ability, found):
    shape = (N, *bench.data.shape)
    expect(found.shape == shape, f"{ability} of {N} examples gives {found.shape}, not {shape}")
    _finite(ability, found)


def _finite(ability, found):
    expect(found.dtype == np.float32, f"{ability} gives {found.dtype}, not float32")
    expect(np.isfinite(found).all(), f"{ability} gives numbers that are not finite")
