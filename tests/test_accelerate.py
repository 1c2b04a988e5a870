"""Accelerations are optional: listed, switched by a variable, undone, and skipped where unknown."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import zoo
from tests import resumable
from zoo.engine import accelerate

BACKEND = keras.backend.backend()
REPOSITORY = Path(__file__).parents[1]
NAMES = [entry.name for entry in accelerate.TABLE]
OWN = [entry.name for entry in accelerate.TABLE if BACKEND in entry.backends]
SPEC = zoo.DataSpec((8, 8, 1))


@pytest.fixture(autouse=True)
def nothing_is_on(monkeypatch):
    """Nothing is on before a test, nor after it; but for what cannot be undone."""
    monkeypatch.delenv(accelerate.VARIABLE, raising=False)
    monkeypatch.setattr(accelerate, "_told", set())
    accelerate.undo()
    yield
    accelerate.undo()


def built(**settings):
    """A compiled convolutional VAE."""
    settings = {"latent_dim": 2, "units": (4,), "convolutional": True, **settings}
    model = zoo.build(zoo.model("vae", **settings), SPEC)
    model.compile(optimizers={"autoencoder": keras.optimizers.Adam(1e-3)})
    return model


def pictures(n=8):
    return np.random.default_rng(0).integers(0, 256, (n, 8, 8, 1), "uint8")


# --- the variable


@pytest.mark.backend_free
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, set(NAMES)),
        ("", set(NAMES)),
        ("all", set(NAMES)),
        ("none", set()),
        ("-torch_adam", set(NAMES) - {"torch_adam"}),
        ("all,-torch_adam, -malloc", set(NAMES) - {"torch_adam", "malloc"}),
        ("malloc,torch_adam", {"malloc", "torch_adam"}),
        ("none,malloc", {"malloc"}),
    ],
)
def test_the_variable_says_what_is_wanted(monkeypatch, value, expected):
    if value is not None:
        monkeypatch.setenv(accelerate.VARIABLE, value)
    assert accelerate.wanted() == expected


@pytest.mark.parametrize("value", ["torch_adm", "-torch_adm", "malloc,-torch_adm"])
def test_an_unknown_name_is_refused_where_a_model_is_built(monkeypatch, value):
    monkeypatch.setenv(accelerate.VARIABLE, value)
    with pytest.raises(
        zoo.ZooError, match=r"^ZOO_ACCELERATE: unknown acceleration 'torch_adm'; .*'torch_adam'"
    ):
        built()


def test_the_variable_is_read_whenever_a_model_is_built(monkeypatch):
    built()
    assert set(OWN) & set(accelerate.active()) - {"malloc"}
    monkeypatch.setenv(accelerate.VARIABLE, "none")
    built()
    assert set(accelerate.active()) <= {"malloc"}
    name = OWN[-1]
    monkeypatch.setenv(accelerate.VARIABLE, name)
    built()
    assert set(accelerate.active()) - {"malloc"} == {name}


# --- the table


@pytest.mark.parametrize("entry", accelerate.TABLE, ids=lambda entry: entry.name)
def test_an_entry_says_what_can_be_undone(entry):
    assert entry.patches in ("process", "optimizer", "nothing")
    assert (entry.patches == "process") == (entry.undo is not None or entry.irreversible)
    for function in (entry.install, entry.undo):
        if function is not None and BACKEND in entry.backends:
            module, _, name = function.partition(".")
            module = importlib.import_module(f"{accelerate.__name__}.{module}")
            assert callable(getattr(module, name))


@pytest.mark.backend_free
def test_the_docs_list_the_table():
    text = (REPOSITORY / "docs/lab/performance.md").read_text()
    for name in NAMES:
        assert f"`{name}`" in text


def test_these_frameworks_are_those_it_was_written_for(capfd):
    built()
    assert "slower" not in capfd.readouterr().err
    for own in accelerate.report(BACKEND):
        quiet = ("MALLOC_", "glibc", "JAX keeps", "JAX is set", "XLA_FLAGS", "only for the CPU")
        assert own["on"] or any(word in own["why"] for word in quiet), own
    assert [own["name"] for own in accelerate.report(BACKEND)] == OWN


@pytest.mark.skipif(BACKEND != "jax", reason="one backend is enough")
def test_what_is_for_cpus_is_off_elsewhere():
    accelerate.install("jax", "gpu")
    why = {own["name"]: own["why"] for own in accelerate.report("jax")}
    assert why["jax_convolutions"] == why["jax_compiler_options"] == "only for the CPU"
    assert accelerate.on("jax_chunk_program")


# --- undone, nothing is left


def contents():
    """What functions and classes Keras and the backend consist of, and JAX's settings."""
    found = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in ("keras", BACKEND) or module is None:
            continue
        for key, value in list(vars(module).items()):
            found[name, key] = value
            if isinstance(value, type) and value.__module__.startswith("keras"):
                found.update({(name, key, own): v for own, v in vars(value).items() if callable(v)})
    found = {place: value for place, value in found.items() if callable(value)}
    if BACKEND == "jax":
        import jax
        from jax.interpreters import mlir

        rules = mlir._platform_specific_lowerings["cpu"].items()
        found |= {("rule", operation): rule for operation, rule in rules}
        found |= {name: getattr(jax.config, name) for name in SETTINGS}
    return found


