"""``zoo compare``: runs in one table; recipes without a run are trained if that is asked for."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import click

from zoo.cli.options import (
    backend_option,
    data_dir_option,
    device_option,
    full_option,
    json_option,
    runs_option,
)
from zoo.errors import ZooError
from zoo.runs import folders
from zoo.runs.run import Run
from zoo.runtime import jsons
from zoo.runtime.console import fitted, say


@click.command("compare", epilog=folders.RULE)
@click.argument("names", nargs=-1, required=True, metavar="RECIPE|RUN|KEY=VALUE...")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="Measure this too, of every model that can be, as often as you like.",
)
@click.option("--train", is_flag=True, help="Train the recipes that have no finished run.")
@full_option
@backend_option
@device_option
@runs_option
@data_dir_option
@click.option("--strict-data", is_flag=True, help="Refuse to train on data that stand in.")
@json_option
def command(
    names: tuple[str, ...],
    metrics: tuple[str, ...],
    train: bool,
    full: bool,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
    strict_data: bool,
    as_json: bool,
) -> None:
    """Print one table of runs.

    A recipe stands for its newest finished run. One that has none, one given by its file, and all
    recipes where KEY=VALUE changes them, are trained with --train, each in a process of its own;
    without it, the command says how long that would take. What a run has not measured is
    shown as "-".

    \b
      zoo compare vae_mnist dcgan_mnist --metric recognition
      zoo compare ae_mnist vae_mnist gan_mnist --train
      zoo compare vae_mnist gan_mnist epochs=1 dataset.limit=5000 --train
      zoo compare latest vae_mnist/20261121T101500Z-3f2a --json
    """
    from zoo.reports import table
    from zoo.runtime.processes import answer

    changes = [name for name in names if "=" in name]
    root = folders.root(runs_folder)
    wanted = [_meant(name, root, bool(changes)) for name in names if "=" not in name]
    if not wanted:
        raise ZooError("name recipes or runs to compare, as in zoo compare vae_mnist gan_mnist")
    if changes and not any(isinstance(thing, Path) for thing in wanted):
        raise ZooError(f"{' '.join(changes)} changes recipes, and there are only runs to compare")
    needed = _needed(metrics)
    options = [
        *_given("--backend", backend),
        *_given("--device", device),
        *_given("--runs", runs_folder),
        *_given("--data-dir", data_dir),
        *(["--full"] if full else []),
    ]
    to_train = [*changes, *options, *(["--strict-data"] if strict_data else [])]
    recipes = [thing for thing in wanted if isinstance(thing, Path)]
    if recipes and not train:
        raise _plan(recipes, to_train)
    rows = []
    for thing in wanted:
        if isinstance(thing, Path):
            args = ["run", str(thing), *to_train]
            run = Run(Path(answer(args, failed=f"training {thing.stem} failed")["path"]))
        else:
            run = thing
        missing, measured = _missing(run, needed), {}
        if missing:
            say(f"measuring {', '.join(missing)} of {run.name}")
            args = ["evaluate", str(run.path.absolute()), *options]
            args += ["--recipe", str(run.recipe)] if _own(run) else []
            for metric in missing:
                args += ["--metric", metric]
            with tempfile.TemporaryDirectory() as aside:
                # a pack may be in an installed package, which is not written to
                args += ["--out", f"{aside}/measured.json"] if run.manifest.pack else []
                measured = answer(args, failed=f"measuring {run.name} failed")["metrics"]
        rows.append(table.row(run, measured))
    told = {"rows": [dataclasses.asdict(row) for row in rows]}
    click.echo(jsons.text(told) if as_json else fitted(table.table(rows)))


def _meant(name: str, root: Path, changed: bool) -> Path | Run:
    """The run that a name means, else a recipe's file; changes are made to recipes alone."""
    from zoo.config import recipe_files

    try:
        if not changed and not Path(name).is_file():
            return folders.find(name, root, say)
    except ZooError as error:
        no_run: ZooError | None = error
    else:
        no_run = None
    try:
        return recipe_files.find(name)
    except ZooError as no_recipe:
        if no_run is None:
            return folders.find(name, root, say)
        raise ZooError(f"{name!r} is no recipe and no run: {no_recipe} {no_run}") from None


def _plan(recipes: list[Path], options: list[str]) -> ZooError:
    """What would be trained, and how long it would take here: a dry run of each times it."""
    from zoo.runtime.processes import output

    lines = []
    for path in recipes:
        say(f"timing {path.stem}")
        args = ["run", str(path), *options, "--dry-run"]
        described = output(args, failed=f"a dry run of {path.stem} failed")
        lines.append(f"  {path.stem}: {described.splitlines()[-1].removeprefix('time').strip()}")
    return ZooError("\n".join(["nothing was trained. With --train, this command trains:", *lines]))


def _needed(metrics) -> dict[str, tuple[str, ...]]:
    """Abilities that each metric needs."""
    from zoo.plugin import registry
    from zoo.runtime.quiet import held_back

    with held_back():
        return {name: registry.load("metrics", name).needs for name in metrics}


def _missing(run, needed) -> list[str]:
    """The metrics that were not measured of a run and that its model can be measured by."""
    from zoo.runs import results

    able, measured = set(run.manifest.abilities), results.kept(run)
    return [name for name, needs in needed.items() if name not in measured and able >= set(needs)]


def _own(run) -> bool:
    """Whether the run's model or data are its recipe's own, so that its code is needed."""
    from zoo.runs.own_networks import need_recipe

    manifest = run.manifest
    return need_recipe(run, manifest) or bool(manifest.dataset.code)


def _given(option: str, value: str | None) -> list[str]:
    return [] if value is None else [option, value]
