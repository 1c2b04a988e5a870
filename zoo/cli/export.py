"""``zoo export``: a part of a trained model as a file for another runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from zoo.cli.options import recipe_option, runs_option
from zoo.runs.folders import RULE
from zoo.runtime.console import fitted, sized


@click.command("export", epilog=RULE)
@click.argument("run")
@click.option(
    "--format",
    required=True,
    type=click.Choice(["onnx", "saved_model", "litert", "keras"]),
    help="For ONNX Runtime, TensorFlow, LiteRT (.tflite) or Keras.",
)
@click.option(
    "--part",
    type=click.Choice(["decoder", "generator", "encoder", "classifier", "sampler"]),
    metavar="PART",
    help="decoder, which of a GAN is its generator: codes to pictures; encoder: pictures to codes; "
    "classifier; sampler: noise to pictures. Default: the first of these that RUN has.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to write; of a SavedModel a folder. Default: exports/PART in the run's folder, "
    "or beside for a pretrained model.",
)
@click.option(
    "--which",
    default="final",
    show_default=True,
    type=click.Choice(["final", "best"]),
    help="The weights that training ended with, or those of the best epoch.",
)
@recipe_option
@runs_option
def command(
    run: str,
    format: Literal["onnx", "saved_model", "litert", "keras"],
    part: Literal["decoder", "generator", "encoder", "classifier", "sampler"] | None,
    out: Path | None,
    which: Literal["final", "best"],
    recipe: str | None,
    runs_folder: str | None,
) -> None:
    """Write a part of RUN as a file that needs neither Keras nor the zoo, and check it.

    The file is run in its own runtime at three batch sizes and compared with the model; one that
    does not agree is not kept. A card beside it says how to use it. Pictures are in [0, 1].

    \b
      zoo export vae_mnist --format onnx
      zoo export vae_mnist --format litert --part encoder -o encoder.tflite
    """
    from zoo.cli.trained import meant
    from zoo.runs.export import export

    made = export(
        meant(run, runs_folder), format=format, part=part, to=out, which=which, recipe=recipe
    )
    click.echo(fitted(f"{made.path}  {made.part}, {sized(made.size)}"))
    click.echo(
        fitted(
            f"  {made.runtime} gives what the model gives on {made.reference}: "
            f"largest difference {made.difference:.1e}"
        )
    )
    click.echo(f"next: the lines of code in {made.card}")
