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
from zoo.errors import ZooError

MODELS = [r for r in registry.records("models") if r.distribution == "keras-zoo"]

SMALL = {  # {model: {variant: settings that make it quick}}; other models as they are
    "vae": {
        "dense": {"latent_dim": 2, "hidden": (8,)},
        "convolutional": {"latent_dim": 2, "hidden": (4, 4), "convolutional": True},
    },
    "dcgan": {"": {"latent_dim": 4, "filters": 4}},
}

FIRST_STEPS = {  # the loss of three steps of SGD: the same on every backend, and as ever
    "vae-dense": [44.61720, 44.42859, 44.67580],
    "vae-convolutional": [44.42557, 44.06136, 43.90711],
    "dcgan": [2.076781, 2.076254, 2.078378],
}

MOST_CODE_LINES = {"dcgan": 100}
CODE_LINES = 80  # of the others

CASES = [
    pytest.param(record.typed, settings, id=f"{record.name}-{variant}" if variant else record.name)
    for record in MODELS
    for variant, settings in SMALL.get(record.name, {"": {}}).items()
]

every_case = pytest.mark.parametrize(("name", "settings"), CASES)
every_model = pytest.mark.parametrize("record", MODELS, ids=lambda record: record.name)

SHAPE, CLASSES = (8, 8, 1), 3


def examples(n, shape=SHAPE):
    """Pictures that are not noise, and labels."""
    i, y, x, c = np.indices((n, *shape))
    pictures = (127 + 127 * np.sin(0.7 * i + 0.5 * y + 0.3 * x + c)).astype("uint8")
    return pictures, (np.arange(n) % CLASSES).astype("int32")


def build(name, settings, shape=SHAPE, rate=0.05, seed=0, rates=None):
    model = zoo.build(zoo.model(name, **settings), zoo.DataSpec(shape, classes=CLASSES), seed=seed)
    rates = rates or dict.fromkeys(model.players, rate)
    model.compile(optimizers={p: keras.optimizers.SGD(rates[p]) for p in model.players})
    return model


@functools.cache
def cached(name, settings):
    return build(name, dict(settings))


def built(name, settings):
    """A model that no test trains, built once."""
    return cached(name, tuple(settings.items()))


def values(variables):
    return [keras.ops.convert_to_numpy(variable).copy() for variable in variables]


def step(model, n=4):
    x, y = examples(n * model.repeats)
    return model.train_on_batch(x, y, return_dict=True)


@every_model
def test_every_setting_has_a_default(record):
    assert isinstance(zoo.model(record.typed), zoo.Model)


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)], ids=str)
@every_model
def test_it_builds_for_usual_pictures(record, shape):
    settings = next(iter(SMALL.get(record.name, {"": {}}).values()))
    try:
        model = zoo.build(zoo.model(record.typed, **settings), zoo.DataSpec(shape, classes=10))
    except ZooError as error:
        pytest.skip(str(error))
    assert set(model.terms) == set(model.players)
    assert all(model.terms.values()) and all(model.player_variables().values())


@every_case
def test_networks_share_no_weights(name, settings):
    model = built(name, settings)
    networks = dict(model.networks.items())
    variables = [id(v) for network in networks.values() for v in network.variables]
    assert len(variables) == len(set(variables))
    assert {name for names in model.players.values() for name in names} <= set(networks)


@every_case
def test_a_player_moves_its_own_weights_only(name, settings):
    for player, names in built(name, settings).players.items():
        rates = {p: 0.05 if p == player else 0.0 for p in built(name, settings).players}
        model = build(name, settings, rates=rates)
        before = {n: values(network.trainable_variables) for n, network in model.networks.items()}
        logs = step(model)
        assert all(np.isfinite(value) for value in logs.values()), logs
        for n, network in model.networks.items():
            after = values(network.trainable_variables)
            same = all((a == b).all() for a, b in zip(before[n], after, strict=True))
            assert same == (n not in names), f"{player} trains {names}; {n}"


def abilities(model, n=5):
    """What each ability gives, ``{ability: array}``."""
    x, y = examples(n)
    found = {}
    if model.can("sample"):
        found["sample"] = model.sample(n, seed=1, labels=y)
    if model.can("reconstruct"):
        found["reconstruct"] = model.reconstruct(x, labels=y)
    if model.can("encode"):
        found["encode"] = model.encode(x, labels=y)
    if model.can("encode") and model.can("decode"):
        found["decode"] = model.decode(found["encode"], labels=y)
    if model.can("log_likelihood"):
        found["log_likelihood"] = model.log_likelihood(x, samples=3, seed=1, labels=y)
    return found


