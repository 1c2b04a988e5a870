"""What every model of the zoo keeps to. Registering a model means being tested here."""

from __future__ import annotations

import ast
import functools
import importlib.util
import io
import json
import sys
import tokenize
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from zoo import manifest, registry

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
        "gaussian": {"latent_dim": 2, "hidden": (8,), "likelihood": "gaussian"},
        "logistic": {"latent_dim": 2, "hidden": (8,), "likelihood": "discretized_logistic"},
        "points": {"latent_dim": 2, "hidden": (8,), "likelihood": "gaussian"},
        "points-conditional": {
            "latent_dim": 2,
            "hidden": (8,),
            "likelihood": "gaussian",
            "conditional": True,
        },
        "free-bits": {"latent_dim": 2, "hidden": (8,), "free_bits": 0.05},
    },
    "iwae": {
        "": {"latent_dim": 2, "hidden": (8,), "samples": 3},
        "points": {"latent_dim": 2, "hidden": (8,), "samples": 3, "likelihood": "gaussian"},
        "conditional": {"latent_dim": 2, "hidden": (8,), "samples": 3, "conditional": True},
    },
    "mmd_vae": {
        "": {"latent_dim": 2, "hidden": (8,)},
        "points": {"latent_dim": 2, "hidden": (8,), "likelihood": "gaussian"},
    },
    "beta_tc_vae": {
        "": {"latent_dim": 2, "hidden": (8,)},
        "points": {"latent_dim": 2, "hidden": (8,), "likelihood": "gaussian"},
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
    "vae-gaussian": [65.54969, 48.48456, 50.99410],
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
    "aae": [10.282868, 10.531397, 10.457711],
    "aae-mixture": [10.185394, 10.150745, 10.004512],
    "aae-swiss-roll": [10.563953, 10.392678, 10.076238],
    "aae-labelled": [10.254272, 10.268279, 10.101731],
    "aae-supervised": [10.232999, 10.488455, 10.418841],
}

OF_A_PACK = {
    *(f"discriminator/{term}" for term in ("loss", "real", "fake")),
    *(f"generator/{term}" for term in ("loss", "adversarial")),
}
OF_A_BATCH = {  # terms that are no means over examples, so that the size of a batch matters
    "gan-packed": OF_A_PACK,
    "dcgan-packed": OF_A_PACK,
    "vae-free-bits": {"autoencoder/kl"},
    "mmd_vae": {"autoencoder/mmd"},
    "mmd_vae-points": {"autoencoder/mmd"},
    "beta_tc_vae": {"autoencoder/total_correlation"},
    "beta_tc_vae-points": {"autoencoder/total_correlation"},
}

FAMILY_CODE_LINES = 100
VARIANT_CODE_LINES = 15

SHAPE, POINTS, CLASSES = (8, 8, 1), (2,), 3

CASES = [  # a variant named "points..." is for points in the plane, the others for pictures
    pytest.param(
        record.typed,
        settings,
        POINTS if variant.startswith("points") else SHAPE,
        id=f"{record.name}-{variant}" if variant else record.name,
    )
    for record in MODELS
    for variant, settings in SMALL.get(record.name, {"": {}}).items()
]

every_case = pytest.mark.parametrize(("name", "settings", "shape"), CASES)
every_model = pytest.mark.parametrize("record", MODELS, ids=lambda record: record.name)


def examples(n, shape=SHAPE):
    """Pictures or points that are not noise, and labels."""
    if shape == POINTS:
        i, axis = np.indices((n, *shape))
        return np.sin(0.7 * i + axis).astype("float32"), (np.arange(n) % CLASSES).astype("int32")
    i, y, x, c = np.indices((n, *shape))
    pictures = (127 + 127 * np.sin(0.7 * i + 0.5 * y + 0.3 * x + c)).astype("uint8")
    return pictures, (np.arange(n) % CLASSES).astype("int32")


def build(name, settings, shape=SHAPE, rate=0.05, seed=0, rates=None):
    model = zoo.build(zoo.model(name, **settings), zoo.DataSpec(shape, classes=CLASSES), seed=seed)
    rates = rates or dict.fromkeys(model.players, rate)
    model.compile(optimizers={p: keras.optimizers.SGD(rates[p]) for p in model.players})
    return model


@functools.cache
def cached(name, settings, shape):
    return build(name, dict(settings), shape)


