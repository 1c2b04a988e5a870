"""``zoo decompress``: pictures from a file of codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import click

from zoo.cli.options import model_options
from zoo.errors import ZooError
from zoo.runs.folders import RULE


@click.command("decompress", epilog=RULE)
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder to write PNG files to: a new one, or an empty one.",
)
@click.option(
    "--run",
    metavar="RUN",
    help="The run or pretrained model with which the file was made. Default: what the file says.",
)
@model_options
def command(
    path: Path,
    out: Path,
    run: str | None,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
) -> None:
    """Write the pictures of FILE, which zoo compress wrote, as PNG files.

    \b
      zoo decompress photos.zoo -o again
    """
    from zoo.cli.trained import loaded, meant, new_folder
    from zoo.runs import artifact, codes_file
    from zoo.runtime.console import counted, fitted
    from zoo.runtime.waiting import waiting

    file = codes_file.read(path)
    try:
        found = meant(run or file.run, runs_folder)
    except ZooError as error:
        if run is not None:
            raise
        raise ZooError(
            f"{path} was made with {file.run}, which is not here ({error}). Name where it is: "
            "--run RUN"
        ) from None
    if artifact.sha256(found, found.manifest) != file.weights:
        raise ZooError(
            f"{path} was made with other weights than those of {found.name}: name the run that it "
            f"was made with ({file.run}) as --run RUN"
        )
    with new_folder(out) as save:
        model = loaded(found, recipe, backend, device)
        codes = file.codes()
        with waiting(f"decoding {counted(len(codes), 'picture')}"):
            made = model.decode(codes, labels=file.labels)
            for name, picture in zip(names(file.names, len(made)), made, strict=True):
                save(name, picture)
    click.echo(fitted(f"{out}  {counted(len(made), 'picture')}"))


def names(given: Sequence[str], n: int) -> list[str]:
    """A PNG's name per picture: the suffix of its file gives way, unless two would be alike.

    Args:
        given: names of the files that were compressed, or none.
        n: pictures.

    Returns:
        The names; numbers where there are none, or where they would meet on a system to which
        upper and lower case are the same.
    """
    bare = [str(PurePosixPath(name).with_suffix("")) for name in given]
    often = Counter(name.lower() for name in bare)
    found = [
        f"{short if often[short.lower()] == 1 else name}.png"
        for short, name in zip(bare, given, strict=True)
    ]
    files = {name.lower() for name in found}
    folders = {str(folder) for name in files for folder in PurePosixPath(name).parents}
    if len(files) == n and not files & folders:
        return found
    wide = len(str(n - 1))
    return [f"{i:0{wide}d}.png" for i in range(n)]
