"""``zoo reconstruct``: test pictures, whole or spoilt, and what the model makes of them."""

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


@click.command("reconstruct", epilog=RULE)
@click.argument("run")
@click.option(
    "-n",
    "--n",
    default=32,
    show_default=True,
    type=click.IntRange(1, limits.MOST_DRAWS),
    help="Pictures.",
)
@click.option(
    "--noise",
    type=click.FloatRange(0, min_open=True),
    metavar="SIGMA",
    help="Denoise: add normal noise of this standard deviation, black being 0 and white 1.",
)
@click.option(
    "--mask",
    metavar="PART",
    help="Complete: hide left, right, top, bottom, centre, or a share of the pixels such as 0.5.",
)
@input_option
@input_label_option
@out_option(".png", ".npy")
@show_option
@model_options
@data_dir_option
def command(
    run: str,
    n: int,
    noise: float | None,
    mask: str | None,
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
    """Show some test pictures of RUN, or your own, each row above its reconstructions.

    With --noise or --mask they are spoilt first, and the mean squared error is told
    before and after. Hidden pixels are filled in round by round, each time by what a
    reconstruction of the whole picture says of them.

    They are written as one PNG into the run's pictures, or to --out; a .npy
    file holds the reconstructions as float32 numbers in [0, 1].

    \b
      zoo reconstruct latest
      zoo reconstruct latest -n 8 --out eight.png
      zoo reconstruct latest --noise 0.3
      zoo reconstruct latest --mask right
      zoo reconstruct latest --input photo.jpg
    """
    from zoo.cli.trained import opened, place, shown, written
    from zoo.runtime.console import counted

    if noise is not None and mask is not None:
        raise ZooError("--noise and --mask are two uses: give one of them")
    found, model = opened(run, runs_folder, recipe, backend, device)
    from zoo.reports import views  # imports Keras, under the backend that is chosen now

    split, of = shown(found, model, inputs, label, data_dir, recipe)
    split = split.some(n)
    line, name = None, f"reconstructions-{of}"
    if noise is not None:
        name += f"-noise-{noise:g}"
        view, before, after = views.denoised(model, split, noise)
        line = f"mean squared error  noisy {before:.5f}  reconstruction {after:.5f}"
    elif mask is not None:
        name += f"-mask-{mask}"
        view, before, after = views.completed(model, split, mask)
        line = f"mean squared error of hidden pixels  grey {before:.5f}  completed {after:.5f}"
    else:
        view = views.reconstructions(model, split)
    target = out or place(found, f"pictures/{name}.png")
    click.echo(written(target, found, view, counted(len(split), "example"), show))
    if line:
        click.echo(line)
