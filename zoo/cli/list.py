"""``zoo list``: what there is, and what to type for it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from zoo.cli.options import json_option, runs_option
from zoo.config import recipe_files
from zoo.errors import ZooError
from zoo.plugin import registry
from zoo.plugin.about import about
from zoo.runs import folders, pretrained
from zoo.runs.manifest import Manifest
from zoo.runs.run import RESULTS, Run
from zoo.runtime.console import cut, figure, printable, sized

SECTIONS = {
    "models": 'in a recipe: zoo.model("NAME")',
    "datasets": 'in a recipe: zoo.dataset("NAME")',
    "metrics": 'in a recipe: zoo.metric("NAME")',
    "features": 'in a recipe, for a metric: zoo.feature_space("NAME")',
    "recipes": "zoo run NAME",
    "pretrained": "zoo sample NAME",
    "runs": "zoo show NAME",
}
"""``{section: what its names are for}``"""

MOST_RUNS = 10  # of all sections together; `zoo list runs` has no limit


@click.command("list")
@click.argument("section", required=False, type=click.Choice(list(SECTIONS)))
@click.option(
    "--broken", is_flag=True, help="Import all plugins, and list those that fail, with the reason."
)
@click.option(
    "--timeout",
    default=60,
    show_default=True,
    type=click.IntRange(1),
    metavar="SECONDS",
    help="With --broken: how long an import may take.",
)
@runs_option
@json_option
def command(
    section: str | None, broken: bool, timeout: int, runs_folder: str | None, as_json: bool
) -> None:
    """List models, datasets, metrics, feature spaces, recipes, pretrained models and runs.

    Nothing is imported to list it, except by --broken, and then in child processes. NAME is
    what to type; a name that two plugins claim is typed with its distribution: "my-zoo/vae".
    """
    if broken:
        return _broken(section, timeout, as_json)
    listed = {name: _rows(name, runs_folder) for name in ([section] if section else SECTIONS)}
    if as_json:
        click.echo(json.dumps(listed, indent=2))
        return
    blocks = [_block(name, rows, whole=section is not None) for name, rows in listed.items()]
    click.echo("\n\n".join(blocks))


def _broken(section: str | None, timeout: int, as_json: bool) -> None:
    from zoo.plugin import probe

    if section is not None and section not in registry.GROUPS:
        raise click.UsageError(f"--broken is of {', '.join(registry.GROUPS)}, not of {section}")
    rows = probe.broken([section] if section else registry.GROUPS, timeout)
    if as_json:
        click.echo(json.dumps({"broken": rows}, indent=2))
    elif rows:
        cells = [
            [row["type"], f"{row['distribution']} {row['version']}", row["why"]] for row in rows
        ]
        click.echo("\n".join(["Broken", *(f"  {line}" for line in _table(cells))]))
    else:
        click.echo("All plugins import.")


def _rows(section: str, runs_folder: str | None) -> list[dict[str, Any]]:
    """What a section holds, as plain data; ``type`` is the name to type."""
    if section == "recipes":
        return [
            {"type": name, "about": recipe_files.about(path), "path": str(path)}
            for name, path in sorted(
                recipe_files.shipped().items(), key=lambda item: registry.natural(item[0])
            )
        ]
    if section == "runs":
        root = folders.root(runs_folder)
        return [_run(run, described) for run, described in folders.described_runs(root)]
    if section == "pretrained":
        return [_pack(pack) for pack in pretrained.packs()]
    return [
        {"type": record.typed, "about": about(record.target), **dataclasses.asdict(record)}
        for record in registry.records(section)
    ]


def _run(run: Run, described: Manifest | ZooError) -> dict[str, Any]:
    row: dict[str, Any] = {"type": run.name, "path": str(run.path), "status": "unreadable"}
    if isinstance(described, ZooError):
        return {
            **row,
            **dict.fromkeys(("epoch", "epochs", "backend", "data", "created")),
            "figure": "",
        }
    return {
        **row,
        "status": run.status_of(described),
        "epoch": described.epoch,
        "epochs": described.epochs,
        "backend": described.backend,
        "data": described.data.name,
        "created": described.created,
        "figure": _figure(run),
    }


def _pack(pack: pretrained.Pretrained) -> dict[str, Any]:
    """A pretrained model: its size on disk, its data, and the first of its figures."""
    row: dict[str, Any] = {
        "type": pack.typed,
        "distribution": pack.distribution,
        "version": pack.version,
        "path": str(pack.path),
        "bytes": sum(file.stat().st_size for file in pack.path.iterdir()),
        "data": "unreadable",
        "figure": "",
    }
    run = Run(pack.path)
    try:
        row["data"] = run.manifest.data.name
        row["figure"] = _figure(run)
    except ZooError:
        pass
    return row


def _figure(run: Run) -> str:
    """The first number that was measured of a run, with its name and unit; "" without one."""
    try:
        ended = run.has_ended(run.manifest)
        metrics = run.read_json(RESULTS).get("metrics") if ended else {}
    except (ZooError, AttributeError):
        return ""
    for name, found in (metrics if isinstance(metrics, dict) else {}).items():
        value = found.get("value") if isinstance(found, dict) else None
        if isinstance(value, (int, float)):
            judge = found.get("judge_sha256")
            by = f" by judge {judge[:8]}" if isinstance(judge, str) else ""
            return printable(f"{name} {figure(found, 4)}{by}")
    return ""


def _age(created: str | None) -> str:
    """How long ago a time was, ISO 8601: ``"5 min ago"``; "" for none that can be read."""
    try:
        then = datetime.fromisoformat(created or "")
        minutes = (datetime.now(UTC) - then).total_seconds() / 60
    except (ValueError, TypeError):
        return ""
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size:.0f} {unit} ago"
    return f"{max(minutes, 0):.0f} min ago"


def _block(section: str, rows: list[dict[str, Any]], whole: bool) -> str:
    """One section for people: a heading, then its table."""
    shown = rows if whole else rows[:MOST_RUNS] if section == "runs" else rows
    heading = f"{section.capitalize()} ({SECTIONS[section]})"
    lines = _table([_cells(section, row) for row in shown]) or ["none"]
    if len(shown) < len(rows):
        lines.append(f"and {len(rows) - len(shown)} older: zoo list runs")
    return "\n".join([heading, *(f"  {line}" for line in lines)])


def _cells(section: str, row: dict[str, Any]) -> list[str]:
    if section == "recipes":
        return [row["type"], row["about"]]
    if section == "pretrained":
        return [row["type"], sized(row["bytes"]), row["data"], row["figure"]]
    if section == "runs":
        done = "" if row["epoch"] is None else f"{row['epoch']}/{row['epochs']} epochs"
        cells = (row["figure"], _age(row["created"]), row["status"], done, row["data"])
        return [row["type"], *(str(cell or "") for cell in (*cells, row["backend"]))]
    rivals = f" (also claimed by {', '.join(row['rivals'])})" if row["rivals"] else ""
    foreign = row["distribution"] != registry.OWN or rivals
    source = f"from {row['distribution']} {row['version']}{rivals}" if foreign else ""
    return [row["type"], "  ".join(filter(None, (row["about"], source)))]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligned columns; on a terminal cut behind a word at its edge, elsewhere whole."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [cut(line, margin=2) for line in lines]
