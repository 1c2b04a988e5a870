"""Who may import what. The rules keep start-up fast, plugins apart and backends in one place."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zoo.cli import COMMANDS

pytestmark = pytest.mark.backend_free

REPOSITORY = Path(__file__).parents[1]
ZOO = sorted((REPOSITORY / "zoo").rglob("*.py"))
PLUGINS = sorted((REPOSITORY / "plugins").glob("*/zoo_*/**/*.py"))
BACKENDS = {"jax", "jaxlib", "tensorflow", "torch"}
HEAVY = BACKENDS | {"keras", "numpy", "matplotlib", "PIL", "sklearn", "rich", "tensorboard"}

LIGHT = [  # only the standard library and each other, at module level
    "zoo/__init__.py",
    "zoo/cli/__init__.py",
    "zoo/cli/hints.py",
    "zoo/cli/options.py",
    "zoo/runtime/keras_alone.py",
    "zoo/runtime/quiet.py",
    "zoo/config/__init__.py",
    "zoo/config/recipe_files.py",
    "zoo/config/values.py",
    "zoo/datasets/__init__.py",
    "zoo/datasets/arrays.py",
    "zoo/datasets/assorted.py",
    "zoo/datasets/cifar10.py",
    "zoo/datasets/digits.py",
    "zoo/datasets/fashion_mnist.py",
    "zoo/datasets/fetch.py",
    "zoo/datasets/files.py",
    "zoo/datasets/folder.py",
    "zoo/datasets/grid.py",
    "zoo/datasets/huggingface.py",
    "zoo/datasets/mnist.py",
    "zoo/datasets/moons.py",
    "zoo/datasets/pictures.py",
    "zoo/datasets/points.py",
    "zoo/datasets/published.py",
    "zoo/datasets/ring.py",
    "zoo/datasets/sprites.py",
    "zoo/datasets/stacked_mnist.py",
    "zoo/datasets/swiss_roll.py",
    "zoo/datasets/tfds.py",
    "zoo/engine/__init__.py",
    "zoo/engine/accelerate/__init__.py",
    "zoo/engine/distributed/__init__.py",
    "zoo/errors.py",
    "zoo/plugin/__init__.py",
    "zoo/plugin/about.py",
    "zoo/plugin/checked.py",
    "zoo/plugin/dataset.py",
    "zoo/plugin/features.py",
    "zoo/plugin/lazy.py",
    "zoo/plugin/model.py",
    "zoo/plugin/probe.py",
    "zoo/plugin/registry.py",
    "zoo/plugin/settings.py",
    "zoo/plugin/limits.py",
    "zoo/runs/__init__.py",
    "zoo/runs/folders.py",
    "zoo/runs/locks.py",
    "zoo/runs/manifest.py",
    "zoo/runs/pretrained.py",
    "zoo/runs/pulled.py",
    "zoo/runs/run.py",
    "zoo/runtime/__init__.py",
    "zoo/runtime/backends.py",
    "zoo/runtime/blame.py",
    "zoo/runtime/console.py",
    "zoo/runtime/files.py",
    "zoo/runtime/jsons.py",
    "zoo/runtime/leash.py",
    "zoo/runtime/ranks.py",
    "zoo/runtime/memory.py",
    "zoo/runtime/processes.py",
    "zoo/runtime/writer.py",
    "zoo/testing/isolated.py",
    *(module.replace(".", "/") + ".py" for module, _ in COMMANDS.values()),
]


def imports(path: Path, *, anywhere: bool) -> Iterator[tuple[int, str]]:
    """``(line, module)`` of what a file imports; not ``if TYPE_CHECKING``.

    Only when it is imported itself, or ``anywhere``, functions included.
    """
    package = path.relative_to(REPOSITORY).with_suffix("").parts[:-1]
    pending: list[ast.AST] = [ast.parse(path.read_bytes())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield node.lineno, module
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
        elif anywhere or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


def top(module: str) -> str:
    return module.partition(".")[0]


def relative(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@pytest.mark.parametrize("path", ZOO, ids=relative)
def test_zoo_imports_no_plugin(path):
    for line, module in imports(path, anywhere=True):
        assert not top(module).startswith("zoo_"), f"{relative(path)}:{line} imports {module}"


@pytest.mark.parametrize("path", ZOO, ids=relative)
def test_only_the_engines_backend_files_import_a_backend(path):
    for line, module in imports(path, anywhere=True):
        if top(module) in BACKENDS:
            named = path.stem.partition("_")[0] == top(module)
            allowed = named and path.parent.parent == REPOSITORY / "zoo/engine"
            assert allowed, f"{relative(path)}:{line} imports {module}"


PRIVATE = re.compile(
    r"(keras\.src|jax\._src|jaxlib|torch\.(\w+\.)*_(?!_)\w+|(tensorflow|tf)\.python)\b"
)
"""Inner parts of frameworks, which may change with any version."""

READERS = ("zoo/engine/accelerate/", "zoo/runtime/keras_compat.py")


def private(path: Path) -> Iterator[tuple[int, str]]:
    """``(line, name)`` of inner parts of frameworks that a file imports or reaches for."""
    for line, module in imports(path, anywhere=True):
        if PRIVATE.match(module):
            yield line, module
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Attribute) and PRIVATE.fullmatch(ast.unparse(node)):
            yield node.lineno, ast.unparse(node)


@pytest.mark.parametrize("path", [*ZOO, *PLUGINS], ids=relative)
def test_only_accelerations_and_one_file_reach_into_frameworks(path):
    if not relative(path).startswith(READERS):
        for line, name in private(path):
            pytest.fail(f"{relative(path)}:{line} uses {name}")


def test_inner_parts_are_seen(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "REPOSITORY", tmp_path)
    path = tmp_path / "x.py"
    for code in (
        "from keras.src.utils import x",
        "from keras import src",
        "import jax._src.core",
        "from torch import _C",
        "from torch._C import x",
        "from torch.nn.modules.module import _x",
        "def f():\n    return torch._fused_adam_(1)",
        "from tensorflow.python.ops import x",
    ):
        path.write_text(code)
        assert list(private(path)), code
    path.write_text("import keras, torch\nfrom torch.nn import functional\ntorch.__version__\n")
    assert not list(private(path))


@pytest.mark.parametrize("name", LIGHT)
def test_light_modules_import_only_light_ones(name):
    allowed = sys.stdlib_module_names | ({"click"} if name.startswith("zoo/cli/") else set())
    for line, module in imports(REPOSITORY / name, anywhere=False):
        if top(module) == "zoo":
            assert not is_heavy(module), f"{name}:{line} imports {module}"
        else:
            assert top(module) in allowed, f"{name}:{line} imports {module}"


def is_heavy(module: str) -> bool:
    """Whether a name is a module of the zoo that is not among the light ones."""
    path = REPOSITORY / module.replace(".", "/")
    files = [path.with_suffix(".py"), path / "__init__.py"]
    return any(file.exists() and relative(file) not in LIGHT for file in files)


CHOOSES = {"opened", "activate", "import_backend"}
"""Calls after which a command may import Keras, under the backend that it was given."""


def too_early(path: Path) -> Iterator[str]:
    """Modules that functions of a command import before the backend is chosen."""
    for function in ast.walk(ast.parse(path.read_bytes())):
        if not isinstance(function, ast.FunctionDef):
            continue
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        chosen = [c.lineno for c in calls if ast.unparse(c.func).split(".")[-1] in CHOOSES]
        for node in ast.walk(function):
            if isinstance(node, ast.ImportFrom) and chosen and node.lineno < min(chosen):
                yield from (f"{node.module}:{alias.name}" for alias in node.names)


def test_no_command_imports_keras_before_its_backend_is_chosen():
    """Keras would take the backend of its own configuration."""
    asked = {name for path in (REPOSITORY / "zoo/cli").glob("*.py") for name in too_early(path)}
    assert "zoo.cli.trained:opened" in asked
    code = """
