"""The model card of a pack: what it is, its figures with their protocols, how it was made."""

from __future__ import annotations

from zoo.errors import ZooError
from zoo.plugin.serialization import call_text
from zoo.runs import results
from zoo.runs.manifest import Manifest
from zoo.runs.run import RESULTS, Run
from zoo.runtime.console import figure, printable


def card(pack: Run, parameters: int, repository: str = "") -> str:
    """The text of ``README.md``, a function of the pack alone.

    Args:
        pack: the pack, whole but for the card.
        parameters: numbers in its networks.
        repository: ``"owner/name"`` of the Hub, for the card there.
    """
    manifest, name = pack.manifest, repository or pack.id
    return "\n".join(
        [
            f"# {name}",
            "",
            f"`{manifest.model.title}` trained on {manifest.data.name}. It can: "
            f"{', '.join(manifest.abilities)}.",
            "",
            "```sh",
            *([f"zoo pull hf://{repository}"] if repository else []),
            f"zoo {use(manifest)} {name}",
            "```",
            "",
            "| | |",
            "|---|---|",
            *(f"| {name} | {cell(value)} |" for name, value in _facts(manifest, parameters)),
            "",
            *_figures(pack),
            "## How it was made",
            "",
            "```sh",
            command(manifest),
            "```",
            "",
            "Loading it runs no code from this folder.",
            "",
        ]
    )


def command(manifest: Manifest) -> str:
    """The command that trains it again."""
    return " ".join(["zoo run", printable(manifest.recipe), *map(_quoted, manifest.changes)])


def use(manifest: Manifest) -> str:
    """The command to try a model with."""
    return "sample" if "sample" in manifest.abilities else "show"


def _facts(manifest: Manifest, parameters: int):
    pack, data = manifest.pack, manifest.data
    shape = " x ".join(map(str, data.shape))
    if pack is None:
        raise ZooError("a card is of a pack")
    yield "model", _settings(manifest.model.title, manifest.model.settings)
    yield "parameters", f"{parameters:,}"
    yield "weights", f"{pack.dtype}, {_which(manifest)}"
    if pack.without:
        yield "without the weights of", ", ".join(map(printable, pack.without))
    yield "SHA-256 of the weights", f"`{manifest.sha256['weights.safetensors']}`"
    yield "license of the weights", pack.license or "not stated"
    yield "data", f"{data.name}, {shape}, {_counted(data.classes)}"
    yield "dataset", _settings(manifest.dataset.title, manifest.dataset.settings)
    yield "SHA-256 of the data", f"`{data.fingerprint}`"
    yield "examples", ", ".join(f"{count:,} {split}" for split, count in data.examples.items())
    if data.class_names:
        yield "classes", ", ".join(data.class_names)
    yield "seed", str(manifest.seed)
    yield "trained", f"{manifest.created[:10]}, {manifest.backend} on {manifest.device}"
    yield "versions", ", ".join(f"{name} {number}" for name, number in manifest.versions.items())


def _which(manifest: Manifest) -> str:
    best = manifest.pack is not None and manifest.pack.which == "best"
    averaged = "" if manifest.ema is None else f", moving averages with momentum {manifest.ema:g}"
    return f"{'the best epoch' if best else 'the end'}, epoch {manifest.epoch}{averaged}"


def _figures(pack: Run):
    """A table of all that was measured; each protocol is said below it."""
    if not (pack.path / RESULTS).exists():
        return
    measured = results.kept(pack)
    if not measured:
        return
    yield from ("## Figures", "", "| metric | value | protocol |", "|---|---|---|")
    for name, found in measured.items():
        yield f"| {cell(name)} | {cell(figure(found))} | {cell(found['protocol'])} |"
    yield ""


def _settings(name: str, settings) -> str:
    return f"`{call_text(name, settings)}`"


def _counted(classes: int) -> str:
    return f"{classes:,} classes" if classes else "no labels"


def _quoted(change: str) -> str:
    plain = all(c.isalnum() or c in "._=-+/" for c in change)
    return printable(change if plain else "'" + change.replace("'", "'\\''") + "'")


def cell(text: str) -> str:
    """Text of a run or pack as a cell of a table."""
    return printable(text).replace("|", "\\|")
