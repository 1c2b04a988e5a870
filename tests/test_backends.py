from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from zoo.errors import ZooError
from zoo.runtime import backends
from zoo.runtime.backends import Choice

pytestmark = pytest.mark.backend_free

FIRST = "the first installed of jax, tensorflow, torch"


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Pretend: ``machine(installed=..., gpus=...)``."""
    for name in ("KERAS_BACKEND", *backends.ON_CPU):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delitem(sys.modules, "keras", raising=False)

    def pretend(installed=backends.BACKENDS, gpus=0, others=False):
        monkeypatch.setattr(backends, "_importable", lambda name: name in installed)
        monkeypatch.setattr(backends, "_devices", lambda: gpus)
        monkeypatch.setattr(backends, "_other_gpu", lambda: others)

    pretend()
    return pretend


@pytest.fixture
def recipe(tmp_path):
    def write(text: str):
        path = tmp_path / "recipe.py"
        path.write_text(text)
        return path

    return write


def test_installed_imports_nothing():
    code = (
        "import sys; from zoo.runtime import backends; backends.installed();"
        "print(sorted({'jax', 'torch', 'tensorflow', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_bare_folder_is_no_backend(tmp_path):
    (tmp_path / "jax").mkdir()
    code = "from zoo.runtime import backends; print(backends.installed())"
    env = {"PYTHONPATH": f"{tmp_path}:{backends.Path(backends.__file__).parents[2]}"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env=env
    )
    assert done.stdout.strip() == "()"


@pytest.mark.parametrize(
    ("text", "cpu", "gpu"),
    [
        ("", ("jax", "tensorflow", "torch"), ("jax", "tensorflow", "torch")),
        ('backends = ("torch",)', ("torch", "jax", "tensorflow"), ("torch", "jax", "tensorflow")),
        (
            'import nothing_real\nbackends: dict = {"cpu": ["tensorflow", "torch"]}',
            ("tensorflow", "torch", "jax"),
            ("jax", "tensorflow", "torch"),
        ),
    ],
)
def test_the_order_is_read_without_running(recipe, text, cpu, gpu):
    path = recipe(text + "\nraise SystemExit('it ran')")
    assert backends.recipe_order(path, "cpu") == cpu
    assert backends.recipe_order(path, "gpu:1") == gpu


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('backends = ("tensorflw",)', "unknown backend 'tensorflw'; did you mean 'tensorflow'"),
        ('backends = {"gpus": ()}', "unknown device 'gpus'; did you mean 'gpu'"),
        ('backends = "torch"', "backends is a tuple"),
        ("backends = order()", r"line 1: backends .* has to be a literal"),
        ("backends = (", r"is not Python: .*\(line 1\)"),
        ("x = '\0'", "is not Python"),
    ],
)
def test_a_wrong_order_is_refused(recipe, text, message):
    with pytest.raises(ZooError, match=message):
        backends.recipe_order(recipe(text), "cpu")


def test_a_missing_recipe_and_one_in_no_encoding_are_refused(tmp_path):
    with pytest.raises(ZooError, match="cannot read the recipe"):
        backends.recipe_order(tmp_path / "none.py", "cpu")
    (tmp_path / "picture.py").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(ZooError, match="is not Python"):
        backends.recipe_order(tmp_path / "picture.py", "cpu")


def test_the_option_beats_the_variable_beats_the_recipe(machine, recipe, monkeypatch):
    path = recipe('backends = ("torch", "jax")')
    assert backends.choose(None, path) == Choice("torch", "cpu", "the recipe's choice for the cpu")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert backends.choose(None, path) == Choice("jax", "cpu", "chosen by KERAS_BACKEND")
    assert backends.choose("tensorflow", path) == Choice("tensorflow", "cpu", "chosen by --backend")


def test_what_a_recipe_would_rather_have_and_is_not_installed(machine, recipe):
    machine(installed=("jax",))
    choice = backends.choose(None, recipe('backends = {"cpu": ("tensorflow", "torch", "jax")}'))
    assert choice == Choice("jax", "cpu", "the only backend installed")


def test_without_a_recipe_the_first_installed(machine):
    machine(installed=("tensorflow", "torch"))
    assert backends.choose() == Choice("tensorflow", "cpu", FIRST)


@pytest.mark.parametrize(
    ("installed", "option", "variable", "message"),
    [
        (backends.BACKENDS, "pytorch", None, "--backend: unknown backend 'pytorch'.*'torch'"),
        (backends.BACKENDS, "tf", None, "--backend: unknown backend 'tf'.*'tensorflow'"),
        (backends.BACKENDS, None, "tf", "KERAS_BACKEND: unknown backend 'tf'.*'tensorflow'"),
        (backends.BACKENDS, None, "numpy", "KERAS_BACKEND: unknown backend 'numpy'"),
        (("jax",), "torch", None, r"torch is not installed; installed: jax.*keras-zoo\[torch\]"),
        ((), None, None, r"no backend is installed.*keras-zoo\[jax\]"),
    ],
)
def test_a_backend_that_is_not_there(machine, monkeypatch, installed, option, variable, message):
    machine(installed=installed)
    if variable:
        monkeypatch.setenv("KERAS_BACKEND", variable)
    with pytest.raises(ZooError, match=message):
        backends.choose(option)


def test_a_gpu_is_taken_where_there_is_one(machine, recipe):
    machine(gpus=2)
    path = recipe('backends = {"cpu": ("torch",), "gpu": ("tensorflow",)}')
    assert backends.choose(None, path).device == "gpu"
    assert backends.choose(None, path).backend == "tensorflow"
    assert backends.choose(None, path, "cpu").backend == "torch"
    assert backends.choose(None, path, "gpu:1").device == "gpu:1"


@pytest.mark.parametrize(
    ("count", "device", "message"),
    [
        (0, "gpu", "no GPU was found"),
        (1, "gpu:1", "no gpu:1 here; there is 1 GPU"),
        (2, "gpu:7", "there are 2 GPUs"),
        (2, "tpu", "'tpu' is no device"),
        (2, "gpu:-1", "is no device"),
        (2, "", "is no device"),
    ],
)
def test_a_device_that_is_not_there(machine, count, device, message):
    machine(gpus=count)
    with pytest.raises(ZooError, match=message):
        backends.choose(device=device)


def test_hidden_gpus_do_not_count(machine, monkeypatch):
    machine(gpus=4)
    for setting, count in (("2,3", 2), ("3,4,1", 1), ("1,-1,2", 1), ("GPU-8932f937", 1)):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
        assert backends.gpus() == count
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert not backends.gpu_present()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not backends.gpu_present()


@pytest.mark.parametrize("setting", ["0", "0,1", "GPU-8932f937"])
def test_a_variable_makes_no_gpus(machine, monkeypatch, setting):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
    assert backends.gpus() == 0
    assert backends.choose().device == "cpu"
    with pytest.raises(ZooError, match="no GPU was found"):
        backends.choose(device="gpu")


def test_a_gpu_of_another_maker_is_left_to_the_backend_to_find(machine):
    machine(others=True)
    assert backends.choose().device == "cpu"  # which is what most installations will use
    assert backends.choose(device="gpu") == Choice("jax", "gpu", FIRST, True)
    with pytest.raises(ZooError, match="no gpu:0 here"):
        backends.choose(device="gpu:0")


@pytest.mark.parametrize(
    ("backend", "variable"), [("jax", "JAX_PLATFORMS"), ("torch", "KERAS_TORCH_DEVICE")]
)
def test_a_variable_that_asks_for_the_cpu_is_heeded(machine, monkeypatch, backend, variable):
    machine(gpus=1)
    monkeypatch.setenv(variable, "cpu")
    assert backends.choose(backend).device == "cpu"
    with pytest.raises(ZooError, match=f"--device gpu: the variable {variable}=cpu has {backend}"):
        backends.choose(backend, device="gpu")
    assert backends.choose("tensorflow").device == "gpu"
    monkeypatch.setenv(variable, "cuda")
    assert backends.choose(backend).device == "gpu"


@pytest.mark.parametrize(
    ("device", "visible", "expected"),
    [("cpu", None, "-1"), ("gpu", None, None), ("gpu:1", None, "1"), ("gpu:1", "2,3", "3")],
)
def test_activate_sets_the_environment(machine, monkeypatch, device, visible, expected):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    environment = {"CUDA_VISIBLE_DEVICES": visible} if visible else {}
    monkeypatch.setattr(backends.os, "environ", environment)
    backends.activate(Choice("torch", device, "", demanded=True))
    assert environment["KERAS_BACKEND"] == "torch"
    assert environment.get("CUDA_VISIBLE_DEVICES") == expected
    assert environment.get("JAX_PLATFORMS") == ("cpu" if device == "cpu" else None)


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_activate_forces_no_device_that_nobody_demanded(machine, monkeypatch, device):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    given = {"JAX_PLATFORMS": "tpu", "CUDA_VISIBLE_DEVICES": "3"}
    environment = dict(given)
    monkeypatch.setattr(backends.os, "environ", environment)
    backends.activate(Choice("jax", device, ""))
    assert environment == {**given, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}


def test_what_is_found_on_this_system_is_a_number():
    assert backends._devices() >= 0 and backends._other_gpu() in (True, False)


def test_activate_refuses_when_keras_runs_on_another():
    code = (
        "import keras; from zoo.runtime import backends\n"
        "from zoo.errors import ZooError\n"
        "here = keras.config.backend()\n"
        "backends.activate(backends.Choice(here, 'gpu', ''))\n"
        "other = 'jax' if here == 'torch' else 'torch'\n"
        "try: backends.activate(backends.Choice(other, 'gpu', ''))\n"
        "except ZooError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "already runs on" in done.stdout


BY_KERAS = json.dumps(backends.BY_KERAS, indent=4)


@pytest.mark.parametrize(
    ("installed", "configured", "expected", "why"),
    [
        (backends.BACKENDS, None, "jax", FIRST),
        (backends.BACKENDS, BY_KERAS, "jax", FIRST),  # nobody chose that
        (backends.BACKENDS, '{"backend": "tensorflow"}', "tensorflow", r"chosen in .*keras\.json"),
        (backends.BACKENDS, BY_KERAS.replace("tensorflow", "torch"), "torch", "chosen in"),
        (("jax", "tensorflow"), '{"backend": "torch"}', "jax", FIRST),
        (("torch",), BY_KERAS, "torch", "the only backend installed"),
        *(
            (backends.BACKENDS, text, "jax", FIRST)
            for text in ("", "{", "[]", "{}", "\udcff", '{"backend": ["torch"]}', "[" * 10**5)
        ),
    ],
)
def test_the_command_line_and_python_take_the_same_backend(
    machine, monkeypatch, tmp_path, installed, configured, expected, why
):
    machine(installed=installed)
    if configured is not None:
        (tmp_path / "keras").mkdir()
        (tmp_path / "keras/keras.json").write_bytes(configured.encode(errors="surrogateescape"))
    monkeypatch.setattr(backends, "_settled", None)
    backends.settle()
    assert os.environ["KERAS_BACKEND"] == expected
    choice = backends.choose()
    assert choice.backend == expected and re.match(why, choice.reason)


def test_what_a_person_chose_in_keras_json_beats_the_recipe(machine, recipe, tmp_path):
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras/keras.json").write_text('{"backend": "torch"}')
    assert backends.choose(None, recipe('backends = ("jax",)')).backend == "torch"


def test_settle_leaves_what_was_chosen(machine, monkeypatch):
    machine(installed=("jax",))
    monkeypatch.setenv("KERAS_BACKEND", "torch")  # Keras shall say that it is not there
    backends.settle()
    assert os.environ["KERAS_BACKEND"] == "torch"


def test_a_backend_that_keras_was_imported_with_counts(machine, monkeypatch, recipe):
    keras = SimpleNamespace(config=SimpleNamespace(backend=lambda: "tensorflow"))
    monkeypatch.setitem(sys.modules, "keras", keras)
    backends.settle()
    assert "KERAS_BACKEND" not in os.environ
    path = recipe('backends = ("torch",)')
    assert backends.choose(None, path) == Choice("tensorflow", "cpu", "Keras was imported with it")


@pytest.mark.parametrize("name", backends.installed())
def test_python_is_quiet_and_takes_what_the_command_line_takes(name, tmp_path):
    code = (
        "from zoo.runtime import backends; print(backends.choose().backend)\n"
        "import zoo; zoo.build('ae', zoo.DataSpec((4, 4, 1)))\n"
        "import keras; print(keras.backend.backend())"
    )
    environment = dict(os.environ) | {"KERAS_HOME": str(tmp_path)}
    environment.pop("KERAS_BACKEND", None)
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    (tmp_path / "keras.json").write_text(f'{{"backend": "{name}"}}')
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert (done.stdout.split(), done.stderr) == ([name, name], "")