import importlib, sys
for name in sys.argv[1:]:
    module, _, own = name.partition(":")
    if not hasattr(importlib.import_module(module), own):
        importlib.import_module(f"{module}.{own}")
    if "keras" in sys.modules:
        sys.exit(f"{name} imports Keras")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, *sorted(asked)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", PLUGINS, ids=relative)
def test_plugins_import_only_keras_zoo_each_other_and_the_standard_library(path):
    plugins = {part for other in PLUGINS for part in other.parts if part.startswith("zoo_")}
    for line, module in imports(path, anywhere=True):
        assert top(module) in sys.stdlib_module_names | {"keras", "zoo"} | plugins, (
            f"{relative(path)}:{line} imports {module}"
        )


def test_the_rules_see_what_they_should(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "REPOSITORY", tmp_path)
    path = tmp_path / "zoo" / "engine" / "x.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "from . import torch\n"
        "from ..errors import ZooError\n"
        "try:\n    import keras\nexcept ImportError:\n    pass\n"
        "if TYPE_CHECKING:\n    import numpy\n"
        "def f():\n    import jax.numpy\n"
    )
    at_import = {module for _, module in imports(path, anywhere=False)}
    assert at_import == {
        "zoo.engine",
        "zoo.engine.torch",
        "zoo.errors",
        "zoo.errors.ZooError",
        "keras",
    }
    assert {m for _, m in imports(path, anywhere=True)} - at_import == {"jax.numpy"}


@pytest.mark.parametrize(
    "code",
    [
        "import zoo, zoo.plugin.registry, zoo.runs.folders, zoo.config.recipe_files, zoo.datasets",
        "from zoo.cli import main; main(['--help'])",
        "from zoo.cli import main; main(['list'])",
    ],
)
def test_starting_loads_nothing_heavy(code):
    code += f"\nimport sys; sys.exit(', '.join({HEAVY!r} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "words", [["show", "vae_mnist"], ["compare", "vae_mnist", "vae2d_mnist"]], ids=" ".join
)
def test_what_a_run_keeps_is_shown_without_keras(words, tmp_path):
    heavy = BACKENDS | {"keras"}
    code = f"from zoo.cli import main; status = main({words})\n"
    code += f"import sys; sys.exit(status or ', '.join({heavy!r} & set(sys.modules)) or 0)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
