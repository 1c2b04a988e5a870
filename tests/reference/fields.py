"""The fields of a recipe and of a run's manifest, as tables."""

from __future__ import annotations

import dataclasses
import inspect
import re

import zoo
from tests.reference import SECTION, inline, shown
from zoo.runs import manifest

RECIPE = """\
# Fields of a recipe

A recipe is a Python file with `recipe = zoo.Recipe(...)`:
[how to write and change one](../how-to/recipes.md). A field without a default is required.
"""
AFTER = """\
Beside `recipe`, the file may say which backends it prefers: as
`backends = ("jax", "tensorflow", "torch")`, or as one such tuple for `"cpu"` and one for `"gpu"`.
This is read without running the file, so it has to be a literal.

On the command line, `key=value` changes a field. The key is its path, such as
`dataset.batch_size=64` or `optimizers.autoencoder.learning_rate=3e-4`.
"""
RUN = """\
# Fields of run.json

`run.json` is the manifest of [a run or a pack](../concepts/runs.md). Each field is checked when the
file is read. A field that is missing or of another kind is refused with its path; keys that are not
listed here are left out. `zoo show RUN --json` prints it.
"""
PARTS = {
    "Part": "`model`, `dataset`, and each of `metrics`",
    "TrainedOn": "`data`",
    "Machine": "`machine`",
    "PackInfo": "`pack`",
}


def pages() -> dict[str, str]:
    """``{path within docs: text}``."""
    recipe = [RECIPE.rstrip(), table(zoo.Recipe, "default", default), AFTER.rstrip()]
    run = [RUN.rstrip(), table(manifest.Manifest, "accepted", accepted)]
    for name, where in PARTS.items():
        run += [f"## {where}", table(getattr(manifest, name), "accepted", accepted)]
    pages = {"reference/recipe.md": recipe, "reference/manifest.md": run}
    return {path: "\n\n".join(blocks) + "\n" for path, blocks in pages.items()}


def table(cls: type, column: str, value) -> str:
    """A row for each field of a dataclass, which its docstring describes."""
    said = described(cls)
    rows = [
        f"| `{each.metadata.get('key') or each.name}` | {inline(said[each.name])} | {value(each)} |"
        for each in dataclasses.fields(cls)
    ]
    return "\n".join([f"| field | meaning | {column} |", "|---|---|---|", *rows])


def described(cls: type) -> dict[str, str]:
    """``{field: what it is}``, of the section "Attributes" of a docstring."""
    [body] = [
        body for title, body in SECTION.findall(inspect.getdoc(cls) + "\n") if title == "Attributes"
    ]
    entries = [entry.partition(":") for entry in re.split(r"\n(?=    \S)", body.strip("\n"))]
    return {name.strip(): " ".join(about.split()) for name, _, about in entries}


def default(each: dataclasses.Field) -> str:
    """The default of a recipe's field, as code."""
    if each.default is not dataclasses.MISSING:
        return f"`{shown(each.default)}`"
    return "" if each.default_factory is dataclasses.MISSING else f"`{each.default_factory()!r}`"


def accepted(each: dataclasses.Field) -> str:
    """What values a manifest's field takes."""
    kind = each.metadata["kind"]
    return kind.words.rstrip(",") if isinstance(kind, manifest.Kind) else "an object, below"
