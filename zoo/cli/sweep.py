"""``zoo sweep``: a recipe with many settings, seeds and backends, and the table of all runs."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.cli.compare import format_option, given, metrics_option, sort_option
from zoo.cli.options import (
    data_dir_option,
    device_option,
    full_option,
    json_option,
    runs_option,
)
from zoo.errors import RunFailed, ZooError
from zoo.runs import folders
from zoo.runtime.console import counted, fitted, lasting, say

if TYPE_CHECKING:
    from zoo.runs.sought import Found, Sought
    from zoo.training.attempts import Cell, Sweep
    from zoo.training.sweep import Place

LISTED = 20  # runs that a plan lists


@click.command("sweep")
@click.argument("recipe")
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE,VALUE...]...")
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Train each with the seeds 0 to N - 1. Default: the recipe's own seed.",
)
@click.option(
    "--backends",
    metavar="NAME,NAME",
    help="Train each on these. Default: on one, chosen as by zoo run.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Train so many at a time. Default: 1; with --on ray, as many as there is room for.",
)
@click.option(
    "--on",
    "where",
    type=click.Choice(["here", "ray"]),
    default="here",
    show_default=True,
    help="Train on this machine, or as tasks of Ray.",
)
@click.option(
    "--address",
    metavar="ADDRESS",
    help="Of a Ray cluster, such as auto. Default: Ray is started here.",
)
@device_option
@runs_option
@data_dir_option
@click.option("--strict-data", is_flag=True, help="Refuse to train on data that stand in.")
@full_option
@metrics_option
@sort_option
@format_option
@click.option("--dry-run", is_flag=True, help="Say which runs, and how long; train none.")
@json_option
def command(
    recipe: str,
    changes: tuple[str, ...],
    seeds: int | None,
    backends: str | None,
    jobs: int | None,
    where: str,
    address: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
    strict_data: bool,
    full: bool,
    metrics: tuple[str, ...],
    sort: str | None,
    form: str,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Train RECIPE with all combinations of some values, and print one table of the runs.

    Commas part values; a tuple is in brackets, and a text with a comma in quotes. The same
    command again goes on where it was stopped, however that was: runs that are finished are
    found by recipe, settings, seed and backend, those that are not are continued. A run that
    fails is passed over.

    \b
      zoo sweep vae_mnist model.latent_dim=2,8,32 --seeds 3
      zoo sweep vae_mnist "model.units=(256,128),(512,)" epochs=5 --jobs 2
      zoo sweep gan_mnist optimizers.generator.learning_rate=1e-4,3e-4 --dry-run
      zoo sweep vae_mnist --seeds 5 --backends jax,torch --metric elbo
    """
    from zoo.cli import compare
    from zoo.config import grids, recipe_files, tried
    from zoo.runs import locks
    from zoo.runtime.waiting import waiting
    from zoo.training.attempts import Sweep

    if address and where != "ray":
        raise click.UsageError("--address is of a Ray cluster: add --on ray")
    if where == "ray":
        from zoo.training import on_ray

        on_ray.imported()
    path = recipe_files.find(recipe).resolve()
    if dry_run and as_json:
        raise click.UsageError("--dry-run describes in words: leave --json out")
    cells = _cells(grids.combinations(_seeded(changes, seeds)), backends, path, device)
    data_dir = data_dir or os.environ.get("ZOO_DATA")
    root = folders.root(runs_folder).absolute()
    measuring = [
        *("--runs", str(root)),
        *given("--device", device),
        *given("--data-dir", data_dir and str(Path(data_dir).expanduser().absolute())),
        *(["--full"] if full else []),
    ]
    options = [*measuring, *(["--strict-data"] if strict_data else [])]
    sweep = Sweep(path, _source(path), root, tuple(options), device, strict_data)
    needed = compare.needed_by(metrics)
    sought = sweep.sought()
    new = [cell for cell in cells if sought.find(cell.changes, cell.backend) is None]
    if new:
        with waiting(f"checking the settings of {counted(len(new), 'run')}"):
            tried.refuse(path, new[0].backend, [cell.changes for cell in new])
    if dry_run:
        click.echo(fitted(_plan(sweep, sought, cells, jobs or 1)))
        return 0
    with locks.awaited(root / path.stem, say, f"another sweep of {path.stem}") as lock:
        sought.refresh()
        status = _trained(sweep, sought, cells, _Where(where, jobs, address, device, lock))
    sought.refresh()
    found = [sought.find(cell.changes, cell.backend) for cell in cells]
    runs = [each.run for each in found if each is not None and each.finished]
    if status < 128 and runs:  # else a signal has ended it
        entries, whole = compare.entries(runs, needed, measuring)
        click.echo(compare.told(entries, metrics, sort, "json" if as_json else form))
        status = status or (0 if whole else RunFailed.exit_code)
    return status


@dataclass(frozen=True)
class _Where:
    """Where runs are trained, as the options say."""

    name: str
    jobs: int | None
    address: str | None
    device: str | None
    lock: int

    def place(self, sweep: Sweep) -> Place:
        """The place, ready to begin."""
        if self.name == "ray":
            from zoo.training.on_ray import OnRay

            return OnRay(sweep, self.jobs, self.address, cpu=self.device == "cpu")
        from zoo.runtime import backends
        from zoo.training.here import Here

        gpus = 0 if self.device else backends.gpus()
        return Here(sweep, self.jobs or 1, gpus, (self.lock,))


