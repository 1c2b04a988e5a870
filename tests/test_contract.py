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
from zoo.plugin import registry
from zoo.testing import Case, parametrize_with_checks
from zoo.testing.checks import CHECKS

MODEL_CHECKS = [check.name for check in CHECKS if "models" in check.kinds]
MODELS = [r for r in registry.records("models") if r.distribution == "keras-zoo"]

SMALL = {  # {model: {variant: settings that make it quick}}; other models as they are
    "ae": {
        "": {"latent_dim": 2, "hidden": (8,)},
        "convolutional": {"latent_dim": 2, "hidden": (4, 4), "convolutional": True},
        "bernoulli": {"latent_dim": 2, "hidden": (8,), "reconstruction": "bernoulli"},
        "points": {"latent_dim": 2, "hidden": (8,)},
    },
    "denoising_ae": {
        "": {"latent_dim": 2, "hidden": (8,), "noise": 0.1},
        "points": {"latent_dim": 2, "hidden": (8,), "noise": 0.1},
    },
    "sparse_ae": {"": {"latent_dim": 4, "hidden": (8,)}},
    "contractive_ae": {
        "": {"latent_dim": 2, "hidden": (8,)},
        "convolutional": {"latent_dim": 2, "hidden": (4, 4), "convolutional": True},
    },
    "vqvae": {"": {"filters": (4, 4), "residuals": 1, "codes": 4, "dimension": 2}},
    "vae": {
        "dense": {"latent_dim": 2, "hidden": (8,)},
        "convolutional": {"latent_dim": 2, "hidden": (4, 4), "convolutional": True},
        "conditional": {"latent_dim": 2, "hidden": (8,), "conditional": True},
        "conditional-convolutional": {
            "latent_dim": 2,
            "hidden": (4, 4),
            "convolutional": True,
            "conditional": True,
        },
        "normal": {"latent_dim": 2, "hidden": (8,), "likelihood": "normal"},
        "logistic": {"latent_dim": 2, "hidden": (8,), "likelihood": "discretized_logistic"},
        "points": {"latent_dim": 2, "hidden": (8,), "likelihood": "normal"},
        "points-conditional": {
            "latent_dim": 2,
            "hidden": (8,),
            "likelihood": "normal",
            "conditional": True,
        },
        "free-bits": {"latent_dim": 2, "hidden": (8,), "free_bits": 0.05},
    },
    "iwae": {
        "": {"latent_dim": 2, "hidden": (8,), "samples": 3},
        "points": {"latent_dim": 2, "hidden": (8,), "samples": 3, "likelihood": "normal"},
        "conditional": {"latent_dim": 2, "hidden": (8,), "samples": 3, "conditional": True},
    },
    "mmd_vae": {
        "": {"latent_dim": 2, "hidden": (8,)},
        "points": {"latent_dim": 2, "hidden": (8,), "likelihood": "normal"},
    },
    "beta_tc_vae": {
        "": {"latent_dim": 2, "hidden": (8,)},
        "points": {"latent_dim": 2, "hidden": (8,), "likelihood": "normal"},
    },
    "gan": {
        "": {"latent_dim": 4, "hidden": (8,)},
        "batch-norm": {"latent_dim": 4, "hidden": (8,), "normalization": "batch"},
        "hinge": {"latent_dim": 4, "hidden": (8,), "adversarial": "hinge"},
        "least-squares": {"latent_dim": 4, "hidden": (8,), "adversarial": "least_squares"},
        "minimax": {"latent_dim": 4, "hidden": (8,), "adversarial": "minimax"},
        "r1": {"latent_dim": 4, "hidden": (8,), "regularizer": "r1", "activation": "tanh"},
        "packed": {"latent_dim": 4, "hidden": (8,), "packing": 2},
        "conditional": {"latent_dim": 4, "hidden": (8,), "conditional": True},
    },
    "dcgan": {
        "": {"latent_dim": 4, "filters": 4},
        "batch-norm": {
            "latent_dim": 4,
            "filters": 4,
            "hidden": (8,),
            "normalization": "batch",
            "dropout": 0.0,
        },
        "spectral": {"latent_dim": 4, "filters": 4, "spectral": True, "dropout": 0.0},
        "augmented": {
            "latent_dim": 4,
            "filters": 4,
            "augmentation": ("translation", "cutout", "color"),
        },
        "conditional": {"latent_dim": 4, "filters": 4, "conditional": True},
        "packed": {"latent_dim": 4, "filters": 4, "packing": 2},
    },
    "wgan": {"": {"latent_dim": 4, "filters": 4, "hidden": (8,), "repeats": 2}},
    "wgan_gp": {
        "": {"latent_dim": 4, "filters": 4, "hidden": (8,), "repeats": 2},
        "conditional": {
            "latent_dim": 4,
            "filters": 4,
            "hidden": (8,),
            "repeats": 2,
            "conditional": True,
        },
    },
    "vaegan": {
        "": {"latent_dim": 4, "filters": 4, "hidden": ()},
        "pixel": {"latent_dim": 4, "filters": 4, "hidden": (), "features": False},
        "gated": {"latent_dim": 4, "filters": 4, "hidden": (), "margin": 0.4},
        "conditional": {"latent_dim": 4, "filters": 4, "hidden": (), "conditional": True},
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
        "": {"latent_dim": 4, "hidden": (8,)},
        "mixture": {"latent_dim": 2, "hidden": (8,), "prior": "mixture"},
        "swiss-roll": {"latent_dim": 2, "hidden": (8,), "prior": "swiss_roll"},
        "labelled": {
            "latent_dim": 2,
            "hidden": (8,),
            "prior": "mixture",
            "components": 3,  # as CLASSES
            "labelled": True,
        },
        "supervised": {"latent_dim": 4, "hidden": (8,), "conditional": True},
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
    "vae-free-bits": [44.64594, 44.46208, 44.70526],
    "iwae": [44.35132, 44.54736, 44.48226],
    "iwae-points": [2.282026, 2.340769, 2.278952],
    "iwae-conditional": [44.22112, 44.69965, 44.57939],
    "mmd_vae": [53.48478, 75.09626, 33.96290],  # of points it is a difference that cancels
    "beta_tc_vae": [98.69221, 98.49463, 98.79288],
    "beta_tc_vae-points": [55.93110, 56.45485, 56.12692],
    "dcgan": [2.077597, 2.077902, 2.077616],
    "vaegan": [94.84183, 100.68997, 92.53322],
    "vaegan-pixel": [157.53500, 153.89072, 150.60519],
    "vaegan-gated": [94.84183, 100.68997, 92.53322],  # balanced for as long
    "vaegan-conditional": [70.14716, 67.10105, 67.95075],
    "flow_matching": [92.72408, 79.69749, 66.96236],
    "flow_matching-guided": [93.56310, 73.54520, 65.98554],
    "flow_matching-euler": [92.67061, 73.57247, 101.01498],
    "aae": [10.282868, 10.531397, 10.457711],
    "aae-mixture": [10.185394, 10.150745, 10.004512],
    "aae-swiss-roll": [10.563953, 10.392678, 10.076238],
    "aae-labelled": [10.254272, 10.268279, 10.101731],
    "aae-supervised": [10.232999, 10.488455, 10.418841],
}

PICTURES, POINTS, CLASSES = (8, 8, 1), (2,), 3
USUAL = ((28, 28, 1), (32, 32, 3))  # each model builds for them, in its first variant


STATEFUL = {  # a further variant that has state, or a step, of its own: all checks
    "gan-batch-norm",  # statistics, which only some moves keep
    "gan-packed",  # several examples to a decision
    "dcgan-spectral",  # a vector that every step improves
    "dcgan-packed",
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
        metafunc.parametrize(*mark.args)


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
    assert {*VARYING, *EVERYWHERE, *DEFINITION, *PLAIN, FIRST, ONE} <= set(MODEL_CHECKS)
    assert unaccelerated() or {case.called for case in cases(False, "backend")} > STATEFUL
    assert not list(cases(True, "variant"))  # all checks are on every backend then


@pytest.mark.backend_free
@pytest.mark.parametrize("record", MODELS, ids=lambda record: record.name)
def test_every_setting_has_a_default(record):
    assert isinstance(zoo.model(record.typed), zoo.Model)
