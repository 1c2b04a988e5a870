"""``zoo parity``: do all backends draw the same samples and take the same first steps?"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import click

from zoo.cli.options import data_dir_option, json_option, runs_option
from zoo.errors import ZooError
from zoo.plugin import limits
from zoo.runs import folders


@click.command("parity", epilog=f"For a run, {folders.RULE}")
@click.argument("recipe", metavar="RECIPE|RUN")
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--steps",
    default=20,
    show_default=True,
    type=click.IntRange(1, limits.MOST_COUNT),
    help="Steps made.",
)
@click.option(
    "--tolerance",
    default=1e-4,
    show_default=True,
    type=click.FloatRange(0),
    help="Largest relative difference that passes.",
)
@runs_option
@data_dir_option
@click.option("--strict-data", is_flag=True, help="Refuse to train on data that stand in.")
@json_option
def command(
    recipe: str,
    changes: tuple[str, ...],
    steps: int,
    tolerance: float,
    runs_folder: str | None,
    data_dir: str | None,
    strict_data: bool,
    as_json: bool,
) -> int:
    """Make the first samples and steps of RECIPE on every installed backend and compare them.

    RECIPE is a file or the name of a shipped recipe. Anything else means a run: its copy of its
    recipe, with the changes that it was started with. Both are run as Python.

    Each backend runs in a process of its own, on the CPU, from the recipe's seed. Printed is the
    largest relative difference of every term, over all steps and pairs of backends, and
    that of samples drawn before the first step, relative to their largest number.
    Exit status 1 if one is above the tolerance.

    \b
      zoo parity vae_mnist --steps 100 --tolerance 1e-5
      zoo parity dcgan_mnist dataset.batch_size=32
    """
    from zoo.config import recipe_files
    from zoo.runtime import backends
    from zoo.runtime.console import counted, fitted, say
    from zoo.testing import parity

    path, before = _recipe(recipe, runs_folder)
    changes = (*before, *changes)
    there = backends.installed()
    if len(there) < 2:
        others = [name for name in backends.BACKENDS if name not in there]
        raise ZooError(
            f"parity compares backends, and only {', '.join(there) or 'none'} is installed. "
            f"{backends.how_to_install(others[0])}"
        )
    # the same device for all: a GPU's rounding is not a CPU's
    os.environ.update(backends.ON_CPU)
    options = {"data_dir": data_dir, "strict": strict_data}
    about = recipe_files.about(path)
    say(f"recipe {path.stem}: {about}" if about else f"recipe {path}")
    say(f"{counted(steps, 'step')} each on {', '.join(there)}, on the CPU; nothing is kept")
    made = {}
    for backend in there:
        say(f"{backend} ...")
        made[backend] = parity.record_in_process(backend, path, changes, steps, options)
    traces = {backend: recording.trace for backend, recording in made.items()}
    found, samples = parity.differences(traces), parity.samples_difference(made)
    together = [*found, *([samples] if samples else [])]
    passed = all(difference.relative <= tolerance for difference in together)
    if as_json:
        report = {
            "steps": steps,
            "tolerance": tolerance,
            "passed": passed,
            "terms": [_row(d) for d in found],
            "samples": _row(samples) if samples else None,
            "traces": {
                backend: {
                    term: [_finite(value) for value in values] for term, values in own.items()
                }
                for backend, own in traces.items()
            },
        }
        click.echo(json.dumps(report, indent=2))
        return 0 if passed else 1
    width = max(len(difference.term) for difference in together)
    for d in together:
        when = f"step {d.step}" if d.step else "before the first step"
        equal = "all steps equal" if d.step else "all equal"
        place = f"{when}, {' and '.join(d.backends)}" if d.relative else equal
        mark = "" if d.relative <= tolerance else "  above the tolerance"
        click.echo(fitted(f"{d.term:<{width}}  {d.relative:.1e}  ({place}){mark}"))
    verdict = "agree within" if passed else "differ by more than"
    over = counted(steps, "step")
    click.echo(fitted(f"{', '.join(there)} {verdict} {tolerance:g} over {over}"))
    return 0 if passed else 1


def _recipe(text: str, runs_folder: str | None) -> tuple[Path, list[str]]:
    """The file of a recipe, else of a run's, and the changes that the run was started with."""
    from zoo.cli.trained import meant
    from zoo.config import recipe_files

    try:
        return recipe_files.find(text), []
    except ZooError as no_recipe:
        try:
            run = meant(text, runs_folder)
        except ZooError as no_run:
            raise ZooError(f"{text!r} is no recipe and no run: {no_recipe} {no_run}") from None
    if not run.recipe.is_file():
        raise ZooError(f"{folders.title(run)} keeps no recipe's file: name the recipe")
    return run.recipe, run.manifest.changes


def _row(difference) -> dict[str, object]:
    return {**vars(difference), "relative": _finite(difference.relative)}


def _finite(value: float) -> float | None:
    """JSON has no infinity."""
    return value if math.isfinite(value) else None
