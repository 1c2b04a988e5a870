"""``zoo animate``: a training, or a walk through the latent space, as a GIF or a strip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.cli.options import data_dir_option, model_options, out_option
from zoo.errors import ZooError
from zoo.plugin import limits
from zoo.runs import folders
from zoo.runs.run import Run

if TYPE_CHECKING:
    import numpy as np

WALK = "walk"
STRIP = 6  # pictures in a strip
TRAINING_SECONDS, WALK_SECONDS = 6.0, 4.0  # that a GIF goes round in, about


@click.command("animate", epilog=folders.RULE)
@click.argument("run")
@click.argument("kind", default="samples")
@click.option("--strip", is_flag=True, help="Some of the pictures beside each other, as PNG.")
@click.option(
    "-n",
    "--n",
    default=16,
    show_default=True,
    type=click.IntRange(1, limits.MOST_SHOWN),
    help="Of a walk: how many side by side.",
)
@click.option("--seed", default=0, show_default=True, help="Of a walk: where it goes.")
@out_option(".gif", ".png")
@model_options
@data_dir_option
def command(
    run: str,
    kind: str,
    strip: bool,
    n: int,
    seed: int,
    out: Path | None,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
) -> None:
    """Make a GIF of how RUN learned: its pictures from the first epoch to the last.

    KIND is what the run has pictures of, such as samples (of the same noise), reconstructions or
    manifold. walk is a loop through the latent space of the trained model: from code to code, and
    back to the first.

    It is written into the run's pictures, for a pretrained model into the working folder, or to
    --out. A name that ends in .png makes a strip, as --strip does.

    \b
      zoo animate latest -o training.gif
      zoo animate latest manifold
      zoo animate vae_mnist walk -o walk.gif
      zoo animate latest --strip
    """
    from zoo.cli.trained import meant, place
    from zoo.runtime.quiet import held_back
    from zoo.runtime.waiting import waiting

    strip = strip or (out is not None and out.suffix.lower() == ".png")
    if strip and out is not None and out.suffix.lower() != ".png":
        raise ZooError(f"--out {out}: a strip is a PNG, so its name has to end in .png")
    if kind == WALK:
        found, images = _walk(run, n, seed, recipe, backend, device, runs_folder, data_dir)
        seconds, pause = WALK_SECONDS, 1
    else:
        found = meant(run, runs_folder)
        images = _training(found, kind, strip)
        seconds, pause = TRAINING_SECONDS, 5
    with held_back():
        from zoo.reports import pictures
    suffix = "png" if strip else "gif"
    target = out or place(found, f"pictures/animation-{kind}.{suffix}")
    with waiting(f"writing {target.name}"):
        if strip:
            content = pictures.png(pictures.strip(_some(images)), run=found.name)
        else:
            each = round(1000 * seconds / len(images))
            content = pictures.gif(images, min(max(each, 60), 500), pause)
    _write(target, found, content, strip, len(images))


def _write(target: Path, run: Run, content: bytes, strip: bool, count: int) -> None:
    from zoo.cli.trained import writing
    from zoo.runtime.console import counted, fitted, sized

    with writing(target, run) as file:
        file.write(content)
    what = counted(min(count, STRIP) if strip else count, "picture")
    click.echo(fitted(f"{target}  {what}, {sized(len(content))}"))


def _some(images: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Pictures of all parts of a training, the first and the last among them."""
    last, count = len(images) - 1, min(STRIP, len(images))
    return [images[round(i * last / max(count - 1, 1))] for i in range(count)]


def _training(run: Run, kind: str, strip: bool) -> list[np.ndarray]:
    """The pictures of a training, each with when it was made."""
    from zoo.reports import pictures
    from zoo.runs import frames

    there = {k: own for k, own in frames.over_training(run).items() if len(own) > 1}
    if kind not in there:
        choice = ", ".join([*sorted(there), WALK])
        hint = "" if there else ". callbacks.SampleGrid() in a recipe keeps samples of every epoch"
        raise ZooError(
            f"run {run.name} has no two pictures of {kind!r} from its training; it has: "
            f"{choice}{hint}"
        )
    widest = pictures.WIDEST // 2 if strip else pictures.WIDEST
    images = []
    for frame in there[kind]:
        try:
            image = pictures.read(frame.content)
        except ValueError:  # one that was cut off when the training was killed
            continue
        images.append(pictures.titled(image, frame.when, widest))
    if len(images) < 2:
        raise ZooError(f"the pictures of {kind!r} in run {run.name} are damaged")
    return images


def _walk(
    run: str,
    n: int,
    seed: int,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
) -> tuple[Run, list[np.ndarray]]:
    """Pictures of a loop through the latent space."""
    from zoo.cli.trained import examples, opened, unexplored
    from zoo.runtime.waiting import waiting

    found, model = opened(run, runs_folder, recipe, backend, device)
    from zoo.reports import pictures, views

    of_noise = model.can("latent")  # then no data are needed
    split = unexplored(model) if of_noise else examples(found, data_dir, recipe)
    with waiting("walking through the latent space"):
        numbers = views.walk(model, split, n, seed=seed)
    if not pictures.is_picture(numbers.shape[2:]):
        raise ZooError(f"what {model.where} decodes to is no picture: a walk cannot be drawn")
    return found, [pictures.fitted(pictures.grid(step), pictures.WIDEST) for step in numbers]
