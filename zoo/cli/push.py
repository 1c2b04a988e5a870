"""``zoo push``: send a run as a pack to the Hugging Face Hub, or to a folder."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from zoo.cli.options import backend_option, device_option, runs_option
from zoo.errors import ZooError
from zoo.runs.folders import RULE
from zoo.runtime.console import fitted, say, sized

if TYPE_CHECKING:
    from zoo.runs.run import Run


@click.command("push", epilog=RULE)
@click.argument("run")
@click.argument("target", metavar="hf://OWNER/NAME|FOLDER")
@click.option("-y", "--yes", is_flag=True, help="Send without a question.")
@click.option("--private", is_flag=True, help="If the repository is made now, make it private.")
@click.option(
    "--license",
    default="",
    metavar="TEXT",
    help="Of the weights, and of the data that they were trained on. Default: what the pack says.",
)
@click.option(
    "--dtype",
    default="float32",
    show_default=True,
    type=click.Choice(["float32", "float16"]),
    help="Of the weights, where RUN is no pack yet.",
)
@backend_option
@device_option
@runs_option
def command(
    run: str,
    target: str,
    yes: bool,
    private: bool,
    license: str,
    dtype: Literal["float32", "float16"],
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
) -> None:
    """Send RUN, a run or a pack, to a repository of the Hugging Face Hub or to a folder.

    It shows what it would send, and asks. A run is packed first: networks, figures and a model
    card; no optimizer state, no data and no code. The Hub needs the extra hub and a token.

    \b
      zoo push latest hf://you/my-vae --license "CC0-1.0; trained on my own photos"
      zoo push packs/vae_mnist /mnt/models/vae_mnist
    """
    from zoo.cli.trained import meant
    from zoo.runs import hub, sharing

    found, repository = meant(run, runs_folder), hub.repository(target)
    with tempfile.TemporaryDirectory() as aside:
        pack = _packed(found, Path(aside) / "pack", dtype, license, backend, device)
        content = sharing.checked(pack.path, found.name)
        if repository:
            upload = hub.prepare(repository, pack, content, private=private)
            where = f"{repository}, as {upload.user}"
            if upload.there is None:
                where += f": a new {'private' if private else 'public'} repository"
            _agreed(where, upload.files, upload.there or (), pack, yes)
            click.echo(fitted(f"{repository}@{upload.send()}"))
            click.echo(f"next: zoo pull {repository}")
            return
        folder = Path(target).expanduser()
        sharing.refuse_other(folder)
        there = [path.name for path in folder.iterdir()] if folder.exists() else []
        _agreed(str(folder), content, there, pack, yes)
        sharing.write(folder, content)
        click.echo(fitted(f"{folder}"))
        click.echo(f"next: zoo pull {folder}")


def _packed(
    found: Run,
    to: Path,
    dtype: Literal["float32", "float16"],
    license: str,
    backend: str | None,
    device: str | None,
) -> Run:
    """The pack of a run, made now; a pack as it is, or with another license."""
    from zoo.runs import sharing
    from zoo.runs.run import Run

    described = found.manifest
    if described.pack is None:
        from zoo.runtime import backends
        from zoo.runtime.quiet import import_backend

        backends.activate(backends.choose(backend, None, device))
        import_backend()
        from zoo.runs.pack import pack

        return pack(found, to, dtype=dtype, license=license)
    if not license:
        return found
    sharing.write(to, sharing.checked(found.path, found.name))
    made = Run(to)
    made.update(pack=dataclasses.asdict(dataclasses.replace(described.pack, license=license)))
    return made


def _agreed(
    where: str, files: Mapping[str, bytes], there: Collection[str], pack: Run, yes: bool
) -> None:
    """Show what would be sent, and ask; ``ZooError`` where the answer is no, or there is none."""
    described = pack.manifest
    say(f"to {where}")
    for name, content in files.items():
        mark = "  in place of the one there" if name in there else ""
        say(f"  {name}  {sized(len(content))}{mark}")
    license = described.pack.license if described.pack else ""
    say(f"  {described.model.title} trained on {described.data.name}")
    say(f"  license: {license or 'not stated; say it with --license'}")
    if yes:
        return
    try:
        sent = click.confirm("Send it?", err=True)
    except click.Abort:
        click.echo(err=True)
        if sys.stdin.isatty():
            raise
        raise ZooError("nothing was sent: nobody is there to answer; --yes sends it") from None
    if not sent:
        raise ZooError("nothing was sent")
