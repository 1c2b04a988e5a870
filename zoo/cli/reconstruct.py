"""``zoo reconstruct``: test pictures beside what the model makes of them."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import (
    backend_option,
    data_dir_option,
    device_option,
    recipe_option,
    runs_option,
)


@click.command("reconstruct")
@click.argument("run")
@click.option(
    "-n", "--n", default=32, show_default=True, type=click.IntRange(1), help="Test pictures."
)
@click.option("--out", type=click.Path(dir_okay=False), help="PNG or .npy file to write.")
@recipe_option
@backend_option
@device_option
@runs_option
@data_dir_option
def command(
    run: str,
    n: int,
    out: str | None,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
) -> None:
    """Show the first test pictures of RUN, each row above its reconstructions.

    They are written as one PNG grid into the run's pictures, or to --out; a .npy
    file holds the reconstructions as float32 numbers in [0, 1].

    \b
      zoo reconstruct latest
      zoo reconstruct latest -n 8 --out eight.png
    """
    from zoo.cli.trained import opened, test_split, written

    found, model = opened(run, runs_folder, recipe, backend, device)
    split = test_split(found, data_dir, recipe).first(n)
    again = model.reconstruct(split.x, labels=split.y)
    target = Path(out) if out else found.pictures / "reconstructions-test.png"
    click.echo(written(target, found, again, originals=split.x))
