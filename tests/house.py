"""The rooms of ``zoo/``, read from its imports, and their picture.

    python -m tests.house      write docs/concepts/house.svg anew

A room is a package or a flat module; a package's inner folders are rooms of their own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from html import escape
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PICTURE = REPOSITORY / "docs/concepts/house.svg"

FLOORS = [  # from the ground up; rooms of one floor do not import each other
    {"errors": "messages for people"},
    {"runtime": "the process: backends, console, files, children"},
    {"random": "noise from a counter, alike on all backends"},
    {"plugin": "contracts of plugins; the registry"},
    {
        "datasets": "one file per dataset; the pipeline",
        "engine.distributed": "several devices and processes",
        "reports.pictures": "grids and scatters as PNG",
    },
    {"engine.accelerate": "optional speed-ups"},
    {"engine.backends": "gradients and steps of each backend"},
    {"engine": "several players in one Keras model"},
    {"nn.layers": "layers that Keras lacks", "nn.losses": "terms and penalties"},
    {"nn.networks": "builders of networks"},
    {"nn": "distributions, schedules, samplers"},
    {"config": "recipes, and changes to them"},
    {"runs": "all that is on disk; loading"},
    {"reports": "views, tables, summaries", "features": "pictures as vectors, to be compared"},
    {"metrics": "one file per metric"},
    {"callbacks": "what happens beside training"},
    {"training": "recipe, loop, checkpoints, resume"},
    {"testing.checks": "what every plugin promises, tried on small models"},
    {"testing": "checks for plugin authors; parity"},
    {"cli": "one file per command"},
]
FRONT_DOORS = ("zoo", "zoo.__main__")  # they hand on what the rooms have, when it is first used
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def modules() -> dict[str, Path]:
    """The modules of the zoo, by dotted name."""
    found = {}
    for path in sorted((REPOSITORY / "zoo").rglob("*.py")):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room(module: str) -> str:
    """The room of a module: the longest name of a room that it begins with."""
    inside = module.removeprefix("zoo.")
    fitting = [r for r in FLOOR if inside == r or inside.startswith(f"{r}.")]
    if not fitting:
        raise AssertionError(f"{module} is in no room: give it one in tests/house.py")
    return max(fitting, key=len)


def imported(path: Path, known: dict[str, Path]) -> Iterator[tuple[int, str]]:
    """``(line, module)`` of the zoo's modules that a file imports, also within functions."""
    pending: list[ast.AST] = [ast.parse(path.read_bytes())]
    while pending:
        node = pending.pop()
        names: list[str] = []
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending += node.orelse
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else node.module for name in full]
        yield from ((node.lineno, name) for name in names if name in known and name != "zoo")
        pending += ast.iter_child_nodes(node)


def arrows() -> Iterator[tuple[str, str, str]]:
    """``(room, room that it imports, where)``, for each import between two rooms."""
    known = modules()
    for module, path in known.items():
        if module in FRONT_DOORS:
            continue
        for line, target in imported(path, known):
            if room(target) != room(module):
                yield room(module), room(target), f"{path.relative_to(REPOSITORY)}:{line}"


def drawn() -> str:
    """The picture: rooms on their floors, and the arrows that no longer way stands for."""
    graph: dict[str, set[str]] = {name: set() for name in FLOOR}
    for above, below, _ in arrows():
        graph[above].add(below)
    reach: dict[str, set[str]] = {}
    for rooms in FLOORS:
        for name in rooms:
            reach[name] = graph[name].union(*(reach[other] for other in graph[name]))
    width, height, gap = 900, 34, 24
    boxes = {}
    for floor, rooms in enumerate(FLOORS):
        for place, name in enumerate(rooms):
            wide = (width - 20 * (len(rooms) - 1)) / len(rooms)
            boxes[name] = (place * (wide + 20), (len(FLOORS) - 1 - floor) * (height + gap), wide)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -10 {width + 20} '
        f'{len(FLOORS) * (height + gap)}" font-family="sans-serif" font-size="13">',
        "<style>rect{fill:#e8eef7;stroke:#5b7db1}text{fill:#1c2733}path{stroke:#8a97a8;fill:none}"
        "@media(prefers-color-scheme:dark){rect{fill:#22304a;stroke:#7d9bd0}text{fill:#e6ecf5}"
        "path{stroke:#67758a}}</style>",
    ]
    for above, belows in graph.items():
        direct = {b for b in belows if not any(b in reach[o] for o in belows - {b})}
        for below in sorted(direct):
            x1, y1, w1 = boxes[above]
            x2, y2, w2 = boxes[below]
            a, b = x1 + w1 / 2, x2 + w2 / 2
            lines.append(f'<path d="M{a:.0f} {y1 + height:.0f}L{b:.0f} {y2:.0f}"/>')
    says = {name: text for rooms in FLOORS for name, text in rooms.items()}
    for name, (x, y, wide) in boxes.items():
        lines.append(f'<rect x="{x:.0f}" y="{y}" width="{wide:.0f}" height="{height}" rx="5"/>')
        lines.append(
            f'<text x="{x + 8:.0f}" y="{y + 21}"><tspan font-weight="bold">{escape(name)}</tspan>'
            f"  {escape(says[name])}</text>"
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
