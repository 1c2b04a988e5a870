"""``zoo new``: the first files of a plugin or a recipe, which work as they are."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("new")
def command() -> None:
    """Start a plugin's project, or a recipe, from one that works."""


@command.command("plugin")
@click.argument("name")
@click.option(
    "--kind",
    default="model",
    show_default=True,
    type=click.Choice(["model", "dataset", "metric", "feature-space"]),
    help="What the plugin adds to the zoo.",
)
@click.option("--from", "source", metavar="PLUGIN", help="One of that kind to start from.")
@click.option(
    "--folder", type=click.Path(path_type=Path), metavar="FOLDER", help="Default: NAME, here."
)
def plugin(name: str, kind: str, source: str | None, folder: Path | None) -> None:
    """Write a project for the plugin NAME: code, tests, a recipe, a README, a pyproject.toml.

    \b
      zoo new plugin mymodel
      zoo new plugin myvae --from vae
      zoo new plugin mydata --kind dataset
    """
    from zoo.plugin import scaffold
    from zoo.runtime.quiet import held_back

    folder = folder or Path(name)
    with held_back():  # what is copied is imported
        files = scaffold.plugin(name, folder, kind, source)
    for file in files:
        click.echo(file)
    click.echo(
        f"\nNext:\n  cd {folder}\n"
        '  pip install -e ".[test]"\n'
        f"  zoo check {name}\n"
        f"  zoo run recipes/{name}.py"
    )


@command.command("recipe")
@click.argument("name", type=click.Path(path_type=Path))
@click.option(
    "--from", "source", required=True, metavar="RECIPE", help="A shipped recipe's name, or a file."
)
def recipe(name: Path, source: str) -> None:
    """Copy a recipe to NAME.py, to be edited.

    \b
      zoo new recipe my_vae --from vae_mnist
    """
    from zoo.config import recipe_files
    from zoo.plugin import scaffold

    made = scaffold.recipe(recipe_files.find(source), name)
    click.echo(made)
    click.echo(f"\nNext:\n  zoo run {made}")
