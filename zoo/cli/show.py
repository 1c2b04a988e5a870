"""``zoo show``: all about one plugin, recipe or run."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from pathlib import Path
from typing import Any

import click

from zoo.cli.options import json_option, runs_option
from zoo.runs import folders, pretrained
from zoo.runs.run import RESULTS, Run
from zoo.runtime.console import fitted, printable, say


@click.command("show", epilog=folders.RULE)
@click.argument("name")
@runs_option
@json_option
def command(name: str, runs_folder: str | None, as_json: bool) -> None:
    """Describe NAME: a model, dataset, metric, feature space, recipe, pretrained model or run.

    Where NAME is a recipe's, the run that it means is shown above the recipe.

    \b
      zoo show vae            its settings, players and abilities
      zoo show vae_mnist      the pretrained model, then the recipe
      zoo show latest         the numbers and files of the newest run
    """
    from zoo.config import recipe_files
    from zoo.errors import ZooError, unknown
    from zoo.plugin import registry

    for kind in registry.GROUPS:
        if any(name in (r.name, r.full_name) for r in registry.records(kind)):
            described, lines = _plugin(kind, name)
            return _print(described, fitted(lines), as_json)
    if name.endswith(".py"):
        return _print(*_recipe(recipe_files.find(name)), as_json)
    path, root = recipe_files.shipped().get(name), folders.root(runs_folder)
    try:
        value, lines = _run(folders.find(name, root, say))
        lines = fitted(lines)
        if path:
            recipe, text = _recipe(path)
            value, lines = {**recipe, "run": value}, f"{lines}\n\n{text}"
        return _print(value, lines, as_json)
    except ZooError:
        if path:
            return _print(*_recipe(path), as_json)
        # the message of a run is the right one where the name looks like a run's
        if name == "latest" or Path(name).is_dir() or _begins_a_run(name, root):
            raise
    known = [record.typed for kind in registry.GROUPS for record in registry.records(kind)]
    known += [pack.typed for pack in pretrained.packs()]
    raise unknown("name", name, [*known, *recipe_files.shipped(), "latest"])


def _begins_a_run(name: str, root: Path) -> bool:
    return (
        "/" in name
        or ":" in name
        or any(
            run.name.startswith(name) or run.id.startswith(name) for run in folders.all_runs(root)
        )
    )


def _recipe(path: Path) -> tuple[dict[str, Any], str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    return {"recipe": str(path), "source": text}, f"{path}\n\n{text}"


def _print(value: Any, text: str, as_json: bool) -> None:
    click.echo(json.dumps(value, indent=2, default=str) if as_json else text.rstrip())


def _plugin(kind: str, name: str) -> tuple[dict, str]:
    from zoo.plugin import registry, views
    from zoo.runtime.quiet import held_back

    record = registry.find(kind, name)
    with held_back():
        cls = registry.load(kind, name)
    settings = _settings(cls)
    required = [setting for setting, described in settings.items() if described["required"]]
    value: dict[str, Any] = {
        **dataclasses.asdict(record),
        "about": inspect.getdoc(cls),
        "settings": settings,
    }
    what, _, attributes = (inspect.getdoc(cls) or "").partition("\nAttributes:\n")
    lines = [f"{record.typed}  {record.distribution} {record.version}  {record.target}"]
    lines += ["", *_paragraphs(what)]
    if kind == "models" and not required:
        model = registry.create(kind, name)
        value["players"] = {player: list(names) for player, names in model.players().items()}
        value["abilities"] = [ability for ability in model.abilities if model.can(ability)]
        lines += ["", f"Can {', '.join(value['abilities'])}", "", "Players"]
        lines += [f"  {p} trains {', '.join(names)}" for p, names in value["players"].items()]
        value["views"] = {name: view.about for name, view in views.of(model).items()}
        lines += ["", "Views", *views.lines(value["views"])] if value["views"] else []
    described = _described(attributes)
    lines += ["", "Settings"] if settings else []
    for setting, own in settings.items():
        default = "" if own["required"] else f"={own['default']!r}"
        lines.append(f"  {setting}{default}  ({own['type']})")
        lines += [f"    {described[setting]}"] if setting in described else []
    return value, "\n".join(lines)


def _paragraphs(text: str) -> list[str]:
    """A docstring in lines, a paragraph of plain text in one, so that it can be fitted."""
    blocks = text.strip().split("\n\n")
    joined = [b if re.search(r"\n\s", b) else b.replace("\n", " ") for b in blocks]
    return "\n\n".join(joined).replace("``", "").split("\n")


def _described(attributes: str) -> dict[str, str]:
    """``{setting: what it is}``, of the section "Attributes" of a docstring."""
    found = re.findall(r"^    (\w+): (.*(?:\n      .*)*)", attributes, re.M)
    return {name: " ".join(text.split()).replace("``", "") for name, text in found}


def _settings(cls: type) -> dict[str, dict[str, Any]]:
    """``{setting: its type in words, its default, whether it has to be given}``."""
    from zoo.plugin.settings import describe

    settings = {}
    for field in dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ():
        default: Any = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        required = default is dataclasses.MISSING
        settings[field.name] = {
            "type": field.type if isinstance(field.type, str) else describe(field.type),
            "default": None if required else default,
            "required": required,
        }
    return settings


def _run(run: Run) -> tuple[dict[str, Any], str]:
    from zoo.plugin.serialization import call_text
    from zoo.reports import summary

    manifest = run.manifest
    status = "pack" if manifest.pack else run.status_of(manifest)
    finished = run.has_ended(manifest)
    value = {**manifest.json(), "status": status, "path": str(run.path)}
    if finished:
        value["results"] = run.read_json(RESULTS)
    data = manifest.data.name
    lines = [folders.title(run)]
    lines[0] += f"  {status}  epoch {manifest.epoch} of {manifest.epochs}"
    lines.append(printable(f"  {manifest.model.title} on {data}, in {run.path}"))
    lines += ["", *summary.figures(run)] if finished else []
    lines += ["", "Settings", f"  {manifest.backend} on {manifest.device}, seed {manifest.seed}"]
    if manifest.devices > 1:
        lines[-1] += f", {manifest.devices} devices together"
        if manifest.batch_norm == "per-device":
            lines[-1] += ", batch normalization per device"
    if manifest.machine:
        lines[-1] += f", {manifest.machine}"
    for part, described in (("model", manifest.model), ("dataset", manifest.dataset)):
        made = call_text(described.name or described.cls, described.settings)
        lines.append(printable(f"  {part} {made}"))
    if manifest.views:
        lines.append(f"  views {', '.join(map(printable, manifest.views))} (zoo view RUN NAME)")
    return value, "\n".join([*lines, *(["", summary.next_command(run)] if finished else [])])
