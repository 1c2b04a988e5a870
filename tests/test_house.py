"""Where code lives: each room imports only rooms below it (``docs/concepts/house.md``)."""

from __future__ import annotations

import pytest

from tests import house

pytestmark = pytest.mark.backend_free


def test_a_room_imports_only_rooms_below_it():
    upwards = [
        f"{where}: {above} imports {below}"
        for above, below, where in house.arrows()
        if house.FLOOR[below] >= house.FLOOR[above]
    ]
    assert not upwards, "\n".join(upwards)


def test_the_reader_of_imports_sees_them(tmp_path):
    path = tmp_path / "x.py"
    path.write_text(
        "from typing import TYPE_CHECKING\nfrom zoo.runs import run, locks\n"
        "if TYPE_CHECKING:\n    from zoo.cli import main\n"
        "def f():\n    import zoo.errors\n    from zoo import random\n"
    )
    found = {name for _, name in house.imported(path, house.modules())}
    assert found == {"zoo.runs.run", "zoo.runs.locks", "zoo.errors", "zoo.random"}
    assert len({(above, below) for above, below, _ in house.arrows()}) > 50


def test_every_package_is_a_room_and_there_are_few():
    packages = {
        module.removeprefix("zoo.")
        for module, path in house.modules().items()
        if path.name == "__init__.py" and module != "zoo"
    }
    assert packages <= set(house.FLOOR)
    assert len(house.FLOOR) <= 24


def test_no_file_imports_itself_through_others():
    known = house.modules()
    graph = {m: {t for _, t in house.imported(p, known)} - {m} for m, p in known.items()}
    del graph["zoo"]
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join([*way[way.index(module) :], module])
        if module not in done:
            for target in sorted(graph.get(module, ())):
                visit(target, (*way, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_the_picture_is_that_of_the_code():
    assert house.PICTURE.read_text(encoding="utf-8") == house.drawn(), "python -m tests.house"
