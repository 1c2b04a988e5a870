"""Packs that have names: those that ship in installed packages, and those that were pulled.

Packages ship them by entry points of the group ``zoo.pretrained``:
``vae_mnist = "zoo_vae.pretrained:vae_mnist"`` says that the package's folder
``pretrained/vae_mnist`` is a pack. The package is looked up, not imported.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import ZooError, unknown
from zoo.plugin import registry
from zoo.plugin.registry import Record
from zoo.runs import pulled
from zoo.runs.run import MANIFEST

FORCED = "pretrained:"
"""What a name begins with that is to be a pretrained model's."""


@dataclass(frozen=True)
class Pretrained:
    """A pack that an installed package ships, or that was pulled.

    Attributes:
        typed: the shortest name that finds it.
        full_name: ``"distribution/name"``; of one that was pulled, ``"owner/name"``.
        path: its folder, which is never written to.
        distribution: the installed distribution, or where it was pulled from.
        version: of it; the start of a revision.
    """

    typed: str
    full_name: str
    path: Path
    distribution: str
    version: str


def packs() -> list[Pretrained]:
    """All packs there are, by name: those of packages, then those that were pulled.

    The names of the latter are whole, so that a stranger's takes nobody else's.
    """
    others = (
        Pretrained(pack.name, pack.name, pack.path, pack.origin, pack.revision[:8])
        for pack in pulled.packs()
    )
    return [*_shipped(), *others]


def _shipped() -> list[Pretrained]:
    """Those of packages; an entry whose folder is missing is left out."""
    found = ((record, _folder(record)) for record in registry.records(registry.PRETRAINED))
    return [
        Pretrained(record.typed, record.full_name, path, record.distribution, record.version)
        for record, path in found
        if path is not None
    ]


def get(name: str) -> Pretrained | None:
    """The pack of a name, of ``"distribution/name"`` or ``"owner/name"``; None for no such name.

    Raises:
        ZooError: two distributions claim the name.
    """
    fitting = [pack for pack in packs() if name in (pack.typed, pack.full_name)]
    rivals = [pack.full_name for pack in _shipped() if pack.full_name.endswith(f"/{name}")]
    if not fitting and rivals:
        raise ZooError(f"pretrained {name!r} is several: type {' or '.join(rivals)}")
    return fitting[0] if fitting else None


def find(name: str) -> Pretrained:
    """As ``get``; ``ZooError`` where there is none."""
    found = get(name)
    if found is None:
        raise unknown("pretrained model", name, [pack.typed for pack in packs()])
    return found


def at(path: Path) -> Pretrained | None:
    """The pack whose folder this is, or None."""
    return next((pack for pack in packs() if pack.path == path), None)


def _folder(record: Record) -> Path | None:
    """Where a pack's entry point leads: a folder below its package, with a manifest."""
    module, _, folder = record.target.partition(":")
    top, *inner = module.split(".")
    try:
        spec = importlib.util.find_spec(top)  # of a package, which this does not import
    except (ImportError, ValueError, AttributeError):
        return None
    for place in (spec.submodule_search_locations if spec else None) or ():
        package = Path(place).resolve()
        path = package.joinpath(*inner, *folder.split("/")).resolve()
        if path.is_relative_to(package) and (path / MANIFEST).is_file():
            return path
    return None
