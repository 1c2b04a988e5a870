"""``zoo compare``: runs in one table; recipes without a run are trained if that is asked for."""

from __future__ import annotations

import fnmatch
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.options import (
    backend_option,
    data_dir_option,
    device_option,
    full_option,
    json_option,
    runs_option,
)
from zoo.errors import RunFailed, ZooError
from zoo.runs import folders, locks
from zoo.runs.run import Run
from zoo.runtime.console import counted, say

if TYPE_CHECKING:
    from zoo.reports.entry import Entry

FORMATS = ("text", "markdown", "csv", "json", "html")

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How the table is printed; html is one page that needs no other file.",
)

metrics_option = click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="Show this metric, and measure it where it was not and can be; NAME.DETAIL shows a "
    "detail of it. As often as you like. Default: all that any of the runs has.",
)

sort_option = click.option(
    "--sort",
    metavar="COLUMN",
    help="Sort the rows by a metric, the best first; or by a detail of one, a setting, seconds or "
    "parameters, the smallest first.",
)


@click.command("compare", epilog=folders.RULE)
@click.argument("names", nargs=-1, required=True, metavar="RECIPE|RUN|KEY=VALUE...")
@metrics_option
@sort_option
@click.option("--train", is_flag=True, help="Train the recipes that have no finished run.")
@full_option
@backend_option
@device_option
@runs_option
@data_dir_option
@click.option("--strict-data", is_flag=True, help="Refuse to train on data that stand in.")
@format_option
@json_option
def command(
    names: tuple[str, ...],
    metrics: tuple[str, ...],
    sort: str | None,
    train: bool,
    full: bool,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
    strict_data: bool,
    form: str,
    as_json: bool,
) -> int:
    """Print one table of runs: the settings in which they differ, and what was measured.

    Runs that differ in their seed alone are one row, with mean and standard deviation. What
    different protocols measured stands in different columns; what was not measured is "-". A run
    that cannot be read is left out, and the exit status is then 1, as where measuring failed.

    RUN may be a pattern, for all finished runs that fit. A recipe stands for its newest finished
    run. One that has none, one given by its file, and all recipes where KEY=VALUE changes them,
    are trained with --train, each in a process of its own; without it, the command says how long
    that would take.

    \b
      zoo compare "vae_mnist/*"
      zoo compare "vae_mnist/*" --sort elbo --format html > table.html
      zoo compare vae_mnist dcgan_mnist --metric recognition
      zoo compare ae_mnist vae_mnist gan_mnist --train
      zoo compare vae_mnist gan_mnist epochs=1 dataset.limit=5000 --train
      zoo compare latest vae_mnist/20261121T101500Z-3f2a --json
    """
    from zoo.runtime.processes import answer

    changes = [name for name in names if "=" in name and not os.path.exists(name)]
    root = folders.root(runs_folder)
    wanted = [
        thing
        for name in names
        if name not in changes
        for thing in _meant(name, root, bool(changes))
    ]
    if not wanted:
        raise ZooError("name recipes or runs to compare, as in zoo compare vae_mnist gan_mnist")
    if changes and not any(isinstance(thing, Path) for thing in wanted):
        raise ZooError(f"{' '.join(changes)} changes recipes, and there are only runs to compare")
    needed = needed_by(metrics)
    options = [
        *given("--backend", backend),
        *given("--device", device),
        *given("--runs", runs_folder),
        *given("--data-dir", data_dir),
        *(["--full"] if full else []),
    ]
    to_train = [*changes, *options, *(["--strict-data"] if strict_data else [])]
    recipes = [thing for thing in wanted if isinstance(thing, Path)]
    if recipes and not train:
        raise _plan(recipes, to_train)
    runs = []
    for thing in wanted:
        if isinstance(thing, Path):
            args = ["run", str(thing), *to_train]
            run = Run(Path(answer(args, failed=f"training {thing.stem} failed")["path"]))
        else:
            run = thing
        runs.append(run)
    found, whole = entries(runs, needed, options)
    form = "json" if as_json else form
    click.echo(told(found, metrics, sort, form) if recipes else table(found, metrics, sort, form))
    return 0 if whole else RunFailed.exit_code


def entries(
    runs: Sequence[Run], needed: Mapping[str, Sequence[str]], options: Sequence[str]
) -> tuple[list[Entry], bool]:
    """What runs tell, with what is needed, was not measured of them before and can be now.

    A run that cannot be read is left out, and one that cannot be measured stands without: neither
    costs the others their table.

    Args:
        runs: the runs.
        needed: as ``needed_by`` returns it.
        options: of ``zoo evaluate``; with ``--full`` among them shortened figures are measured
            again.

    Returns:
        The entries, and whether all runs could be read and measured.

    Raises:
        ZooError: none of the runs can be read.
    """
    from zoo.reports.entry import read

    found: list[Entry] = []
    failed: list[ZooError] = []
    for run in runs:
        try:
            entry = read(run)
        except ZooError as error:
            failed.append(error)
            say(f"left out: {error}")
            continue
        try:
            more = _measured(run, _missing(entry, needed, "--full" in options), options)
        except ZooError as error:
            failed.append(error)
            say(str(error))
            more = {}
        found.append(replace(entry, metrics={**entry.metrics, **more}))
    if not found:
        raise ZooError("no run is left to compare")
    return found, not failed