def _seeded(changes: Sequence[str], seeds: int | None) -> list[str]:
    if seeds is None:
        return list(changes)
    if any(change.partition("=")[0] == "seed" for change in changes):
        raise ZooError("seed=... and --seeds both give seeds: leave one out")
    return [*changes, f"seed={','.join(map(str, range(seeds)))}"]


def _cells(
    combinations: Sequence[tuple[str, ...]], backends: str | None, path: Path, device: str | None
) -> list[Cell]:
    from zoo.runtime.backends import choose
    from zoo.training.attempts import Cell

    names = [name.strip() for name in backends.split(",")] if backends else [None]
    chosen = dict.fromkeys(choose(name, path, device).backend for name in names)
    return [Cell(changes, backend) for changes in combinations for backend in chosen]


def _source(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ZooError(f"cannot read the recipe {path}: {error.strerror or error}") from error


def _trained(sweep: Sweep, sought: Sought, cells: Sequence[Cell], where: _Where) -> int:
    """Train what is not finished, and return the exit status."""
    from zoo.reports.sweeping import Progress
    from zoo.runtime import leash
    from zoo.training.signals import Interruption
    from zoo.training.sweep import carry_out

    todo = [cell for cell in cells if not _is_finished(sought.find(cell.changes, cell.backend))]
    done = len(cells) - len(todo)
    say(f"{counted(len(cells), 'run')} of {sweep.recipe.stem} in {sweep.root}: {done} finished")
    if not todo:
        return 0

    def place(cell: Cell) -> str:
        sought.refresh()
        found = sought.find(cell.changes, cell.backend)
        return f"epoch {found.manifest.epoch}/{found.manifest.epochs}" if found else ""

    at_once = where.jobs or (1 if where.name == "here" else len(todo))
    ready = where.place(sweep)
    progress = Progress(_labels(cells, todo), done, at_once, place)
    try:
        with Interruption(progress.say, "the present step of each run") as interruption:
            outcomes = carry_out(todo, ready, progress, interruption)
    finally:
        progress.close()
    finished = done + sum(not outcome for outcome in outcomes.values())
    failed = [cell for cell, outcome in outcomes.items() if outcome]
    say(f"{finished} of {counted(len(cells), 'run')} finished")
    if interruption.asked or any(outcomes[cell] == leash.STOPPED for cell in failed):
        say("the same command goes on with the others")
    elif failed:
        say("the same command tries the others again")
    if interruption.asked:
        return 128 + (interruption.number or signal.SIGINT)
    return RunFailed.exit_code if failed else 0


def _is_finished(found: Found | None) -> bool:
    return found is not None and found.finished


def _labels(cells: Sequence[Cell], shown: Sequence[Cell]) -> dict[Cell, str]:
    """What to call each of some cells: the settings in which all of them differ."""
    from zoo.reports import differences

    settings = [dict(change.split("=", 1) for change in cell.changes) for cell in cells]
    differ = differences.differing([settings])
    short = differences.short(differ)
    several = len({cell.backend for cell in cells}) > 1
    found = {}
    for cell, values in zip(cells, settings, strict=True):
        parts = [f"{short[key]}={values[key]}" for key in differ]
        found[cell] = " ".join([*parts, *([cell.backend] if several or not parts else [])])
    return {cell: found[cell] for cell in shown}


def _plan(sweep: Sweep, sought: Sought, cells: Sequence[Cell], jobs: int) -> str:
    """Which runs there are and would be, and how long that takes, by timing one per backend."""
    from zoo.runtime.processes import answer

    lines, todo = [], []
    labels = _labels(cells, cells)
    for cell in cells:
        found = sought.find(cell.changes, cell.backend)
        state = f"{found.run.name}, {found.run.status_of(found.manifest)}" if found else "new"
        lines.append(f"  {labels[cell]}  {state}")
        todo += [] if _is_finished(found) else [cell]
    if len(lines) > LISTED:
        lines[LISTED:] = [f"  and {len(lines) - LISTED} more"]
    counts = f"{counted(len(cells), 'run')} of {sweep.recipe.stem}: {len(todo)} to train"
    lines = [f"{counts}, {jobs} at a time" if jobs > 1 else counts, *lines]
    total = 0.0
    for backend, count in Counter(cell.backend for cell in todo).items():
        first = next(cell for cell in todo if cell.backend == backend)
        say(f"timing {labels[first]} on {backend}")
        options = [option for option in sweep.options if option != "--full"]
        args = ["run", str(sweep.recipe), *first.changes, "--backend", backend, *options]
        described = answer([*args, "--dry-run"], failed="a dry run failed")
        total += count * described["seconds"]
        each = lasting(described["seconds"])
        lines.append(f"about {each} on {backend} for {labels[first]}")
    if todo:
        lines.append(
            f"in all about {lasting(total / jobs)}, if the others take as long; without starting, "
            "pictures and metrics"
        )
    return "\n".join(lines)
