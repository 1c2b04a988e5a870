"""Where code lives: each room imports only rooms below it. `docs/house.md` shows the picture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.backend_free

REPOSITORY = Path(__file__).parents[1]

FLOORS = [  # from the ground up; rooms of one line do not know each other
    ["errors"],
    ["random", "runtime"],
    ["plugin"],
    ["datasets", "engine.accelerate", "reports.pictures"],
    ["engine.backends"],
    ["engine"],
    ["nn.layers", "nn.losses"],
    ["nn"],
    ["config"],
    ["runs"],
    ["reports"],
    ["callbacks", "metrics"],
    ["training"],
    ["testing.harness"],
    ["testing.checks"],
    ["testing"],
    ["cli"],
    ["__main__"],
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted((REPOSITORY / "zoo").rglob("*.py")):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room(module: str) -> str:
    """The room of a module: the longest name of a room that it begins with."""
    inside = module.removeprefix("zoo.")
    fitting = [r for r in FLOOR if inside == r or inside.startswith(f"{r}.")]
    assert fitting, f"{module} is in no room of FLOORS"
    return max(fitting, key=len)


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """``(line, module)`` of the zoo's modules that a file imports, also within functions."""
    known = modules()
    pending: list[ast.AST] = [ast.parse(path.read_bytes())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending += node.orelse
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else node.module for name in full]
        else:
            names = []
        yield from ((node.lineno, name) for name in names if name in known and name != "zoo")
        pending += ast.iter_child_nodes(node)


def arrows() -> Iterator[tuple[str, str, str]]:
    """``(room, room that it imports, where)``, for each import between two rooms."""
    for module, path in modules().items():
        if module == "zoo":
            continue
        for line, target in imported(path):
            if room(target) != room(module):
                yield room(module), room(target), f"{path.relative_to(REPOSITORY)}:{line}"


def test_a_room_imports_only_rooms_below_it():
    upwards = [
        f"{where}: {above} imports {below}"
        for above, below, where in arrows()
        if FLOOR[below] >= FLOOR[above]
    ]
    assert not upwards, "\n".join(upwards)


def test_every_package_is_a_room_and_there_are_few():
    packages = {m.removeprefix("zoo.") for m, p in modules().items() if p.name == "__init__.py"}
    assert packages - {"zoo"} <= set(FLOOR)
    assert len(FLOOR) <= 24


def test_no_file_imports_itself_through_others():
    graph = {m: {t for _, t in imported(p)} - {m} for m, p in modules().items() if m != "zoo"}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join([*way[way.index(module) :], module])
        if module not in done:
            for target in sorted(graph.get(module, ())):
                visit(target, (*way, module))
            done.add(module)

    for module in graph:
        visit(module, ())
