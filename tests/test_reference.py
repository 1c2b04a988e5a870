"""The reference: every public name is in it, exists, and has a docstring to be rendered."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

import zoo

PAGE = Path(__file__).parent.parent / "docs" / "reference.md"
NAMED = re.findall(r"^::: (\S+)$", PAGE.read_text(encoding="utf-8"), re.M)
MODULES = ["callbacks", "datasets", "metrics", "random", "testing", "nn.losses.penalties"]
MODULES += [f"nn.{name}" for name in zoo.nn.__all__]

pytestmark = pytest.mark.backend_free


def resolved(name):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def public():
    """Every class and function of the zoo's public modules, with the name that it goes by."""
    yield from ((name, getattr(zoo, name)) for name in zoo.__all__)
    for module in (importlib.import_module(f"zoo.{name}") for name in MODULES):
        own = [
            n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__
        ]
        names = getattr(module, "__all__", None) or [n for n in own if not n.startswith("_")]
        yield from ((f"{module.__name__}.{name}", getattr(module, name)) for name in names)


def test_every_public_name_is_in_the_reference():
    described = [resolved(name) for name in NAMED]
    wanted = {n: v for n, v in public() if inspect.isclass(v) or inspect.isfunction(v)}
    assert len(wanted) > 100
    missing = [name for name, value in wanted.items() if not any(value is d for d in described)]
    assert missing == []


@pytest.mark.parametrize("name", NAMED)
def test_each_name_has_a_docstring(name):
    value = resolved(name)
    assert inspect.getdoc(value), name
    assert value.__module__ == name.rpartition(".")[0] or value.__module__.startswith("zoo")
