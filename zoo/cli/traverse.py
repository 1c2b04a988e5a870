"""``zoo traverse``: what each dimension of a trained model's latent space means."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import data_dir_option, model_options, out_option, show_option
from zoo.errors import ZooError
from zoo.plugin import limits
from zoo.runs.folders import RULE


@click.command("traverse", epilog=RULE)
@click.argument("run")
@click.option(
    "--dim",
    "dimensions",
    multiple=True,
    type=int,
    metavar="K",
    help="A dimension, from 0; may be repeated. Default: the 10 of the largest KL, else variance.",
)
@click.option(
    "--index",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Which test picture's code to start from, or which draw of noise.",
)
@click.option(
    "--steps",
    default=13,
    show_default=True,
    type=click.IntRange(2, limits.MOST_SHOWN),
    help="Values from -3 to 3.",
)
@click.option("--plane", is_flag=True, help="All of a 2-D latent, as a manifold grid.")
@out_option(".png", ".npy")
@show_option
@model_options
@data_dir_option
def command(
    run: str,
    dimensions: tuple[int, ...],
    index: int,
    steps: int,
    plane: bool,
    out: Path | None,
    show: bool,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
) -> None:
    """Change one dimension of a code of RUN at a time, from -3 to 3, a dimension a row.

    These are standard deviations of the prior; in a model without a prior, such as an
    autoencoder, those of its codes.

    It is written as one PNG into the run's pictures, or to --out; a .npy file holds
    float32 numbers (dimensions, steps, ...), pictures in [0, 1].

    \b
      zoo traverse latest
      zoo traverse latest --dim 3 --dim 5 --index 7
      zoo traverse latest --plane
    """
    from zoo.cli.trained import explored, opened, place, unexplored, written
    from zoo.runtime.console import counted

    if plane and dimensions:
        raise ZooError("--plane shows both dimensions of a 2-D latent: leave --dim out")
    found, model = opened(run, runs_folder, recipe, backend, device)
    from zoo.reports import views  # imports Keras, under the backend that is chosen now

    if plane and model.plugin.can("sample"):  # the plane of a prior is no matter of data
        split = unexplored(model)
    else:
        split = explored(found, model, data_dir, recipe)
    if plane:
        view, name = views.manifold(model, split), "manifold"
        what = "{} x {} codes".format(*view.numbers.shape[:2])
    else:
        view = views.traversals(model, split, dimensions or None, index=index, steps=steps)
        name, what = f"traversals-{index}", counted(len(view.numbers), "dimension")
    target = out or place(found, f"pictures/{name}.png")
    click.echo(written(target, found, view, what, show))
