"""``zoo view``: what a model shows besides its abilities."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import data_dir_option, model_options, out_option, show_option
from zoo.errors import ZooError
from zoo.plugin import limits
from zoo.runs.folders import RULE


@click.command("view", epilog=RULE)
@click.argument("run")
@click.argument("name", required=False)
@click.option(
    "-n",
    "--n",
    default=32,
    show_default=True,
    type=click.IntRange(1, limits.MOST_DRAWS),
    help="Test examples, or rows of noise.",
)
@click.option("--seed", default=0, show_default=True, help="Of the noise.")
@out_option(".png", ".npy")
@show_option
@model_options
@data_dir_option
def command(
    run: str,
    name: str | None,
    n: int,
    seed: int,
    out: Path | None,
    show: bool,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
) -> None:
    """Show a view of RUN's model: a picture that is its own, such as a translation.

    Without NAME, list the views. A view of examples shows some test examples, each row
    above what becomes of them.

    It is written as one PNG into the run's pictures, for a pretrained model into the working
    folder, or to --out; a .npy file holds it as float32 numbers, pictures in [0, 1].

    \b
      zoo view latest
      zoo view latest translate
      zoo view latest translate -n 8 --seed 7 --out eight.png
    """
    from zoo.cli.trained import examples, meant, opened, place, unexplored, written
    from zoo.plugin import views as declared
    from zoo.runtime.console import counted, printable

    if name is None:
        described = meant(run, runs_folder).manifest
        if not described.views:
            raise ZooError(
                f"{described.model.title} has no views of its own; it can: "
                f"{', '.join(described.abilities) or 'nothing'}"
            )
        click.echo("\n".join(map(printable, declared.lines(described.views))))
        return
    found, model = opened(run, runs_folder, recipe, backend, device)
    from zoo.reports import views  # imports Keras, under the backend that is chosen now

    if declared.find(model.plugin, name).of_examples:
        split, what = examples(found, data_dir, recipe).some(n), "example"
        of = "-test" if seed == 0 else f"-test-seed-{seed}"
    else:
        split, what, of = unexplored(model), "row", f"-seed-{seed}"
    view = views.own(model, name, split, n, seed=seed)
    target = out or place(found, f"pictures/{name}{of}.png")
    click.echo(written(target, found, view, counted(len(view.numbers), what), show))
