"""``zoo sample``: pictures from a trained model."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import backend_option, device_option, recipe_option, runs_option


@click.command("sample")
@click.argument("run")
@click.option("-n", "--n", default=64, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--seed", default=0, show_default=True, help="Of the noise.")
@click.option("--out", type=click.Path(dir_okay=False), help="PNG or .npy file to write.")
@recipe_option
@backend_option
@device_option
@runs_option
def command(
    run: str,
    n: int,
    seed: int,
    out: str | None,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
) -> None:
    """Draw samples from RUN: its name, id or folder, or latest.

    They are written as one PNG grid into the run's pictures, or to --out; a .npy
    file holds them as float32 numbers, pictures in [0, 1].

    \b
      zoo sample latest
      zoo sample latest -n 16 --seed 7 --out digits.png
    """
    from zoo.cli.trained import opened, written

    found, model = opened(run, runs_folder, recipe, backend, device)
    target = Path(out) if out else found.pictures / f"samples-seed-{seed}.png"
    samples = model.sample(n, seed=seed)
    click.echo(written(target, found, samples))
