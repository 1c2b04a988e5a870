"""``zoo diagnose``: what goes wrong in a training, in plain words."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.cli.options import data_dir_option, json_option, model_options
from zoo.errors import ZooError
from zoo.runs import folders
from zoo.runs.run import Run
from zoo.runtime import jsons
from zoo.runtime.console import fitted, say

if TYPE_CHECKING:
    from zoo.runs.signs import Signs


@click.command("diagnose", epilog=folders.RULE)
@click.argument("run")
@model_options
@data_dir_option
@json_option
def command(
    run: str,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Say what goes wrong in the training of RUN, with the number and the page that helps.

    Rules look at the curves and at what the model makes: a discriminator that wins, modes that
    collapse, a KL that collapses, a gradient that vanishes, overfitting, a training that was
    still improving, that was too short to judge, or that is near NaN. Of a run that is not
    finished, the model of the last checkpoint is looked at.

    \b
      zoo diagnose latest
      zoo diagnose vae_mnist --json
    """
    from zoo.cli.trained import meant
    from zoo.runs import results
    from zoo.runtime.quiet import held_back

    found = meant(run, runs_folder)
    with held_back():  # what reads a run imports Keras
        from zoo.reports import diagnosis
    signs = results.signs(found) if found.has_ended(found.manifest) else None
    if signs is None:
        try:
            signs = _taken(found, recipe, backend, device, data_dir)
        except ZooError as error:
            say(f"the model is not looked at: {error}")
    seen = diagnosis.diagnose(diagnosis.read(found, signs))
    if as_json:
        told = {
            "run": found.name,
            "findings": [dataclasses.asdict(finding) for finding in seen.findings],
            "not_looked_at": seen.unseen,
        }
        click.echo(jsons.text(told))
        return
    lines = [folders.title(found), *(f"  {line}" for line in diagnosis.lines(seen))]
    if seen.unseen:
        lines += ["", "Not looked at:"]
        lines += [f"  {name.replace('_', ' ')}: {why}" for name, why in seen.unseen.items()]
    click.echo(fitted("\n".join(lines)))


def _taken(
    run: Run,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    data_dir: str | None,
) -> Signs:
    """Look at the model of a run's last checkpoint, or of a pack."""
    from zoo.cli.trained import loaded
    from zoo.runtime.waiting import waiting

    model = loaded(run, recipe, backend, device)
    # these import Keras, under the backend that is chosen now
    from zoo.datasets import Access
    from zoo.datasets.pipeline import as_evaluated
    from zoo.runs import results
    from zoo.training import signs

    manifest = run.manifest
    access = Access(data_dir=Path(data_dir) if data_dir else None, say=say)
    data = results.raw_data_of(run, access, Path(recipe) if recipe else None)
    evaluated = as_evaluated(data, manifest.dataset.settings.get("binarize"), manifest.seed)
    with waiting("looking at what the model makes"):
        return signs.take(model, data, evaluated, steps=0)