def _measured(run: Run, missing: Sequence[str], options: Sequence[str]) -> Mapping[str, Any]:
    """Measure a run by the metrics that are missing, in a process of its own."""
    from zoo.runs import results
    from zoo.runtime.processes import answer

    if not missing:
        return {}
    say(f"measuring {', '.join(missing)} of {run.name}")
    args = ["evaluate", str(run.path.absolute()), *options]
    args += ["--recipe", str(run.recipe)] if _own(run) else []
    for metric in missing:
        args += ["--metric", metric]
    with tempfile.TemporaryDirectory() as aside:
        # a pack may be in an installed package, which is not written to
        args += ["--out", f"{aside}/measured.json"] if run.manifest.pack else []
        told = answer(args, failed=f"measuring {run.name} failed")
        return results.measured_of(told, f"what was measured of {run.name}")


def told(found: Sequence[Entry], metrics: Sequence[str], sort: str | None, form: str) -> str:
    """As ``table``, of runs that were just trained: a mistake in its options costs no table."""
    try:
        return table(found, metrics, sort, form)
    except ZooError as error:
        say(str(error))
        return table(found, (), None, form)


def table(found: Sequence[Entry], metrics: Sequence[str], sort: str | None, form: str) -> str:
    """The table of some runs in one of ``FORMATS``; see ``zoo.reports.comparison.compare``."""
    from zoo.reports import comparison, html_table, tables

    compared = comparison.compare_entries(found, metrics, sort)
    comparison.refuse_unmeasured(compared, metrics)
    formats: dict[str, Callable[[], str]] = {
        "text": lambda: tables.text(compared, sys.stdout),
        "markdown": lambda: tables.markdown(compared),
        "csv": lambda: tables.comma_separated(compared),
        "json": lambda: tables.json(compared),
        "html": lambda: html_table.page(compared),
    }
    return formats[form]()


def _meant(name: str, root: Path, changed: bool) -> Sequence[Path | Run]:
    """The runs that a name or pattern means, else a recipe's file, which alone is changed."""
    from zoo.config import recipe_files

    if Path(name).name == locks.FILE and Path(name).is_file():
        return []  # a sweep's, where the shell names all that a recipe's folder has
    if any(sign in name for sign in "*?[") and not Path(name).exists():
        return fitting(name, root)
    try:
        if not changed and not Path(name).is_file():
            return [folders.find(name, root, say)]
    except ZooError as error:
        no_run: ZooError | None = error
    else:
        no_run = None
    try:
        return [recipe_files.find(name)]
    except ZooError as no_recipe:
        if no_run is None:
            return [folders.find(name, root, say)]
        raise ZooError(f"{name!r} is no recipe and no run: {no_recipe} {no_run}") from None


def fitting(pattern: str, root: Path) -> list[Run]:
    """The finished runs whose names fit a pattern, and those that cannot be read.

    A line on stderr says how many do not count.
    """
    found = [
        (run, described)
        for run, described in folders.described_runs(root)
        if fnmatch.fnmatchcase(run.name, pattern)
    ]
    finished = [
        run
        for run, described in found
        if isinstance(described, ZooError) or described.status == "finished"
    ]
    if not finished:
        raise ZooError(
            f"no finished run in {root} fits {pattern!r}; zoo list runs names them, and a pattern "
            'is of whole names: "vae_mnist/*"'
        )
    if others := len(found) - len(finished):
        say(f"{pattern}: {counted(others, 'run')} left out that did not finish")
    return finished


def _plan(recipes: list[Path], options: list[str]) -> ZooError:
    """What would be trained, and how long it would take here: a dry run of each times it."""
    from zoo.runtime.processes import answer

    lines = []
    for path in recipes:
        say(f"timing {path.stem}")
        args = ["run", str(path), *options, "--dry-run"]
        described = answer(args, failed=f"a dry run of {path.stem} failed")["described"]
        lines.append(f"  {path.stem}: {described[-1].removeprefix('time').strip()}")
    return ZooError("\n".join(["nothing was trained. With --train, this command trains:", *lines]))


def needed_by(metrics) -> dict[str, tuple[str, ...]]:
    """Abilities that each metric needs, by its name without a detail's."""
    from zoo.plugin import registry
    from zoo.runtime.quiet import held_back

    with held_back():
        names = dict.fromkeys(name.partition(".")[0] for name in metrics)
        return {name: registry.load("metrics", name).needs for name in names}


def _missing(entry: Entry, needed: Mapping[str, Sequence[str]], full: bool) -> list[str]:
    """The metrics to be measured of a run: those needed that it has not and its model is able to.

    Where whole protocols are asked for, what was shortened counts as missing; with no metric
    needed, that of each.
    """
    from zoo.plugin import registry

    short = [name for name, found in entry.metrics.items() if full and found.get("shortened")]
    if not needed:
        known = {record.typed for record in registry.records("metrics")} if short else ()
        return [name for name in short if name in known]  # a recipe's own need its code
    able = set(entry.abilities)
    return [
        name
        for name, needs in needed.items()
        if (name not in entry.metrics or name in short) and able >= set(needs)
    ]


def _own(run) -> bool:
    """Whether the run's model or data are its recipe's own, so that its code is needed."""
    manifest = run.manifest
    return run.needs_recipe(manifest) or bool(manifest.dataset.code)


def given(option: str, value: str | None) -> list[str]:
    """An option and its value for a command; nothing where there is no value."""
    return [] if value is None else [option, value]
