"""``zoo launch``: several processes train what a recipe says, here or on a Ray cluster."""

from __future__ import annotations

import os
from pathlib import Path

import click

from zoo.cli.options import (
    backend_option,
    batch_norm_option,
    data_dir_option,
    device_option,
    full_option,
    json_option,
    on_nan_option,
    restarts_option,
    runs_option,
)
from zoo.errors import ZooError
from zoo.runs import folders


@click.command("launch", epilog=f"For RUN, {folders.RULE}")
@click.argument("recipe", metavar="RECIPE|RUN")
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--processes",
    type=click.IntRange(2, 1024),
    required=True,
    metavar="N",
    help="Train in so many processes together: the recipe's batch is shared out.",
)
@click.option(
    "--on",
    "where",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Start them on this machine, or as actors of Ray.",
)
@click.option(
    "--address",
    metavar="ADDRESS",
    help="Of a Ray cluster, such as auto. Default: Ray is started here.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with RUN from its last checkpoint; no recipe is named."
)
@batch_norm_option
@restarts_option
@backend_option
@device_option
@runs_option
@data_dir_option
@click.option("--strict-data", is_flag=True, help="Refuse to train on data that stand in.")
@on_nan_option
@full_option
@json_option
def command(
    recipe: str,
    changes: tuple[str, ...],
    processes: int,
    where: str,
    address: str | None,
    resume: bool,
    batch_norm: str | None,
    restarts: int,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
    strict_data: bool,
    on_nan: str | None,
    full: bool,
    as_json: bool,
) -> int:
    """Train RECIPE in several processes that share its batch, on any backend.

    The processes are watched. Where one dies or stops, the others are ended, and --max-restarts
    starts all again. On Ray the machines share the folder of runs and the recipe's file.

    \b
      zoo launch vae_mnist --processes 2
      zoo launch dcgan_mnist --processes 2 --backend jax --max-restarts 3
      zoo launch dcgan_mnist --processes 16 --on ray --address auto
      zoo launch latest --resume --processes 16 --on ray --address auto
    """
    from zoo.cli import together
    from zoo.cli.compare import given
    from zoo.cli.trained import meant
    from zoo.config import recipe_files
    from zoo.runtime import backends, ranks
    from zoo.training.crew import Crew
    from zoo.training.workers import Here

    if address and where != "ray":
        raise click.UsageError("--address is of a Ray cluster: add --on ray")
    if ranks.mine() is not None:
        raise ZooError("zoo launch: this process is one of several already, as WORLD_SIZE says")
    kept = None
    if resume:
        run = meant(recipe, runs_folder, to_resume=True)
        what = ["resume", str(run.path.absolute())]
        choice = backends.choose(backend or run.manifest.backend, None, device)
        kept = run.manifest.batch_norm
    else:
        path = recipe_files.find(recipe).resolve()
        what = ["run", str(path)]
        choice = backends.choose(backend, path, device)
    together.use_batch_norm(batch_norm, choice.backend, processes, kept)
    data_dir = data_dir or os.environ.get("ZOO_DATA")
    options = [
        *("--backend", choice.backend),
        *("--runs", str(folders.root(runs_folder).absolute())),
        *given("--data-dir", data_dir and str(Path(data_dir).expanduser().absolute())),
        *given("--on-nan", on_nan),
        *given("--batch-norm", batch_norm),
        *(flag for flag, on in (("--strict-data", strict_data), ("--full", full)) if on),
        *(["--json"] if as_json else []),
    ]
    on = ["--on", "ray", *given("--address", address)] if where == "ray" else []

    def again(run: str) -> str:
        return " ".join(["zoo launch", run, "--resume --processes", str(processes), *on])

    def crew(place) -> Crew:
        begin = [*what, *changes, *options]
        return Crew(begin, lambda run: ["resume", run, *options], again, processes, place, restarts)

    if where == "local":
        return crew(Here(together.each_device(choice, processes, "--processes"))).train()
    from zoo.training.crew_on_ray import OnRay
    from zoo.training.on_ray import Cluster

    cluster = Cluster(address, processes)
    try:
        return crew(OnRay(cluster, processes, device == "cpu")).train()
    finally:
        cluster.close()
