"""``zoo interpolate``: ways through a trained model's latent space."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import (
    data_dir_option,
    input_label_option,
    input_option,
    model_options,
    out_option,
    show_option,
)
from zoo.errors import ZooError
from zoo.plugin import limits
from zoo.runs.folders import RULE


@click.command("interpolate", epilog=RULE)
@click.argument("run")
@click.option(
    "--pairs",
    default=8,
    show_default=True,
    type=click.IntRange(1, limits.MOST_SHOWN),
    help="How many.",
)
@click.option(
    "--steps",
    default=9,
    show_default=True,
    type=click.IntRange(2, limits.MOST_SHOWN),
    help="Codes from end to end.",
)
@click.option(
    "--seed", default=0, show_default=True, help="Of the choice of pictures, or of noise."
)
@input_option
@input_label_option
@out_option(".png", ".npy")
@show_option
@model_options
@data_dir_option
def command(
    run: str,
    pairs: int,
    steps: int,
    seed: int,
    inputs: tuple[Path, ...],
    label: str | None,
    out: Path | None,
    show: bool,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
) -> None:
    """Go from one test picture to another through the latent space of RUN, a pair a row.

    With --input it goes between two pictures of your own: the first and the second, the third
    and the fourth, and so on. The way is straight from code to code. A model that does not
    encode, such as a GAN, goes on a great circle between two draws of noise, those of zoo sample.

    It is written as one PNG into the run's pictures, or to --out; a .npy file holds
    float32 numbers (pairs, steps, ...), pictures in [0, 1].

    \b
      zoo interpolate latest
      zoo interpolate latest --pairs 4 --steps 13 --seed 7 --out ways.png
      zoo interpolate latest --input me.jpg --input you.jpg
    """
    from zoo.cli.trained import explored, opened, place, shown, written
    from zoo.runtime.console import counted

    found, model = opened(run, runs_folder, recipe, backend, device)
    from zoo.reports import views  # imports Keras, under the backend that is chosen now

    if inputs:
        if not model.can("encode"):
            raise ZooError(f"{model.where} cannot encode, so that it cannot go between pictures")
        split, of = shown(found, model, inputs, label, data_dir, recipe)
        view = views.interpolations(model, split, pairs, steps=steps, seed=None)
    else:
        split, of = explored(found, model, data_dir, recipe), f"seed-{seed}"
        view = views.interpolations(model, split, pairs, steps=steps, seed=seed)
    target = out or place(found, f"pictures/interpolations-{of}.png")
    click.echo(written(target, found, view, counted(len(view.numbers), "pair"), show))
