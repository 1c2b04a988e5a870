"""``zoo sample``: pictures from a trained model."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import model_options, out_option, show_option
from zoo.plugin import limits
from zoo.runs.folders import RULE


@click.command("sample", epilog=RULE)
@click.argument("run")
@click.option(
    "-n",
    "--n",
    default=64,
    show_default=True,
    type=click.IntRange(1, limits.MOST_DRAWS),
    help="How many.",
)
@click.option("--seed", default=0, show_default=True, help="Of the noise.")
@click.option(
    "--label",
    metavar="CLASS",
    help="Number or name of the class of all of them, for a conditional model. Default: its "
    "classes in turn.",
)
@out_option(".png", ".npy")
@show_option
@model_options
def command(
    run: str,
    n: int,
    seed: int,
    label: str | None,
    out: Path | None,
    show: bool,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
) -> None:
    """Draw samples from RUN, a run or a pretrained model.

    They are written as one PNG grid into the run's pictures, for a pretrained model into the
    working folder, or to --out; a .npy file holds them as float32 numbers, pictures in [0, 1].

    \b
      zoo sample vae_mnist
      zoo sample latest
      zoo sample latest -n 16 --seed 7 --out digits.png
      zoo sample latest --label 3
    """
    from zoo.cli.trained import opened, place, written
    from zoo.runtime.console import counted

    found, model = opened(run, runs_folder, recipe, backend, device)
    from zoo.reports import views  # imports Keras, under the backend that is chosen now

    number = None if label is None else views.label_of(model, label)
    of_label = "" if number is None else f"-label-{number}"
    target = out or place(found, f"pictures/samples-seed-{seed}{of_label}.png")
    view = views.samples(model, n, seed=seed, label=number)
    click.echo(written(target, found, view, counted(n, "example"), show))
