"""What a plugin is, in one line: the first of its docstring, read without importing it."""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import re
from pathlib import Path

_STEPS = 5  # from a package that re-exports a class to where the class is
_BYTES = 1 << 20  # no module of a plugin is longer
_WRONG = (SyntaxError, ValueError, RecursionError, MemoryError)  # what parsing raises
_STATEMENT = re.compile(r"^(?=[A-Za-z_@])", re.M)  # a module's docstring is before it
_MEMBER = re.compile(r"^    (?=def |async |@)", re.M)  # and that of a class before this
_CLASS = re.compile(r"^class (\w+)", re.M)
# A docstring as nearly all are written, where its first line can be read without a parser.
_PLAIN = re.compile(r'(?:class [^\n"]*:\n    )?"""([^\n"\\]+)(?:"""$|\n)', re.M)


def about(target: str) -> str:
    """The first line of the docstring of ``"module:Class"``; of its module where it has none.

    It is "" where the source cannot be found or read. A class that a module only imports is
    looked for where it comes from, also in a block ``if TYPE_CHECKING:``.
    """
    module, _, name = target.partition(":")
    for _ in range(_STEPS):
        source, _ = _source(module)
        found = next((at for at in _CLASS.finditer(source) if at[1] == name), None)
        if found:
            own = _docstring(source[found.start() :], _MEMBER, "\n    pass")
            return own or first_line(source)
        origin = _imports(module).get(name)
        if origin is None:
            return first_line(source)
        module, name = origin
    return ""


def first_line(source: str) -> str:
    """The first line of the docstring of a module's source; "" where it is not Python."""
    return _docstring(source, _STATEMENT, "")


def _docstring(source: str, end: re.Pattern, closing: str) -> str:
    """The first line of the docstring of a module, or of the class that begins the source.

    Where it is not plain, only what is before the first match of ``end`` is parsed, which is
    fast; all of it where that is no Python, as where ``end`` matches within the docstring.
    """
    if plain := _PLAIN.match(source):
        return _cleaned(plain[1].strip())
    cut = end.search(source)
    head = source[: cut.start()] if cut else source
    for text in (head + closing, source):
        try:
            tree = ast.parse(text)
        except _WRONG:
            continue
        node = tree.body[0] if closing else tree
        found = ast.get_docstring(node)  # type: ignore[arg-type]  # a module or a class
        return _cleaned((found or "").partition("\n")[0])
    return ""


def _cleaned(line: str) -> str:
    return line.replace("``", "")


@functools.cache
def _imports(module: str) -> dict[str, tuple[str, str]]:
    """Where a module imports names from: ``{name: (module, name there)}``."""
    source, package = _source(module)
    try:
        tree = ast.parse(source)
    except _WRONG:
        return {}
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            near = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*near, *filter(None, [node.module])])
            found.update({alias.asname or alias.name: (origin, alias.name) for alias in node.names})
    return found


@functools.cache
def _source(module: str) -> tuple[str, list[str]]:
    """A module's source, "" if there is none, and the package that it is in.

    It is found as an import would find it, but nothing is imported.
    """
    first, *rest = parts = module.split(".")
    try:
        spec = importlib.util.find_spec(first)
        file = Path(spec.origin) if spec and spec.origin else None
        if file is None:
            return "", parts
        if rest:
            inside = file.parent.joinpath(*rest)
            file = inside / "__init__.py" if inside.is_dir() else inside.with_suffix(".py")
        with open(file, "rb", opener=_no_waiting) as source:
            text = source.read(_BYTES).decode("utf-8", "replace")
    except (ImportError, ValueError, OSError):
        return "", parts
    return text.replace("\r\n", "\n"), parts if file.name == "__init__.py" else parts[:-1]


def _no_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # for a FIFO of that name