def built(name, settings, shape):
    """A model that no test trains, built once."""
    return cached(name, tuple(settings.items()), shape)


def values(variables):
    return [keras.ops.convert_to_numpy(variable).copy() for variable in variables]


def step(model, n=4):
    x, y = examples(n * model.repeats, model.data.shape)
    return model.train_on_batch(x, y, return_dict=True)


@every_model
def test_every_setting_has_a_default(record):
    assert isinstance(zoo.model(record.typed), zoo.Model)


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)], ids=str)
@every_model
def test_it_builds_for_usual_pictures(record, shape):
    settings = next(iter(SMALL.get(record.name, {"": {}}).values()))
    model = zoo.build(zoo.model(record.typed, **settings), zoo.DataSpec(shape, classes=10))
    assert set(model.terms) == set(model.players)
    assert all(model.terms.values()) and all(model.player_variables().values())


@every_case
def test_networks_share_no_weights(name, settings, shape):
    model = built(name, settings, shape)
    networks = dict(model.networks.items())
    variables = [id(v) for network in networks.values() for v in network.variables]
    assert len(variables) == len(set(variables))
    assert {name for names in model.players.values() for name in names} <= set(networks)


@every_case
def test_a_player_moves_its_own_weights_only(name, settings, shape):
    for player, names in built(name, settings, shape).players.items():
        rates = {p: 0.05 if p == player else 0.0 for p in built(name, settings, shape).players}
        model = build(name, settings, shape, rates=rates)
        step(model)  # after which constraints, which hold at any learning rate, are met
        before = {n: values(network.trainable_variables) for n, network in model.networks.items()}
        logs = step(model)
        assert all(np.isfinite(value) for value in logs.values()), logs
        for n, network in model.networks.items():
            after = values(network.trainable_variables)
            same = all((a == b).all() for a, b in zip(before[n], after, strict=True))
            assert same == (n not in names), f"{player} trains {names}; {n}"


def abilities(model, n=5):
    """What each ability gives, ``{ability: array}``."""
    x, y = examples(n, model.data.shape)
    found = {}
    if model.can("sample"):
        found["sample"] = model.sample(n, seed=1, labels=y)
    if model.can("reconstruct"):
        found["reconstruct"] = model.reconstruct(x, labels=y)
    if model.can("encode"):
        found["encode"] = model.encode(x, labels=y)
    if model.can("encode") and model.can("decode"):
        found["decode"] = model.decode(found["encode"], labels=y)
    if model.can("classify"):
        found["classify"] = model.classify(x)
    if model.can("log_likelihood"):
        found["log_likelihood"] = model.log_likelihood(x, samples=3, seed=1, labels=y)
    return found


@every_case
def test_abilities_give_what_they_promise(name, settings, shape):
    model = built(name, settings, shape)
    found = abilities(model)
    assert found
    for ability, array in found.items():
        assert array.dtype == np.float32, ability
        assert np.isfinite(array).all(), ability
        if ability in ("sample", "reconstruct", "decode"):
            assert array.shape == (5, *shape), ability
            in_range = array.min() >= 0 and array.max() <= 1
            assert in_range or shape == POINTS, ability
    if "encode" in found:
        assert found["encode"].shape[0] == 5 and found["encode"].ndim == 2
    if "classify" in found:
        np.testing.assert_allclose(found["classify"].sum(axis=1), np.ones(5), rtol=1e-5)
    if "log_likelihood" in found:
        assert found["log_likelihood"].shape == (5,)


@every_case
def test_samples_keep_to_their_seed_and_place(name, settings, shape):
    model = built(name, settings, shape)
    if not model.can("sample"):
        pytest.skip("it samples through a fitted sampler alone")
    labels = examples(5)[1]
    samples = model.sample(5, seed=1, labels=labels)
    np.testing.assert_allclose(model.sample(3, seed=1, labels=labels[:3]), samples[:3], atol=1e-6)
    assert np.abs(model.sample(5, seed=2, labels=labels) - samples).max() > 1e-5
    assert np.abs(samples[1:] - samples[:1]).max() > 1e-5


@every_case
def test_settings_survive_json(name, settings, shape):
    plugin = zoo.model(name, **settings)
    described = json.loads(json.dumps(manifest.settings_of(plugin, "models")))
    assert described["name"] == name
    assert registry.create("models", described["name"], **described["settings"]) == plugin
    data = {"shape": list(shape), "classes": CLASSES}
    spec = zoo.DataSpec(shape, CLASSES)
    assert manifest.rebuild({"model": described, "data": data}) == (plugin, spec)