SETTINGS = (
    "jax_compilation_cache_dir",
    "jax_compilation_cache_max_size",
    "jax_persistent_cache_min_compile_time_secs",
)


def changed(before, after):
    """Places of what is another object than before."""
    return [p for p, value in before.items() if p in after and after[p] is not value]


def of_keras():
    """What a plain Keras model has learnt after a few steps."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(3, 3, 2, "same"),
            layers.BatchNormalization(),
            layers.Conv2DTranspose(2, 4, 2, "same"),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="mse")
    x = pictures().astype("float32") / 255
    model.fit(x, x[:, 0, 0], batch_size=4, epochs=2, shuffle=False, verbose=0)
    return [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    """JAX keeps its programs where the zoo says, as outside of tests."""
    if BACKEND != "jax":
        yield
        return
    import jax

    before = {name: getattr(jax.config, name) for name in SETTINGS}
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def test_a_plain_keras_model_is_as_before_once_accelerations_are_undone(own_cache):
    of_keras()  # what Keras imports late is there
    before, numbers = contents(), of_keras()
    model = built()
    model.fit(pictures(), batch_size=4, verbose=0)
    expected = {
        "jax": "rule",
        "tensorflow": "tensorflow.python.framework.ops",
        "torch": "keras.src.backend.torch.nn",
    }[BACKEND]
    places = changed(before, contents())
    assert expected in {place[0] for place in places}, places
    if BACKEND == "jax":
        assert "jax_compilation_cache_dir" in places
    accelerate.undo()
    assert set(accelerate.active()) <= {"malloc"}
    assert not changed(before, contents())
    for one, other in zip(numbers, of_keras(), strict=True):
        np.testing.assert_array_equal(one, other)
    model.fit(pictures(), batch_size=4, verbose=0)  # it goes on, without them


@pytest.mark.skipif(BACKEND != "jax", reason="of the JAX backend, which has the filter")
def test_undo_gives_back_the_filters_of_warnings(own_cache):
    before = list(warnings.filters)
    built()
    assert warnings.filters != before
    accelerate.undo()
    assert warnings.filters == before


IMPORTS = """
import sys, keras
def contents():
    return {(m, k): v for m, own in list(sys.modules.items()) if m.startswith("keras")
            for k, v in vars(own).items()}
layers = keras.layers.Conv2DTranspose(1, 2)
before = contents()
import zoo, zoo.engine.model, zoo.training.loop
zoo.build, zoo.model("vae")
from zoo.engine import accelerate
after = contents()
assert not accelerate.active()
print([place for place in before if before[place] is not after.get(place)])
"""


@pytest.mark.slow
def test_an_import_patches_nothing():
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


# --- what does not fit is skipped


def lines(capsys):
    return [line for line in capsys.readouterr().err.splitlines() if "slower" in line]


OTHER = {
    "jax": "jax_compiler_options",
    "tensorflow": "tensorflow_chunk_program",
    "torch": "torch_graphs",
}[BACKEND]
"""One that is on all the same."""


@pytest.fixture
def hidden(monkeypatch):
    """Take a name away that an acceleration needs; the acceleration."""
    if BACKEND == "jax":
        from jax.interpreters import mlir

        monkeypatch.delattr(mlir, "_platform_specific_lowerings")
        return "jax_convolutions"
    if BACKEND == "torch":
        from keras.src.backend.torch import nn

        monkeypatch.delattr(nn, "conv_transpose")
        return "torch_convolutions"
    [owner] = [c for c in keras.optimizers.Adam.__mro__ if "_get_variable_index" in vars(c)]
    monkeypatch.delattr(owner, "_get_variable_index")
    return "tensorflow_adam"


def test_a_name_that_is_gone_is_one_line_and_no_fault(hidden, capsys):
    for _ in range(2):
        accelerate.install(BACKEND, "cpu")
        accelerate.undo()
    accelerate.install(BACKEND, "cpu")
    [line] = lines(capsys)
    assert f"without {hidden} (AttributeError: " in line
    assert not accelerate.on(hidden)
    why = {own["name"]: own["why"] for own in accelerate.report(BACKEND)}
    assert why[hidden].startswith("AttributeError: ")
    assert accelerate.on(OTHER)


def test_another_version_is_one_line_for_all(monkeypatch, capsys):
    framework, version = ("jax", "0.99.1") if BACKEND == "jax" else ("keras", "3.16.0")
    monkeypatch.setattr(sys.modules[framework], "__version__", version)
    for _ in range(2):
        model = built()
    [line] = lines(capsys)
    off = {entry.name for entry in accelerate.TABLE if framework in entry.read} & set(OWN)
    assert off
    assert all(name in line for name in off)
    assert line.count(f"and this is {version}") == 1
    assert not off & set(accelerate.active())
    history = model.fit(pictures(), batch_size=4, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def imported_privately():
    """Modules of ``keras.src`` that the zoo imports from."""
    files = [
        *(REPOSITORY / "zoo/engine/accelerate").glob("*.py"),
        REPOSITORY / "zoo/runtime/keras_compat.py",
    ]
    found = {
        name
        for file in files
        for name in re.findall(r"from (keras\.src[\w.]*) import", file.read_text())
        if not name.startswith("keras.src.backend.") or name.split(".")[3] in ("common", BACKEND)
    }
    return sorted(found)


NEXT_KERAS = """
import builtins, importlib, json, sys
import keras, numpy as np

