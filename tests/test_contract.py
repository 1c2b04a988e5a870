"""What every model of the zoo keeps to. Registering a model means being tested here.

The checks are those of ``zoo.testing``, which every plugin's author has too. A model's first
variant passes all of them on each backend. Of a further one only the checks run that its
settings can break, most of them on one backend, unless it has state of its own; ``--full``
runs the whole matrix.
"""

from __future__ import annotations

import os

import pytest

import zoo
from zoo.nn.distributions import NormalMixture, StandardNormal, Uniform
from zoo.plugin import registry
from zoo.testing import Case, parametrize_with_checks
from zoo.testing.checks import CHECKS
from zoo_aae import Petals, SwissRoll

MODEL_CHECKS = [check.name for check in CHECKS if "models" in check.kinds]
MODELS = [r for r in registry.records("models") if r.distribution == "keras-zoo"]

PICTURES, POINTS, CLASSES = (8, 8, 1), (2,), 3

SMALL = {  # {model: {variant: settings that make it quick}}; other models as they are
    "ae": {
        "": {"latent_dim": 2, "units": (8,)},
        "convolutional": {"latent_dim": 2, "convolutional": True, "filters": (4, 4)},
        "bernoulli": {"latent_dim": 2, "units": (8,), "reconstruction": "bernoulli"},
        "points": {"latent_dim": 2, "units": (8,)},
    },
    "denoising_ae": {
        "": {"latent_dim": 2, "units": (8,), "noise": 0.1},
        "points": {"latent_dim": 2, "units": (8,), "noise": 0.1},
    },
    "sparse_ae": {"": {"latent_dim": 4, "units": (8,)}},
    "contractive_ae": {
        "": {"latent_dim": 2, "units": (8,)},
        "convolutional": {"latent_dim": 2, "convolutional": True, "filters": (4, 4)},
    },
    "vqvae": {"": {"filters": (4, 4), "residuals": 1, "codes": 4, "dimension": 2}},
    "vae": {
        "dense": {"latent_dim": 2, "units": (8,)},
        "convolutional": {"latent_dim": 2, "convolutional": True, "filters": (4, 4)},
        "conditional": {"latent_dim": 2, "units": (8,), "conditional": True},
        "conditional-convolutional": {
            "latent_dim": 2,
            "convolutional": True,
            "filters": (4, 4),
            "conditional": True,
        },
        "normal": {"latent_dim": 2, "units": (8,), "likelihood": "normal"},
        "logistic": {"latent_dim": 2, "units": (8,), "likelihood": "discretized_logistic"},
        "points": {"latent_dim": 2, "units": (8,), "likelihood": "normal"},
        "points-conditional": {
            "latent_dim": 2,
            "units": (8,),
            "likelihood": "normal",
            "conditional": True,
        },
    },
    "free_bits_vae": {"": {"latent_dim": 2, "units": (8,), "free_bits": 0.05}},
    "iwae": {
        "": {"latent_dim": 2, "units": (8,), "samples": 3},
        "points": {"latent_dim": 2, "units": (8,), "samples": 3, "likelihood": "normal"},
        "conditional": {"latent_dim": 2, "units": (8,), "samples": 3, "conditional": True},
    },
    "mmd_vae": {
        "": {"latent_dim": 2, "units": (8,)},
        "points": {"latent_dim": 2, "units": (8,), "likelihood": "normal"},
    },
    "beta_tc_vae": {
        "": {"latent_dim": 2, "units": (8,)},
        "points": {"latent_dim": 2, "units": (8,), "likelihood": "normal"},
    },
    "gan": {
        "": {"prior": StandardNormal(4), "units": (8,)},
        "batch-norm": {"prior": StandardNormal(4), "units": (8,), "normalization": "batch"},
        "hinge": {"prior": StandardNormal(4), "units": (8,), "adversarial": "hinge"},
        "least-squares": {
            "prior": StandardNormal(4),
            "units": (8,),
            "adversarial": "least_squares",
        },
        "minimax": {"prior": StandardNormal(4), "units": (8,), "adversarial": "minimax"},
        "conditional": {"prior": StandardNormal(4), "units": (8,), "conditional": True},
    },
    "pacgan": {"": {"prior": StandardNormal(4), "units": (8,)}},
    "r1_gan": {"": {"prior": StandardNormal(4), "units": (8,), "activation": "tanh"}},
    "dcgan": {
        "": {"prior": Uniform(4), "filters": 4},
        "mixture": {"prior": NormalMixture(4, components=3), "filters": 4, "kernel": 4},
    },
    "wgan": {"": {"prior": StandardNormal(4), "filters": 4, "units": (8,), "repeats": 2}},
    "wgan_gp": {"": {"prior": StandardNormal(4), "filters": 4, "units": (8,), "repeats": 2}},
    "vaegan": {
        "": {"latent_dim": 4, "filters": 4, "units": ()},
        "pixel": {"latent_dim": 4, "filters": 4, "units": (), "features": False},
        "gated": {"latent_dim": 4, "filters": 4, "units": (), "margin": 0.4},
        "conditional": {"latent_dim": 4, "filters": 4, "units": (), "conditional": True},
    },
    "flow_matching": {
        "": {"filters": (4, 8), "units": 8, "hidden": 8, "steps": 2},
        "guided": {
            "filters": (4, 8),
            "units": 8,
            "steps": 2,
            "conditional": True,
            "guidance": 1.0,
        },
        "euler": {
            "filters": (4, 8),
            "units": 8,
            "steps": 2,
            "solver": "euler",
            "logit_normal": True,
        },
    },
    "classifier": {"": {"filters": (4, 4)}},
    "aae": {
        "": {"prior": StandardNormal(4), "units": (8,)},
        "mixture": {"prior": Petals(), "units": (8,)},
        "swiss-roll": {"prior": SwissRoll(), "units": (8,)},
        "labelled": {"prior": Petals(CLASSES), "units": (8,), "labelled": True},
        "supervised": {"prior": StandardNormal(4), "units": (8,), "conditional": True},
    },
}

