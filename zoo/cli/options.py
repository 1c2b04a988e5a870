"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from zoo.errors import ZooError

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")

runs_option = click.option(
    "--runs",
    "runs_folder",
    metavar="FOLDER",
    help="Folder that holds the runs. Default: the variable ZOO_RUNS, else ./runs.",
)

data_dir_option = click.option(
    "--data-dir",
    metavar="FOLDER",
    help="Folder that holds data. Default: the variable ZOO_DATA, else Keras's cache.",
)

backend_option = click.option(
    "--backend",
    metavar="NAME",
    help="jax, tensorflow or torch. Default: the variable KERAS_BACKEND, else the backend that "
    "you chose in keras.json, else the first installed of those that the recipe prefers.",
)

device_option = click.option(
    "--device",
    metavar="DEVICE",
    help="cpu, gpu or gpu:N. Default: a GPU where there is one.",
)

devices_option = click.option(
    "--devices",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Train on so many devices of this machine together: the recipe's batch is shared out. "
    "Default: one.",
)

batch_norm_option = click.option(
    "--batch-norm",
    type=click.Choice(["synchronized", "per-device"]),
    help="Where several devices train, take the moments of batch normalization over the whole "
    "batch, or over each device's rows of it. Default: synchronized, or as the run did.",
)

restarts_option = click.option(
    "--max-restarts",
    "restarts",
    type=click.IntRange(0, 1000),
    default=0,
    metavar="K",
    help="With several processes: start all again from the last checkpoint, at most so often, "
    "where one dies or stops. Default: 0.",
)

on_nan_option = click.option(
    "--on-nan",
    type=click.Choice(["stop", "skip"]),
    help="Where a term is not finite, stop, or skip each step that has one. Default: stop, "
    "or as the run did.",
)

full_option = click.option(
    "--full",
    is_flag=True,
    help="Measure by whole protocols, however long it takes. Default: as many examples and "
    "samples as fit in a quarter of the training's time.",
)

recipe_option = click.option(
    "--recipe",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The recipe of a run whose model, data or networks are its code. It is run as Python.",
)


def model_options(command: Callable) -> Callable:
    """How the model of a run is opened: ``--recipe``, ``--backend``, ``--device``, ``--runs``."""
    for option in (runs_option, device_option, backend_option, recipe_option):
        command = option(command)
    return command


input_option = click.option(
    "--input",
    "inputs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE|DIR|NPZ",
    help="Your own instead of the run's data: a picture, a folder of them, or arrays; as often as "
    "you like. Pictures are fitted to the size that the run was trained on.",
)

input_label_option = click.option(
    "--label",
    metavar="CLASS",
    help="Class of all of --input, for a conditional model. Default: what class folders or labels "
    "say.",
)

show_option = click.option(
    "--show", is_flag=True, help="Print the picture in the terminal too; nothing off one."
)

split_option = click.option(
    "--split",
    default="test",
    show_default=True,
    type=click.Choice(["train", "validation", "test"]),
    help="Which examples.",
)


def out_option(*suffixes: str) -> Callable:
    """``--out FILE``, whose name ends in one of these: what is written follows from it."""
    accepted = " or ".join(suffixes)

    def checked(ctx: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
        if path is not None and path.suffix.lower() not in suffixes:
            raise ZooError(f"--out {path}: its name has to end in {accepted}")
        return path

    return click.option(
        "-o",
        "--out",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=checked,
        metavar="FILE",
        help=f"File to write: {accepted}.",
    )