@every_case
def test_weights_that_are_saved_and_loaded_give_the_same(name, settings, shape, tmp_path):
    model, again = build(name, settings, shape), build(name, settings, shape, seed=1)
    for variable in model.variables:
        if keras.backend.is_float_dtype(variable.dtype):
            variable.assign(variable + 0.01)
    model.save_weights(tmp_path / "model.weights.h5")
    again.load_weights(tmp_path / "model.weights.h5")
    theirs = abilities(again)
    for ability, ours in abilities(model).items():
        np.testing.assert_allclose(ours, theirs[ability], rtol=1e-5, atol=1e-6, err_msg=ability)


@every_case
def test_a_ragged_last_batch_and_a_batch_of_one(name, settings, shape, request):
    model = build(name, settings, shape)
    x, y = examples(5, shape)
    ragged = {"batch_size": 4, "shuffle": False, "validation_data": (x, y), "verbose": 0}
    logs = {key: value for key, [value] in model.fit(x, y, **ragged).history.items()}
    for key, value in logs.items():
        assert np.isfinite(value), key
    whole = model.evaluate(x, y, batch_size=5, verbose=0, return_dict=True)
    of_a_batch = OF_A_BATCH.get(request.node.callspec.id, set())
    for key in set(whole) - (of_a_batch | {"loss"} if of_a_batch else set()):
        value = whole[key]
        assert logs[f"val_{key}"] == pytest.approx(value, rel=1e-4, abs=1e-5), key


@every_case
def test_the_first_steps_are_those_of_its_seed(name, settings, shape, request):
    """On this backend as on the others, today as ever; and the logs name every term."""
    model = build(name, settings, shape, rate=0.01)
    logs = [step(model) for _ in range(3)]
    losses = [float(log["loss"]) for log in logs]
    expected = {"loss"} | {f"{p}/{term}" for p, terms in model.terms.items() for term in terms}
    if len(model.players) > 1:
        expected |= {f"{player}/loss" for player in model.players}
    assert set(logs[0]) == expected
    known = FIRST_STEPS.get(request.node.callspec.id)
    if known is None:
        again = build(name, settings, shape, rate=0.01)
        known = [float(step(again)["loss"]) for _ in range(3)]
    assert losses == pytest.approx(known, rel=1e-5)


@every_case
def test_another_seed_is_another_start(name, settings, shape):
    first, other = (
        values(m.trainable_variables)
        for m in (built(name, settings, shape), build(name, settings, shape, seed=1))
    )
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


# --- its source


def sources(record):
    found = importlib.util.find_spec(record.target.partition(":")[0])
    path = Path(found.origin)
    return sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]


def code_lines(text):
    """Lines that hold code: no blank lines, comments or docstrings."""
    documented = set()
    for node in ast.walk(ast.parse(text)):
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        if isinstance(node, kinds) and ast.get_docstring(node) is not None:
            documented |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    blank = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    blank |= {tokenize.ENCODING, tokenize.ENDMARKER}
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in blank:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - documented)


def test_code_lines_are_counted_right():
    text = '"""A\ndocstring."""\n\n# comment\nx = (\n    1,  # one\n)\n\n\ndef f():\n    """D."""\n'
    assert code_lines(text) == 4


@every_model
def test_its_source_is_short_and_imports_no_backend(record):
    total = 0
    for path in sources(record):
        text = path.read_text(encoding="utf-8")
        total += code_lines(text)
        for node in ast.walk(ast.parse(text)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            own = record.target.partition(":")[0].partition(".")[0]
            for module in names:
                top = module.partition(".")[0]
                allowed = sys.stdlib_module_names | {"keras", "zoo", own}
                assert top in allowed or top.startswith("zoo_"), f"{path}:{node.lineno}"
    own = record.target.partition(":")[0].partition(".")[0]
    variants = sum(r.target.startswith((f"{own}:", f"{own}.")) for r in MODELS) - 1
    if record.target.startswith(f"{own}."):  # a variant in a file of its own
        assert total < VARIANT_CODE_LINES
    else:
        assert total <= FAMILY_CODE_LINES + variants * VARIANT_CODE_LINES