FIRST_STEPS = {  # the loss of three steps of SGD: the same on every backend, and as ever
    "ae": [18.48034, 17.81318, 17.21043],
    "ae-convolutional": [18.3903, 8.427721, 7.571453],
    "ae-bernoulli": [44.35015, 44.30461, 44.25938],
    "ae-points": [1.016724, 0.963474, 0.9136624],
    "contractive_ae": [18.42558, 17.78796, 17.18262],
    "contractive_ae-convolutional": [18.48798, 8.441706, 7.573108],
    "denoising_ae": [18.47784, 17.89467, 17.36622],
    "denoising_ae-points": [1.024151, 0.9662198, 0.9238418],
    "sparse_ae": [18.71926, 18.0315, 17.38751],
    "vqvae": [18.38794, 8.479271, 7.598665],
    "vae-dense": [44.61720, 44.42859, 44.67580],
    "vae-convolutional": [44.35524, 44.06347, 43.82251],
    "vae-conditional": [44.71317, 44.52387, 44.85427],
    "vae-conditional-convolutional": [44.41681, 44.10979, 43.88771],
    "vae-normal": [65.54969, 48.48456, 50.99410],
    "vae-logistic": [436.5873, 390.4987, 384.6808],
    "vae-points": [1.852916, 2.392067, 2.029235],
    "vae-points-conditional": [2.072929, 2.668943, 2.719461],
    "free_bits_vae": [44.64594, 44.46208, 44.70526],
    "iwae": [44.35132, 44.54736, 44.48226],
    "iwae-points": [2.282026, 2.340769, 2.278952],
    "iwae-conditional": [44.22112, 44.69965, 44.57939],
    "mmd_vae": [53.48478, 75.09626, 33.96290],  # of points it is a difference that cancels
    "beta_tc_vae": [98.69221, 98.49463, 98.79288],
    "beta_tc_vae-points": [55.93110, 56.45485, 56.12692],
    "dcgan": [2.082635, 2.082342, 2.082024],
    "vaegan": [94.84183, 100.68997, 92.53322],
    "vaegan-pixel": [157.53500, 153.89072, 150.60519],
    "vaegan-gated": [94.84183, 100.68997, 92.53322],  # balanced for as long
    "vaegan-conditional": [70.14716, 67.10105, 67.95075],
    "flow_matching": [92.72408, 79.69749, 66.96236],
    "flow_matching-guided": [93.56310, 73.54520, 65.98554],
    "flow_matching-euler": [92.67061, 73.57247, 101.01498],
    "aae": [11.063885, 10.795160, 10.529767],
    "aae-mixture": [10.185394, 10.150745, 10.004512],
    "aae-swiss-roll": [10.563953, 10.392678, 10.076238],
    "aae-labelled": [10.254272, 10.268279, 10.101731],
    "aae-supervised": [11.013907, 10.751985, 10.490434],
}

