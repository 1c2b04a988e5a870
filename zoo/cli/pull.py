"""``zoo pull``: fetch a pack from the Hugging Face Hub or a folder, under a name of its own."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import click

from zoo.errors import ZooError
from zoo.plugin import registry
from zoo.runtime.console import fitted, printable, say, sized


@click.command("pull")
@click.argument("source", metavar="hf://OWNER/NAME[@REVISION]|FOLDER")
@click.option(
    "--trust",
    is_flag=True,
    help="Take a pack whose model is code of its recipe, and the recipe, to be read. Nothing of "
    "it runs: loading needs --recipe FILE.",
)
def command(source: str, trust: bool) -> None:
    """Fetch a pack and keep it under the name OWNER/NAME, which all commands take.

    Only the files of a pack are fetched, none larger than it may be. They are compared with the
    hashes in the pack, and nothing of them runs. A pack of this name that was fetched before is
    replaced. Of a folder, the name is made of its last two parts.

    \b
      zoo pull hf://somebody/vae-cats
      zoo sample somebody/vae-cats
      zoo pull hf://somebody/vae-cats@v1.0
      zoo pull /mnt/models/vae_mnist
    """
    from zoo.reports import summary
    from zoo.runs import hub, pretrained, pulled, results, sharing

    repository = hub.repository(source)
    with tempfile.TemporaryDirectory() as aside:
        if repository:
            say(f"fetching {repository}")
            revision = hub.fetch(repository, Path(aside), trust)
            content = sharing.checked(Path(aside), str(repository), trust)
            name, origin = repository.name, str(hub.Repository(repository.name))
        else:
            folder = Path(source).expanduser().resolve()
            pulled.place("/".join(folder.parts[-2:]))  # refuses what cannot name a pack
            content = sharing.checked(folder, printable(source), trust)
            revision = hashlib.sha256(content[sharing.WEIGHTS]).hexdigest()
            name, origin = "/".join(folder.parts[-2:]), str(folder)
    pack = sharing.keep(name, content, origin, revision)
    kept, described = pretrained.at(pack.path), pack.manifest
    size = sum(map(len, content.values()))
    click.echo(fitted(f"{kept.typed if kept else name}  {sized(size)}, in {pack.path}"))
    click.echo(f"  revision {revision}")
    click.echo(fitted(printable(f"  {described.model.title} trained on {described.data.name}")))
    for line in summary.measured(results.kept(pack)):
        click.echo(fitted(f"  {line}"))
    if described.model.name and (missing := _missing(described.model.name)):
        say(missing)
    click.echo(summary.next_command(pack))


def _missing(model: str) -> str:
    """What a person should know where no installed package has the model; else nothing."""
    try:
        registry.find("models", model)
    except ZooError as error:
        return f"to load it, install the package that has its model: {error}"
    return ""
