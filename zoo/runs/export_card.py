"""The card beside an exported file: how to use it, what goes in and comes out, where it is from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo.runs.card import cell
from zoo.runs.formats import Format, opening

if TYPE_CHECKING:
    from zoo.runs.export import Exported

_DRAWN = {
    "normal": 'rng.normal(size={shape}).astype("float32")',
    "uniform": 'rng.random({shape}, "float32")',
}


def card(made: Exported, form: Format, about: Mapping[str, Any]) -> str:
    """The text of the card.

    Args:
        made: the file.
        form: its format.
        about: what the file says of itself.
    """
    return "\n".join(
        [
            f"# {cell(made.path.name)}",
            "",
            f"{cell(about['title'])}; {form.title}.",
            "",
            "```python",
            use(made, form, about),
            "```",
            "",
            "| | name | type | shape | what |",
            "|---|---|---|---|---|",
            *(_row("input", value) for value in about["inputs"]),
            *(_row("output", value) for value in about["outputs"]),
            "",
            "| | |",
            "|---|---|",
            *(f"| {name} | {cell(value)} |" for name, value in _facts(made, about)),
            "",
        ]
    )


def use(made: Exported, form: Format, about: Mapping[str, Any]) -> str:
    """Lines of the runtime's own code that open the file and run it on four rows."""
    inputs = [f"    {json.dumps(v['name'])}: {_drawn(v, 4)}," for v in about["inputs"]]
    return "\n".join(
        [
            "import numpy as np",
            opening(form, made.path.name, about),
            "",
            "rng = np.random.default_rng(0)",
            "inputs = {",
            *inputs,
            "}",
            form.calling,
            *(f"{v['name']} = outputs[{json.dumps(v['name'])}]" for v in about["outputs"]),
        ]
    )


def _drawn(value: Mapping[str, Any], n: int) -> str:
    if isinstance(value["draw"], int):
        return f'np.arange({n}, dtype="int32") % {value["draw"]}'
    return _DRAWN[value["draw"]].format(shape=(n, *value["shape"]))


def _row(kind: str, value: Mapping[str, Any]) -> str:
    shape = ", ".join(["n", *map(str, value["shape"])])
    return f"| {kind} | `{value['name']}` | {value['dtype']} | ({shape}) | {cell(value['says'])} |"


def _facts(made: Exported, about: Mapping[str, Any]):
    yield "made from", about["made_from"]
    yield "model", f"`{about['model']}`"
    for file, digest in about["weights_sha256"].items():
        yield f"SHA-256 of {file}", f"`{digest}`"
    yield "license of the weights", about["license"]
    yield "exported by", about["exported_by"]
    yield (
        "checked",
        f"by {made.runtime} against the model on {made.reference}, at 1, 3 and 7 rows: "
        f"largest difference {made.difference:.1e}",
    )