FIRST_SAMPLES = {  # numbers spread evenly over four samples of the initial weights
    "aae": [0.476552, 0.5136631, 0.4930872, 0.5165393],
    "beta_tc_vae": [0.501884, 0.5067962, 0.5121241, 0.5282223],
    "dcgan": [0.4999825, 0.4999068, 0.499994, 0.5005543],
    "flow_matching": [0.5454735, 0.6031595, 0.07430673, 0.1046449],
    "free_bits_vae": [0.501884, 0.5067962, 0.5121241, 0.5282223],
    "gan": [0.6173381, 0.3928511, 0.4372323, 0.3541907],
    "gan-batch-norm": [0.5754241, 0.4245242, 0.4902476, 0.5724614],
    "iwae": [0.501884, 0.5067962, 0.5121241, 0.5282223],
    "mmd_vae": [0.501884, 0.5067962, 0.5121241, 0.5282223],
    "pacgan": [0.6173381, 0.3928511, 0.4372323, 0.3541907],
    "r1_gan": [0.5837557, 0.4952486, 0.376285, 0.2715946],
    "vae-dense": [0.501884, 0.5067962, 0.5121241, 0.5282223],
    "vaegan": [0.4937344, 0.5472024, 0.4920755, 0.4830198],
    "vaegan-gated": [0.4937344, 0.5472024, 0.4920755, 0.4830198],
    "wgan": [0.4940579, 0.451636, 0.5078554, 0.4965515],
    "wgan_gp": [0.4940579, 0.451636, 0.5078554, 0.4965515],
}

USUAL = ((28, 28, 1), (32, 32, 3))  # each model builds for them, in its first variant


STATEFUL = {  # a further variant that has state, or a step, of its own: all checks
    "gan-batch-norm",  # statistics, which only some moves keep
    "vaegan-gated",  # moves that are left out at times
}

SETTINGS = ("settings_survive_json", "value_range_is_a_range")  # nothing is built for them
DEFINITION = ("is_a_frozen_dataclass", "says_what_it_is", "imports_no_backend", *SETTINGS)

# What other settings can break: networks, losses and abilities, whose code branches on them.
# Left out is what the engine does to any model (saving, resuming, compiling, precision, ragged
# batches, evaluation) and what one variant tells of the class (seeds of initializers, builds
# that share layers, state outside of networks).
VARYING = (
    "builds",
    "builds_without_labels",
    "networks_are_apart",
    "every_player_has_weights",
    "terms_are_finite",
    "terms_are_scalars_or_one_value_an_example",
    "examples_count_alike",
    "one_seed_is_one_start",
    "samples_keep_to_their_seed_and_place",
    "labels_choose_samples",
    "codes_are_of_one_example_each",
    "codes_decode_to_examples",
)
# The same on each backend, since a backend may lack what such a branch alone uses; and steps:
# three compiled ones where they have a record, else one of each player.
EVERYWHERE = (
    "samples_are_like_examples",
    "reconstructions_are_like_examples",
    "codes_are_vectors",
    "likelihoods_are_one_number_an_example",
    "classes_have_probabilities",
)
# What a plugin's code says, and no backend computes: in the short form on one backend only.
ONCE = (
    "builds_without_labels",
    "networks_are_apart",
    "every_network_is_trained",
    "every_player_has_weights",
    "builds_share_nothing",
    "terms_are_scalars_or_one_value_an_example",
    "labels_choose_samples",
    "keeps_nothing_outside_its_networks",
)
# What the engine does to any model: in the short form, on each backend for models that differ in
# what it has to do, and on one backend for the others.
ENGINE = (
    "builds_for_other_shapes",
    "one_seed_is_one_start",
    "another_seed_is_another_start",
    "terms_are_finite",
    "examples_count_alike",
    "every_source_counts",
    "trains_on_a_batch_of_one_and_a_ragged_last_batch",
    "evaluation_changes_nothing",
    "resumed_training_equals_uninterrupted",
    "weights_in_a_file_give_the_same_outputs",
    "samples_keep_to_their_seed_and_place",
    "codes_are_of_one_example_each",
    "codes_decode_to_examples",
)
DIFFERENT = {
    "vae-dense",  # noise
    "dcgan",  # convolutions, two moves
    "gan-batch-norm",  # statistics that some moves keep
    "vqvae",  # statistics of its own
    "wgan_gp",  # repeats, gradients of gradients
    "vaegan-gated",  # moves that are left out
}
# With ZOO_ACCELERATE=none, in a pass of its own: what the engine does to one variant of a model.
PLAIN = (
    "builds",
    "trains_on_a_batch_of_one_and_a_ragged_last_batch",
    "evaluation_changes_nothing",
    "resumed_training_equals_uninterrupted",
    "samples_are_like_examples",
    "reconstructions_are_like_examples",
)
FIRST, ONE = "first_steps_are_the_same_everywhere", "a_player_moves_its_own_weights_and_no_others"


