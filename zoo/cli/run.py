"""``zoo run``: a recipe becomes a run."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import click

from zoo.cli.options import (
    backend_option,
    data_dir_option,
    device_option,
    json_option,
    runs_option,
)
from zoo.cli.quiet import import_backend
from zoo.messages import say


@click.command("run")
@click.argument("recipe")
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
@backend_option
@device_option
@runs_option
@data_dir_option
@click.option("--strict-data", is_flag=True, help="Refuse to train on data that stand in.")
@click.option("--dry-run", is_flag=True, help="Check and describe everything; train nothing.")
@json_option
def command(
    recipe: str,
    changes: tuple[str, ...],
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
    strict_data: bool,
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
    """
    from zoo import backends, recipe_files

    if dry_run and as_json:
        raise click.UsageError("--dry-run describes in words: leave --json out")
    path = recipe_files.find(recipe)
    choice = backends.choose(backend, path, device)
    backends.activate(choice)
    say(f"{choice.backend} on {choice.device} ({choice.reason})")

    import_backend()
    from zoo import advice, overrides
    from zoo import recipe as recipes
    from zoo.datasets import Access

    _tell(advice.other_device(choice))
    changed = overrides.override(recipes.load(path), changes)
    folder = Path(data_dir) if data_dir else None
    access = Access(data_dir=folder, strict=strict_data, say=say)

    def advise(experiment):
        _tell(advice.slow_convolutions(experiment.model, choice))

    if dry_run:
        from zoo import dry_run as description

        click.echo(description.describe(changed, access, advise))
        return None
    return _train(changed, path, access, advise, runs_folder, as_json)


def _train(recipe, path, access, advise, runs_folder, as_json) -> int | None:
    from zoo import summary, training

    started: list = []

    def begun(run):
        started.append(run)
        say(f"run {run.name}")

    run = None
    try:
        run = training.train(
            recipe,
            name=path.stem,
            source=path,
            runs_folder=runs_folder,
            access=access,
            prepared=advise,
            begun=begun,
            say=say,
        )
    except KeyboardInterrupt:
        if started:
            say(summary.interrupted(started[0]))
    if run is None:
        # a generator left in the middle, as TensorFlow reads the data from one, can keep the
        # interpreter from exiting unless it is closed now
        gc.collect()
        return 130
    if as_json:
        results = run.read_json("results.json")
        told = {"run": run.name, "path": str(run.path.absolute()), "results": results}
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo(summary.finished(run))
    return None


def _tell(line: str | None) -> None:
    if line:
        say(line)
