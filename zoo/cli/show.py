"""``zoo show``: all about one model, dataset, metric, recipe or run."""

from __future__ import annotations

import dataclasses
import inspect
import json
from typing import Any

import click

from zoo.cli.options import json_option, runs_option


@click.command("show")
@click.argument("name")
@runs_option
@json_option
def command(name: str, runs_folder: str | None, as_json: bool) -> None:
    """Describe NAME: a model, dataset, metric, recipe or run, or latest for the newest run.

    \b
      zoo show vae            its settings, players and abilities
      zoo show vae_mnist      the recipe
      zoo show latest         the numbers and files of the newest run
    """
    from pathlib import Path

    from zoo import recipe_files, registry, runs

    for kind in registry.GROUPS:
        if any(name in (r.name, r.full_name) for r in registry.records(kind)):
            return _print(*_plugin(kind, name), as_json)
    if name in recipe_files.shipped() or name.endswith(".py"):
        path = recipe_files.find(name)
        text = path.read_text(encoding="utf-8")
        return _print({"recipe": str(path), "source": text}, f"{path}\n\n{text}", as_json)
    root = runs.root(runs_folder)
    if name == "latest" or runs.all_runs(root) or Path(name).is_dir():
        try:
            return _print(*_run(runs.find(name, root)), as_json)
        except runs.ZooError:
            if name == "latest" or "/" in name or name[:1].isdigit():
                raise
    known = [record.typed for kind in registry.GROUPS for record in registry.records(kind)]
    raise runs.unknown("name", name, [*known, *recipe_files.shipped(), "latest"])


def _print(value: Any, text: str, as_json: bool) -> None:
    click.echo(json.dumps(value, indent=2, default=str) if as_json else text.rstrip())


def _plugin(kind: str, name: str) -> tuple[dict, str]:
    from zoo import registry
    from zoo.settings import describe

    record = registry.find(kind, name)
    cls = registry.load(kind, name)
    hints = inspect.get_annotations(cls, eval_str=False)
    settings = {}
    for field in dataclasses.fields(cls):
        default = None if field.default is dataclasses.MISSING else field.default
        kind_of = hints.get(field.name, field.type)
        settings[field.name] = {
            "type": kind_of if isinstance(kind_of, str) else describe(kind_of),
            "default": default,
        }
    value: dict[str, Any] = {
        **dataclasses.asdict(record),
        "about": inspect.getdoc(cls),
        "settings": settings,
    }
    lines = [f"{record.typed}  {record.distribution} {record.version}  {record.target}", ""]
    lines += [inspect.getdoc(cls) or "", "", "Settings"]
    lines += [f"  {n}={s['default']!r}  ({s['type']})" for n, s in settings.items()]
    if kind == "models":
        model = cls()
        value["players"] = {player: list(names) for player, names in model.players().items()}
        value["abilities"] = [ability for ability in model.abilities if model.can(ability)]
        lines += ["", "Players"]
        lines += [f"  {p} trains {', '.join(names)}" for p, names in value["players"].items()]
        lines += ["", f"Can {', '.join(value['abilities'])}"]
    return value, "\n".join(lines)


def _run(run) -> tuple[dict, str]:
    from zoo import summary

    manifest = run.manifest
    finished = (run.path / "results.json").exists()
    value = {**manifest, "path": str(run.path)}
    if finished:
        value["results"] = run.read_json("results.json")
    lines = [
        f"{run.name}  {manifest.get('status')}  "
        f"{manifest.get('epoch', 0)} of {manifest.get('epochs', '?')} epochs",
        f"  {manifest.get('backend')} on {manifest.get('device')}, seed {manifest.get('seed')}",
    ]
    for part in ("model", "dataset"):
        described = manifest.get(part)
        if described:
            settings = ", ".join(f"{k}={v!r}" for k, v in described["settings"].items())
            lines.append(f"  {part} {described['name'] or described['class']}({settings})")
    return value, "\n".join([*lines, summary.finished(run) if finished else f"  {run.path}"])