@every_case
def test_abilities_give_what_they_promise(name, settings):
    model = built(name, settings)
    found = abilities(model)
    assert found
    for ability, array in found.items():
        assert array.dtype == np.float32, ability
        assert np.isfinite(array).all(), ability
        if ability in ("sample", "reconstruct", "decode"):
            assert array.shape == (5, *SHAPE), ability
            assert array.min() >= 0 and array.max() <= 1, ability
    if "encode" in found:
        assert found["encode"].shape[0] == 5 and found["encode"].ndim == 2
    if "log_likelihood" in found:
        assert found["log_likelihood"].shape == (5,)


@every_case
def test_samples_keep_to_their_seed_and_place(name, settings):
    model = built(name, settings)
    labels = examples(5)[1]
    samples = model.sample(5, seed=1, labels=labels)
    np.testing.assert_allclose(model.sample(3, seed=1, labels=labels[:3]), samples[:3], atol=1e-6)
    assert np.abs(model.sample(5, seed=2, labels=labels) - samples).max() > 1e-5
    assert np.abs(samples[1:] - samples[:1]).max() > 1e-5


@every_case
def test_settings_survive_json(name, settings):
    plugin = zoo.model(name, **settings)
    described = json.loads(json.dumps(manifest.settings_of(plugin, "models")))
    assert described["name"] == name
    assert registry.create("models", described["name"], **described["settings"]) == plugin
    data = {"shape": list(SHAPE), "classes": CLASSES}
    spec = zoo.DataSpec(SHAPE, CLASSES)
    assert manifest.rebuild({"model": described, "data": data}) == (plugin, spec)


@every_case
def test_weights_that_are_saved_and_loaded_give_the_same(name, settings, tmp_path):
    model, again = build(name, settings), build(name, settings, seed=1)
    for variable in model.variables:
        if keras.backend.is_float_dtype(variable.dtype):
            variable.assign(variable + 0.01)
    model.save_weights(tmp_path / "model.weights.h5")
    again.load_weights(tmp_path / "model.weights.h5")
    theirs = abilities(again)
    for ability, ours in abilities(model).items():
        np.testing.assert_allclose(ours, theirs[ability], rtol=1e-5, atol=1e-6, err_msg=ability)


@every_case
def test_a_ragged_last_batch_and_a_batch_of_one(name, settings):
    model = build(name, settings)
    x, y = examples(5)
    ragged = {"batch_size": 4, "shuffle": False, "validation_data": (x, y), "verbose": 0}
    logs = {key: value for key, [value] in model.fit(x, y, **ragged).history.items()}
    for key, value in logs.items():
        assert np.isfinite(value), key
    whole = model.evaluate(x, y, batch_size=5, verbose=0, return_dict=True)
    for key, value in whole.items():
        assert logs[f"val_{key}"] == pytest.approx(value, rel=1e-4, abs=1e-5), key


@every_case
def test_the_first_steps_are_those_of_its_seed(name, settings, request):
    """On this backend as on the others, today as ever; and the logs name every term."""
    model = build(name, settings, rate=0.01)
    logs = [step(model) for _ in range(3)]
    losses = [float(log["loss"]) for log in logs]
    expected = {"loss"} | {f"{p}/{term}" for p, terms in model.terms.items() for term in terms}
    if len(model.players) > 1:
        expected |= {f"{player}/loss" for player in model.players}
    assert set(logs[0]) == expected
    known = FIRST_STEPS.get(request.node.callspec.id)
    if known is None:
        again = build(name, settings, rate=0.01)
        known = [float(step(again)["loss"]) for _ in range(3)]
    assert losses == pytest.approx(known, rel=1e-5)


@every_case
def test_another_seed_is_another_start(name, settings):
    first, other = (
        values(m.trainable_variables)
        for m in (built(name, settings), build(name, settings, seed=1))
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
                allowed = sys.stdlib_module_names | {"keras", "zoo", own}
                assert module.partition(".")[0] in allowed, f"{path}:{node.lineno}"
    assert total <= MOST_CODE_LINES.get(record.name, CODE_LINES)