def cases(full, of):
    """A variant named "points..." is for points in the plane, the others for pictures.

    Args:
        full: whether to run every check on every variant.
        of: what the checks are of: "class", "variant" or "backend".
    """
    for record in MODELS:
        for place, (variant, settings) in enumerate(SMALL.get(record.name, {"": {}}).items()):
            if unaccelerated() and (place or of != "backend"):
                continue
            name = f"{record.name}-{variant}" if variant else record.name
            whole = full or not place or name in STATEFUL
            steps = FIRST_STEPS.get(name, ())
            only = {
                "class": DEFINITION if full or not place else SETTINGS,
                "variant": () if whole else (*VARYING, ONE) if steps else VARYING,
                "backend": (*EVERYWHERE, FIRST if steps else ONE),
            }[of]
            if whole and of == "backend":
                only = [check for check in MODEL_CHECKS if check not in DEFINITION]
            if unaccelerated():
                only = (*PLAIN, FIRST if steps else ONE)
            if only:
                yield Case(
                    zoo.model(record.typed, **settings),
                    zoo.DataSpec(POINTS if variant.startswith("points") else PICTURES, CLASSES),
                    name=name,
                    shapes=() if place else USUAL,
                    first_steps=steps,
                    first_samples=FIRST_SAMPLES.get(name, ()),
                    only=only,
                )


def unaccelerated() -> bool:
    """Whether this is the pass with Keras as it comes."""
    return os.environ.get("ZOO_ACCELERATE") == "none"


def pytest_generate_tests(metafunc):
    of = {test_its_class_keeps_to: "class", test_its_variant_keeps_to: "variant"}
    if "check" in metafunc.fixturenames:
        full = metafunc.config.getoption("--full")
        mark = parametrize_with_checks(list(cases(full, of.get(metafunc.function, "backend"))))
        name, parameters = mark.args
        metafunc.parametrize(name, [marked(parameter) for parameter in parameters])


def marked(parameter):
    """The same, on one backend in the short form unless a backend has a part in it."""
    [bound] = parameter.values
    usual = bound.check.name in ENGINE and bound.case.called not in DIFFERENT
    if bound.check.name not in ONCE and not usual:
        return parameter
    marks = (*parameter.marks, pytest.mark.once_in_short)
    return pytest.param(bound, id=parameter.id, marks=marks)


@pytest.mark.backend_free
def test_its_class_keeps_to(check):
    check()


@pytest.mark.backend_free
def test_its_variant_keeps_to(check):
    check()


def test_it_keeps_to(check):
    check()


@pytest.mark.backend_free
def test_checks_of_variants_are_checks_of_models():
    named = {*VARYING, *EVERYWHERE, *ONCE, *ENGINE, *DEFINITION, *PLAIN, FIRST, ONE}
    assert named <= set(MODEL_CHECKS)
    assert unaccelerated() or {c.called for c in cases(False, "backend")} > STATEFUL | DIFFERENT
    assert not list(cases(True, "variant"))  # all checks are on every backend then


@pytest.mark.backend_free
@pytest.mark.parametrize("record", MODELS, ids=lambda record: record.name)
def test_every_model_that_samples_has_samples_recorded(record):
    variant = next(iter(SMALL.get(record.name, {"": {}})))
    name = f"{record.name}-{variant}" if variant else record.name
    assert (name in FIRST_SAMPLES) == zoo.model(record.typed).can("sample")


@pytest.mark.backend_free
@pytest.mark.parametrize("record", MODELS, ids=lambda record: record.name)
def test_every_setting_has_a_default(record):
    assert isinstance(zoo.model(record.typed), zoo.Model)