stock, hidden = builtins.__import__, []

def importing(name, globals=None, locals=None, fromlist=(), level=0):
    if name in hidden and (globals or {}).get("__name__", "").startswith("zoo"):
        raise ImportError(f"{name} is hidden")
    return stock(name, globals, locals, fromlist, level)

def trained():
    for name in [name for name in sys.modules if name.partition(".")[0].startswith("zoo")]:
        del sys.modules[name]
    import zoo
    model = zoo.build(zoo.model("vae", latent_dim=2, units=(4,)), zoo.DataSpec((4, 4, 1)))
    model.compile(optimizers={"autoencoder": "adam"})
    x = np.random.default_rng(0).random((4, 4, 4, 1), "float32")
    losses = [float(model.train_on_batch(x)[0]) for _ in range(2)]
    model.get_compile_config()
    on = sys.modules["zoo.engine.accelerate"].active()
    sys.modules["zoo.engine.accelerate"].undo()
    return losses, on

builtins.__import__ = importing
found = {"": trained()}
version = keras.__version__
for keras.__version__ in (version, "3.16.0"):
    for names in [[name] for name in json.loads(sys.argv[1])] + [json.loads(sys.argv[1])]:
        hidden[:] = names
        found[f"{keras.__version__} without {', '.join(names)}"] = trained()
print("\\n" + json.dumps(found))
"""


@pytest.mark.slow
def test_the_next_keras_is_slower_and_no_fault():
    names = imported_privately()
    assert {"keras.src.utils.module_utils", "keras.src.backend.common.stateless_scope"} <= {*names}
    done = subprocess.run(
        [sys.executable, "-c", NEXT_KERAS, json.dumps(names)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    losses, on = found.pop("")
    assert len(found) == 2 * (len(names) + 1)
    of_keras = {entry.name for entry in accelerate.TABLE if "keras" in entry.read}
    for case, (other_losses, other_on) in found.items():
        np.testing.assert_allclose(other_losses, losses, rtol=1e-5, err_msg=case)
        assert set(on) - set(other_on) <= of_keras, case
        if case.startswith("3.16.0"):
            assert not of_keras & set(other_on), case
    every = found[f"{keras.__version__} without {', '.join(names)}"][1]
    assert not [name for name in every if name.startswith("torch_")]


# --- the same numbers


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vae", "dcgan"])
def test_training_without_accelerations_has_the_same_numbers(name, monkeypatch, tmp_path):
    found = {}
    for value in ("all", "none"):
        monkeypatch.setenv(accelerate.VARIABLE, value)
        recipe = resumable.recipe(name, callbacks=[])
        run = zoo.train(recipe, runs_folder=str(tmp_path / value), access=resumable.QUIET)
        on = run.read_json("run.json")["accelerations"]
        assert set(on) - {"malloc"} == set(OWN if value == "all" else []) - {*silent(), "malloc"}
        results = run.read_json("results.json")
        found[value] = zoo.load(run.path).get_weights(), results
    (fast, results), (plain, others) = found.values()
    for one, other in zip(fast, plain, strict=True):
        # Adam moves a weight by its rate, 1e-3, however small the gradient that rounding turns
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=2e-4)
    for split in ("train", "test"):
        for term, value in results.get(split, {}).items():
            assert value == pytest.approx(others[split][term], rel=1e-3), term


def silent():
    """What is off here for a reason of this machine's or the tests' own."""
    return {
        own["name"]
        for own in accelerate.report(BACKEND)
        if own["why"] and accelerate.VARIABLE not in own["why"]
    } | ({"jax_compilation_cache"} if os.environ.get("JAX_COMPILATION_CACHE_DIR") else set())
