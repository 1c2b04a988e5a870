"""``zoo pack``: a small folder of a run, to share or to ship."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from zoo.cli.options import backend_option, data_dir_option, device_option, runs_option
from zoo.runs.folders import RULE
from zoo.runtime.console import say, sized


@click.command("pack", epilog=RULE)
@click.argument("run")
@click.option(
    "--dtype",
    default="float32",
    show_default=True,
    type=click.Choice(["float32", "float16"]),
    help="Of the weights. float16 takes half the space; numbers then agree to about 1e-3.",
)
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="The pack's folder. A pack that is there is replaced. Default: packs/RECIPE.",
)
@click.option(
    "--which",
    default="last",
    show_default=True,
    type=click.Choice(["last", "best"]),
    help="The weights that training ended with, or those of the best epoch.",
)
@click.option("--license", default="", metavar="TEXT", help="Of the weights, for the card.")
@click.option(
    "--without",
    multiple=True,
    metavar="NETWORK",
    help="Leave out the weights of a network that training alone needs, such as discriminator. May "
    "be given several times.",
)
@click.option("--no-codes", is_flag=True, help="Leave out the sample of codes, which needs data.")
@backend_option
@device_option
@runs_option
@data_dir_option
def command(
    run: str,
    dtype: Literal["float32", "float16"],
    to: Path | None,
    which: Literal["last", "best"],
    license: str,
    without: tuple[str, ...],
    no_codes: bool,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
) -> None:
    """Make a small folder of RUN that every command takes as it takes a run.

    It holds the weights of the networks (moving averages where the run has them), the fitted
    sampler, a sample of codes, the history, the figures and a model card. It holds no optimizer
    state and no code.

    \b
      zoo pack latest
      zoo pack latest --dtype float16 --to digits_vae
      zoo pack latest --dtype float16 --without discriminator
      zoo sample digits_vae
    """
    from zoo.cli.trained import meant
    from zoo.runtime import backends
    from zoo.runtime.quiet import import_backend

    found = meant(run, runs_folder)
    backends.activate(backends.choose(backend, None, device))
    import_backend()
    from zoo.datasets import Access
    from zoo.runs.card import use
    from zoo.runs.pack import pack

    folder = Path(data_dir) if data_dir else None
    access = None if no_codes else Access(data_dir=folder, say=say)
    target = to or Path("packs") / found.manifest.recipe
    made = pack(
        found, target, dtype=dtype, which=which, license=license, without=without, access=access
    )
    described = made.manifest
    size = sum(file.stat().st_size for file in made.path.iterdir())
    click.echo(f"{made.path}  {sized(size)}, {dtype}")
    click.echo(f"  SHA-256 of the weights  {described.sha256[made.packed_weights.name]}")
    click.echo(f"next: zoo {use(described)} {made.path}")
