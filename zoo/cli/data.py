"""``zoo data``: a first look at a folder of pictures or at arrays."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import json_option, out_option


@click.command("data")
@click.argument("path", type=click.Path(path_type=Path), metavar="DIR|NPZ")
@out_option(".png")
@json_option
def command(path: Path, out: Path | None, as_json: bool) -> None:
    """Look at your own data before you train on them.

    It says how many there are, of which sizes, modes and classes, which files are broken and which
    recipes suit, and writes a contact sheet: DIR-contact.png in the working folder, or --out.

    \b
      zoo data photos
      zoo data examples.npz --out sheet.png
    """
    from zoo.reports import pictures
    from zoo.reports.first_look import look
    from zoo.runtime import files, jsons
    from zoo.runtime.console import fitted, printable, say

    found = look(path)
    target = None
    if found.image is not None:
        target = out or Path(f"{path.absolute().stem or 'data'}-contact.png")
        try:
            pictures.save(target, found.image, data=path.name)
        except OSError as error:
            raise files.unwritable(target, error) from error
    elif out is not None:
        say("such examples cannot be drawn: there is no contact sheet")
    if as_json:
        sheet = None if target is None else str(target)
        suits = [typed for typed, _ in found.suits]
        click.echo(jsons.text({**found.facts, "contact_sheet": sheet, "suits": suits}))
        return
    lines = [str(path), *(f"  {what:<9} {value}" for what, value in found.lines)]
    lines += [f"  note      {note}" for note in found.notes]
    lines += [f"  sheet     {target}"] if target else []
    wide = max(len(typed) for typed, _ in found.suits)
    lines += ["recipes that suit:", *(f"  {typed:<{wide}}  {why}" for typed, why in found.suits)]
    lines.append(f"next: {found.suits[0][0]}")
    click.echo(fitted("\n".join(map(printable, lines))))
