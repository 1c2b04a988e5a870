"""What a plugin's class says of itself; nothing is built for it."""

from __future__ import annotations

import ast
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from zoo.plugin import serialization
from zoo.plugin.settings import check_settings, given_as_code
from zoo.runtime.backends import BACKENDS
from zoo.testing.checks.bench import Bench
from zoo.testing.checks.listing import ALL, check
from zoo.testing.checks.outcomes import expect


@check(*ALL)
def is_a_frozen_dataclass(bench: Bench):
    """Settings are fields of a dataclass that nobody can change afterwards."""
    cls: Any = type(bench.plugin)
    fault = f"{cls.__name__} has to be decorated with @dataclass(frozen=True)"
    expect("__dataclass_fields__" in vars(cls), fault)
    expect(cls.__dataclass_params__.frozen, fault)


@check(*ALL)
def says_what_it_is(bench: Bench):
    """Its class has a docstring, which ``zoo show`` prints."""
    cls = type(bench.plugin)
    written = vars(cls).get("__doc__") or ""
    made_up = written.startswith(f"{cls.__name__}(")  # as dataclasses do where there is none
    expect(written.strip() and not made_up, f"{cls.__name__} has no docstring")


@check(*ALL, when=lambda case: dataclasses.is_dataclass(case.plugin))
def settings_survive_json(bench: Bench):
    """Settings written as JSON and read again make an equal plugin, as loading a run does."""
    plugin, cls = bench.plugin, type(bench.plugin)
    described = serialization.settings_of(plugin, bench.case.kind)["settings"]
    code = given_as_code(described)
    expect(not code, f"settings that JSON cannot hold: {', '.join(code)}")
    again = cls(**check_settings(cls, serialization.made(json.loads(json.dumps(described)))))
    expect(again == plugin, f"{plugin} comes back from JSON as {again}")


@check(*ALL)
def imports_no_backend(bench: Bench):
    """No file of it imports JAX, TensorFlow or PyTorch, not even within a function."""
    for path in _files(type(bench.plugin)):
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                place = f"{path.name}, line {getattr(node, 'lineno', 0)}"
                expect(
                    name.partition(".")[0] not in {*BACKENDS, "jaxlib"},
                    f"{place} imports {name}: use keras.ops, which works on every backend",
                )


def _files(cls: type) -> list[Path]:
    """The Python files of a class's module, or of the package that it is."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if not file or not file.endswith(".py"):
        return []
    path = Path(file)
    return sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]


@check()
def value_range_is_a_range(bench: Bench):
    """``value_range`` is None, or a lower and a higher number."""
    given = bench.plugin.value_range
    try:
        fits = given is None or (len(given) == 2 and float(given[0]) < float(given[1]))
    except (TypeError, ValueError):
        fits = False
    expect(fits, f"value_range is None or (low, high), such as (0.0, 1.0); it is {given!r}")
