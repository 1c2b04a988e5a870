"""``zoo compare``: recipes are trained, or runs taken, and shown in one table."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import click

from zoo.cli.options import backend_option, data_dir_option, device_option, json_option, runs_option
from zoo.runs import folders
from zoo.runs.run import Run
from zoo.runtime import jsons
from zoo.runtime.console import say


@click.command("compare", epilog=folders.RULE)
@click.argument("names", nargs=-1, required=True, metavar="RECIPE|RUN|KEY=VALUE...")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="Measure this too, of every model that can be, as often as you like.",
)
@backend_option
@device_option
@runs_option
@data_dir_option
@click.option("--strict-data", is_flag=True, help="Refuse to train on data that stand in.")
@json_option
def command(
    names: tuple[str, ...],
    metrics: tuple[str, ...],
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
    strict_data: bool,
    as_json: bool,
) -> None:
    """Train each RECIPE in a process of its own, take each RUN as it is; print one table.

    KEY=VALUE changes all of the recipes. What a run has not measured is shown as "-".

    \b
      zoo compare ae_mnist vae_mnist gan_mnist dcgan_mnist vaegan_mnist --metric recognition
      zoo compare vae_mnist gan_mnist epochs=1 dataset.limit=5000
      zoo compare latest vae_mnist/20261121T101500Z-3f2a --json
    """
    from zoo.errors import ZooError
    from zoo.reports import table
    from zoo.runtime.processes import answer

    changes = [name for name in names if "=" in name]
    wanted = [_meant(name, folders.root(runs_folder)) for name in names if "=" not in name]
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
    ]
    rows = []
    for thing in wanted:
        if isinstance(thing, Path):
            strict = ["--strict-data"] if strict_data else []
            args = ["run", str(thing), *changes, *options, *strict]
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
    click.echo(jsons.text(told) if as_json else table.table(rows))


def _meant(name: str, root: Path):
    """A recipe's file or a run. What names both, such as vae_mnist, is the recipe."""
    from zoo.config import recipe_files
    from zoo.errors import ZooError

    try:
        return recipe_files.find(name)
    except ZooError as no_recipe:
        try:
            return folders.find(name, root)
        except ZooError as no_run:
            raise ZooError(f"{name!r} is no recipe and no run: {no_recipe} {no_run}") from None


def _needed(metrics) -> dict[str, tuple[str, ...]]:
    """Abilities that each metric needs."""
    from zoo.cli.quiet import held_back
    from zoo.plugin import registry
    from zoo.runtime import backends

    if metrics:
        backends.settle()  # a metric of somebody's may import Keras
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
    return need_recipe(run, manifest) or not manifest.dataset.name


def _given(option: str, value: str | None) -> list[str]:
    return [] if value is None else [option, value]
