"""What a plugin is, in one line: the first of its docstring, read without importing it."""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
from pathlib import Path

_STEPS = 5  # from a package that re-exports a class to where the class is
_BYTES = 1 << 20  # no module of a plugin is longer


def about(target: str) -> str:
    """The first line of the docstring of ``"module:Class"``; of its module where it has none.

    It is "" where the source cannot be found or read. A class that a module only imports is
    looked for where it comes from, also in a block ``if TYPE_CHECKING:``.
    """
    module, _, name = target.partition(":")
    for _ in range(_STEPS):
        tree = _tree(module)
        if tree is None:
            return ""
        for node in tree.body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
                return _first_line(node) or _first_line(tree)
        origin = _origin(tree, module, name)
        if origin is None:
            return _first_line(tree)
        module, name = origin
    return ""


def first_line(text: str | bytes) -> str:
    """The first line of the docstring of a module's source.

    Raises:
        SyntaxError, ValueError: it is not Python.
    """
    return _first_line(ast.parse(text))


def _first_line(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0].replace("``", "")


def _origin(tree: ast.Module, module: str, name: str) -> tuple[str, str] | None:
    """Where a module imports a name from, as ``(module, name)``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    near = module.split(".")[: 1 - node.level or None] if node.level else []
                    return ".".join([*near, *filter(None, [node.module])]), alias.name
    return None


@functools.cache
def _tree(module: str) -> ast.Module | None:
    """The parsed source of a module, found as an import would find it but importing nothing."""
    first, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(first)
    except (ImportError, ValueError, OSError):
        return None
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin)
    if rest:
        inside = file.parent.joinpath(*rest)
        file = inside / "__init__.py" if inside.is_dir() else inside.with_suffix(".py")
    try:
        with open(file, "rb", opener=_no_waiting) as source:
            return ast.parse(source.read(_BYTES))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _no_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # for a FIFO of that name
