"""``zoo run``: a recipe becomes a run."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import click

from zoo.cli.options import (
    backend_option,
    batch_norm_option,
    data_dir_option,
    device_option,
    devices_option,
    full_option,
    json_option,
    on_nan_option,
    restarts_option,
    runs_option,
)
from zoo.errors import Terminated
from zoo.runs import folders
from zoo.runtime import jsons
from zoo.runtime.console import fitted, say
from zoo.runtime.quiet import import_backend


@click.command("run", epilog=f"For --from, {folders.RULE}")
@click.argument("recipe")
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
@backend_option
@device_option
@devices_option
@batch_norm_option
@restarts_option
@runs_option
@data_dir_option
@click.option("--strict-data", is_flag=True, help="Refuse to train on data that stand in.")
@click.option(
    "--from",
    "weights_from",
    metavar="RUN",
    help="Start from the weights of the networks of this run or pretrained model, where they fit.",
)
@on_nan_option
@full_option
@click.option("--dry-run", is_flag=True, help="Check and describe everything; train nothing.")
@json_option
def command(
    recipe: str,
    changes: tuple[str, ...],
    backend: str | None,
    device: str | None,
    devices: int | None,
    batch_norm: str | None,
    restarts: int,
    runs_folder: str | None,
    data_dir: str | None,
    strict_data: bool,
    weights_from: str | None,
    on_nan: Literal["stop", "skip"] | None,
    full: bool,
    dry_run: bool,
    as_json: bool,
) -> int | None:
    """Train what RECIPE says: a file, or the name of a shipped recipe.

    KEY=VALUE changes the experiment.

    \b
      zoo run vae_mnist
      zoo run recipes/vae_mnist.py epochs=3 model.latent_dim=8
      zoo run vae_mnist optimizers.autoencoder.learning_rate=3e-4
      zoo run vae_mnist weights.autoencoder.kl=4
      zoo run vae_mnist --backend torch --device cpu
      zoo run vae_mnist --backend torch --devices 2
      zoo run vae_mnist optimizers.autoencoder.learning_rate=1e-4 --from vae_mnist
    """
    from zoo.cli import together
    from zoo.cli.compare import given
    from zoo.cli.trained import meant
    from zoo.config import recipe_files
    from zoo.runtime import backends

    path = recipe_files.find(recipe)
    source = meant(weights_from, runs_folder) if weights_from else None
    choice = backends.choose(backend, path, device)
    together.use_batch_norm(batch_norm, choice.backend, devices)
    options = [
        *given("--backend", choice.backend),
        *given("--runs", runs_folder),
        *given("--data-dir", data_dir),
        *given("--on-nan", on_nan),
        *given("--batch-norm", batch_norm),
        *(flag for flag, on in (("--strict-data", strict_data), ("--full", full)) if on),
        *(["--json"] if as_json else []),
    ]
    begin = ["run", str(path), *changes, *given("--from", weights_from), *options]
    if not dry_run:
        status = together.supervised(
            devices, restarts, choice, begin, lambda run: ["resume", run, *options]
        )
        if status is not None:
            return status
    backends.activate(choice)
    together.join(choice.backend, None if dry_run else devices)
    about = recipe_files.about(path)
    say(f"recipe {path.stem}: {about}" if about else f"recipe {path}")
    say(f"{choice.backend} on {choice.device} ({choice.reason})")

    import_backend()
    from zoo.cli import advice
    from zoo.config import overrides
    from zoo.config import recipe as recipes
    from zoo.datasets import Access
    from zoo.engine import distributed
    from zoo.training.follow import follow
    from zoo.training.train import train

    tell(advice.other_device(choice))
    changed = overrides.override(recipes.load(path), changes)
    folder = Path(data_dir) if data_dir else None
    access = Access(data_dir=folder, strict=strict_data, say=say)

    if dry_run:
        from zoo.training import dry_run as description

        found = description.describe(changed, access, devices or 1)
        click.echo(
            jsons.text({"seconds": found.seconds, "described": found.lines})
            if as_json
            else fitted("\n".join(found.lines))
        )
        return None

    if not distributed.is_first():
        return followed(lambda: follow(changed, access, on_nan or "stop", full, runs_folder))

    def trained(begun):
        return train(
            changed,
            name=path.stem,
            source=path,
            changes=changes,
            weights_from=source,
            on_nan=on_nan or "stop",
            full=full,
            runs_folder=runs_folder,
            access=access,
            begun=begun,
            say=say,
        )

    return carried_out(trained, as_json)


def carried_out(train: Callable, as_json: bool) -> int | None:
    """Train, telling of the run, and return the exit status.

    Args:
        train: function of ``begun`` that returns the finished run, as ``zoo.train``.
        as_json: whether to print the results as JSON.
    """
    from zoo.cli import together
    from zoo.reports import summary
    from zoo.training import signals

    started: list = []

    def begun(run):
        started.append(run)
        together.tell_run(run)
        for line in summary.begun(run):
            say(line)

    run, status = None, 0

    def last():
        if sys.stderr.isatty():
            sys.stderr.write("\x1b[?25h")  # the cursor, which a bar may hide
        say(f"stopped within a step{summary.killed(started[0]) if started else ''}")

    try:
        with signals.at_once(last):
            run = train(begun)
    except KeyboardInterrupt as error:
        status = 128 + (error.args[0] if isinstance(error, Terminated) else signal.SIGINT)
        if started:
            say(summary.interrupted(started[0]))
    if run is None:
        # a generator left in the middle, as TensorFlow reads the data from one, can keep the
        # interpreter from exiting unless it is closed now
        gc.collect()
        return status
    if as_json:
        results = run.read_json("results.json")
        told = {"run": run.name, "path": str(run.path.absolute()), "results": results}
        click.echo(jsons.text(told))
    else:
        click.echo(fitted(summary.finished(run)))
    return None


def followed(follow: Callable[[], None]) -> int:
    """Train along with the first process, and return the exit status, which is its too."""
    try:
        follow()
    except KeyboardInterrupt as error:
        return 143 if isinstance(error, Terminated) else 130
    return 0


def tell(line: str | None) -> None:
    """Tell a line, if there is one."""
    if line:
        say(line)
