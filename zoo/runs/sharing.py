"""Packs given to others and taken from them: which files, how large, and what is checked.

A pack from elsewhere is a stranger's. Each file is read once, checked in memory, and written from
there: what is kept is what was checked. No code of it runs, and Keras is not needed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from zoo.errors import ZooError
from zoo.runs import pulled, results, safetensors
from zoo.runs.run import MANIFEST, RESULTS, Run
from zoo.runtime import files, writer
from zoo.runtime.console import sized

CARD, WEIGHTS, RECIPE = "README.md", "weights.safetensors", "recipe.py"

FILES = {
    MANIFEST: 16 << 20,
    WEIGHTS: 4 << 30,
    "networks.json": 4 << 20,
    "sampler.safetensors": 1 << 30,
    "codes.safetensors": 1 << 30,
    RESULTS: 16 << 20,
    "history.csv": 64 << 20,
    CARD: 1 << 20,
}
"""All files that a pack may have, each with the bytes that it may have at most."""

NEEDED = (MANIFEST, WEIGHTS)
_HASHED = (WEIGHTS, "networks.json", "sampler.safetensors")


def allowed(trust: bool = False) -> dict[str, int]:
    """The files that are taken from elsewhere; with ``trust`` a recipe too, which is code."""
    return {**FILES, RECIPE: 1 << 20} if trust else FILES


def refuse_large(sizes: Mapping[str, int | None], what: str) -> None:
    """Refuse files that are larger than they may be, before they are fetched.

    Args:
        sizes: ``{file: bytes}``, or None where nobody says.
        what: the pack, for the message.
    """
    for name, size in sizes.items():
        most = allowed(trust=True)[name]
        if size is not None and size > most:
            raise ZooError(f"{what}: {name} has {sized(size)}; at most {sized(most)} is accepted")


def checked(folder: Path, what: str, trust: bool = False) -> dict[str, bytes]:
    """The files of a pack, read and checked.

    Args:
        folder: of the pack; what else lies in it is not looked at.
        what: the pack, for messages.
        trust: whether a pack is taken whose model is code of its recipe.

    Returns:
        ``{file: content}``.

    Raises:
        ZooError: it is no pack, needs a recipe that is not trusted, or a file of it is damaged, too
            large, or not the one that the manifest has the hash of.
    """
    found = {}
    for name, most in allowed(trust).items():
        try:
            found[name] = files.read(folder / name, most)
        except FileNotFoundError:
            if name in NEEDED:
                raise ZooError(f"{what} is no pack: it has no {name}") from None
    _check_manifest(folder, found, what, trust)
    for name in found:
        if name.endswith(".safetensors"):
            try:
                safetensors.decoded(found[name])
            except ValueError as error:
                raise ZooError(f"{what}: {name} holds no arrays: {error}") from error
    return found


def _check_manifest(folder: Path, found: Mapping[str, bytes], what: str, trust: bool) -> None:
    run = Run(folder)
    described = run.manifest
    if described.pack is None:
        raise ZooError(f"{what} is a run and no pack: make a pack of it, zoo pack {folder}")
    if run.needs_recipe(described) and not trust:
        raise ZooError(
            f"{what}: its model is code of its recipe, which could do anything on this machine. "
            f"Only if you trust who made it: zoo pull --trust fetches {RECIPE} too, for you to read"
        )
    for name in _HASHED:
        digest = hashlib.sha256(found[name]).hexdigest() if name in found else ""
        if described.sha256.get(name, "") != digest:
            raise ZooError(
                f"{what}: {name} is not the file that its {MANIFEST} has the SHA-256 of: it is "
                "damaged or was changed"
            )
    if RESULTS in found:
        results.kept(run)


def refuse_other(folder: Path) -> None:
    """Refuse a folder in whose place no pack may be written: a run, or what is no pack."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ZooError(f"{folder} is a file: choose another folder")
    if (folder / MANIFEST).exists():
        if Run(folder).manifest.pack is None:
            raise ZooError(f"{folder} is a run: choose another folder")
    elif any(folder.iterdir()):
        raise ZooError(f"{folder} is not empty and no pack: choose another folder")


def write(folder: Path, content: Mapping[str, bytes]) -> None:
    """Write the files of a pack into a folder, in place of a pack that is there.

    Raises:
        ZooError: the folder holds something else, or cannot be written.
    """
    refuse_other(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES.keys() - content.keys():
            (folder / name).unlink(missing_ok=True)
        for name in sorted(content, key=lambda name: name == MANIFEST):  # a pack once it is whole
            writer.write(folder / name, content[name], folder)
    except OSError as error:
        raise files.unwritable(folder, error) from error


def keep(name: str, content: Mapping[str, bytes], origin: str, revision: str) -> Run:
    """Keep a pack from elsewhere under a name that all commands take.

    Args:
        name: ``"owner/name"``; a pack of this name that was pulled before is replaced, whole.
        content: as ``checked`` gives it.
        origin: where it is from.
        revision: of it.
    """
    target = pulled.place(name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".zoo-", dir=target.parent) as aside:
            made = Path(aside) / "new"
            made.mkdir()
            now = datetime.now(UTC).isoformat(timespec="seconds")
            whole = {**content, pulled.SOURCE: pulled.source(origin, revision, now)}
            for file, data in whole.items():
                writer.write(made / file, data, made)
            if target.is_symlink():
                target.unlink()
            elif target.exists():
                shutil.move(target, Path(aside) / "old")
            os.rename(made, target)
    except OSError as error:
        raise files.unwritable(target, error) from error
    return Run(target)
