"""Where the folders of runs are, and which run a person means."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from zoo.config import recipe_files
from zoo.errors import ZooError, nearest
from zoo.runs import pretrained, pulled
from zoo.runs.manifest import FORMAT, Manifest
from zoo.runs.run import MANIFEST, Run, cannot_write
from zoo.runtime import writer
from zoo.runtime.console import printable


def root(option: str | None = None) -> Path:
    """The folder that holds all runs: the option, else ``ZOO_RUNS``, else ``./runs``."""
    return Path(option or os.environ.get("ZOO_RUNS") or "runs").expanduser()


def create(root: Path, recipe_name: str, *, source: str | Path | None = None, **fields: Any) -> Run:
    """Make a new folder, never one that exists, with a manifest.

    Args:
        root: the folder that holds all runs.
        recipe_name: what the run is called after.
        source: the recipe's file, to be copied.
        fields: of the manifest, as JSON has them, besides those of every run.

    Raises:
        ZooError: the folder cannot be made or written, or a field is not what it may be.
    """
    now = max(datetime.now(UTC), _newest(root) + timedelta(microseconds=1))
    while True:
        path = root / recipe_name / f"{now:%Y%m%dT%H%M%SZ}-{os.urandom(2).hex()}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir()
            break
        except FileExistsError as error:
            if path.is_dir():
                continue
            raise cannot_write(root, error) from error
        except OSError as error:
            raise cannot_write(root, error) from error
    run = Run(path)
    if source:  # before the manifest: what is a run has its recipe
        try:
            writer.write(run.recipe, Path(source).read_bytes(), path)
        except OSError as error:
            raise cannot_write(run.recipe, error) from error
    about = {
        "format": FORMAT,
        "recipe": recipe_name,
        "status": "running",
        "created": now.isoformat(timespec="microseconds"),
    }
    try:
        run.write_manifest({**about, **fields})
    except ZooError:
        with contextlib.suppress(OSError):
            run.recipe.unlink(missing_ok=True)
            path.rmdir()
        raise
    return run


def all_runs(root: Path) -> list[Run]:
    """All runs under a folder, newest first; folders without a good manifest are no runs."""
    return [run for run, described in described_runs(root) if isinstance(described, Manifest)]


def described_runs(root: Path) -> list[tuple[Run, Manifest | ZooError]]:
    """All runs under a folder, newest first, each with its manifest, or with what is wrong."""
    dated = []
    for path in root.glob(f"*/*/{MANIFEST}"):
        run = Run(path.parent)
        described: Manifest | ZooError
        try:
            described = run.manifest
            created = described.created
        except ZooError as error:
            described, created = error, ""
        # Names count seconds; two runs of one second are told apart by the manifest.
        dated.append((run.id.partition("-")[0], created, run.name, run, described))
    ordered = sorted(dated, key=lambda entry: entry[:3], reverse=True)
    return [(run, described) for *_, run, described in ordered]


def _newest(root: Path) -> datetime:
    """When the newest run was created: a clock that was set back makes no newer run older."""
    for run in all_runs(root)[:1]:
        with contextlib.suppress(ZooError, ValueError):
            return datetime.fromisoformat(run.manifest.created).astimezone(UTC)
    return datetime.min.replace(tzinfo=UTC)


RULE = (
    "RUN is, in this order: a folder; latest, recipe/id, an id or its four-letter code; the name "
    "of a pretrained model; a recipe, for its newest finished run. runs:RECIPE forces the last."
)
"""What a name means, for the help of commands."""

RULE_TO_RESUME = (
    "RUN is, in this order: a folder; latest, recipe/id, an id or its four-letter code; a recipe, "
    "for its newest run, finished or not."
)
"""What a name means to ``zoo resume``: a run that a person stopped, and no pack."""

_FORCED = "runs:"


def find(
    text: str,
    root: Path,
    say: Callable[[str], None] = lambda line: None,
    *,
    to_resume: bool = False,
) -> Run:
    """The run or pack that a person means.

    Args:
        text: in this order: the path of a folder; ``"latest"``, ``"recipe/id"``, an id, its
            four-letter code, or the start of an id, as long as only one run fits; the name of a
            pretrained model; a recipe's name, for its newest finished run. ``"runs:NAME"``
            forces the last, ``"pretrained:NAME"`` the one before.
        root: the folder that holds all runs.
        say: told in one line which run was taken and why.
        to_resume: whether it is meant to be trained on: a recipe's name is then its newest run,
            finished or not, and no pretrained model.

    Raises:
        ZooError: no run fits, or several do.
    """
    run, why = _found(text, root, to_resume)
    say(f"{title(run)}: {why}")
    return run


def title(run: Run) -> str:
    """What to call a run, or a pack that an installed package ships."""
    pack = pretrained.at(run.path)
    return pack.typed if pack else run.name


def newest_finished(
    recipe: str, root: Path, fits: Callable[[Manifest], bool] = lambda described: True
) -> Run | None:
    """The newest finished run of a recipe whose manifest fits, or None."""
    return _of_recipe(recipe, described_runs(root), fits)


def _found(text: str, root: Path, to_resume: bool) -> tuple[Run, str]:
    """The run that is meant, and why it is."""
    folder = Path(text.rstrip("/") or text).expanduser()
    if text and (folder / MANIFEST).exists():
        return Run(folder.resolve()), f"the folder {printable(str(folder))}"
    if text.startswith(pulled.HUB):
        return _shipped(_of_hub(text))
    if text.startswith(pretrained.FORCED):
        return _shipped(pretrained.find(text.removeprefix(pretrained.FORCED)))
    runs = described_runs(root)
    recipe = text.removeprefix(_FORCED)
    if recipe == text:
        if run := _by_id(text, runs):
            return run, "the newest run" if text == "latest" else f"the run that {text!r} names"
        if not to_resume and (pack := pretrained.get(text)):
            return _shipped(pack, f"; {_FORCED}{text} is yours" if _of_recipe(text, runs) else "")
    if run := _of_recipe(recipe, runs, unfinished=to_resume):
        return run, f"the newest {'' if to_resume else 'finished '}run of {recipe}"
    raise _missing(text, root, [run for run, _ in runs], to_resume)


def _of_hub(address: str) -> pretrained.Pretrained:
    """The pack that was pulled from an address; nothing is fetched here."""
    name, _, revision = address.removeprefix(pulled.HUB).partition("@")
    found = pretrained.get(name)
    if found is None or not found.distribution.startswith(pulled.HUB):
        raise ZooError(f"{address} is not on this machine. To fetch it: zoo pull {address}")
    if revision and not found.version.startswith(revision[:8]):
        raise ZooError(
            f"{address}: revision {found.version} of it is on this machine. "
            f"To fetch the other in its place: zoo pull {address}"
        )
    return found


def _shipped(pack: pretrained.Pretrained, beside: str = "") -> tuple[Run, str]:
    where = Path(os.path.relpath(pack.path)) if pack.path.is_relative_to(Path.cwd()) else pack.path
    return Run(pack.path), f"pretrained, {pack.distribution} {pack.version}, {where}{beside}"


_Described = list[tuple[Run, Manifest | ZooError]]


def _by_id(text: str, runs: _Described) -> Run | None:
    """The run of this name, id or code; the only one whose name, id or code begins or ends so."""
    good = [run for run, described in runs if isinstance(described, Manifest)]
    if text == "latest" and good:
        return good[0]
    exact = [run for run, _ in runs if text in (run.name, run.id)]
    if len(exact) == 1:
        return exact[0]
    fitting = [
        run
        for run in good
        if text
        and (
            ("/" in text and run.name.startswith(text))
            or run.id.startswith(text)
            or run.id.endswith(f"-{text}")
        )
    ]
    if len(fitting) > 1:
        raise ZooError(
            f"{len(fitting)} runs fit {text!r}: {_some(fitting)}. Type more of the name."
        )
    return fitting[0] if fitting else None


def _of_recipe(
    name: str,
    runs: _Described,
    fits: Callable[[Manifest], bool] = lambda described: True,
    *,
    unfinished: bool = False,
) -> Run | None:
    """The newest finished run of a recipe, or the newest of all."""
    for run, described in runs:
        if isinstance(described, Manifest):
            taken = described.recipe == name and (unfinished or described.status == "finished")
            if taken and not described.pack and fits(described):
                return run
    return None


def _missing(text: str, root: Path, runs: list[Run], to_resume: bool) -> ZooError:
    recipes = [run.path.parent.name for run in runs]
    if (recipe := text.removeprefix(_FORCED)) in recipes:
        newest = runs[recipes.index(recipe)]
        return ZooError(
            f"no run {text!r} in {root}: {recipe} has no finished run; the newest of all is "
            f"{newest.name}"
        )
    if recipe in recipe_files.shipped():
        return ZooError(f"no run {text!r} in {root}: {recipe} is a recipe: zoo run {recipe}")
    if other := recipe_files.plugin_of(text):
        return ZooError(f"no run {text!r} in {root}: {text!r} is {other}")
    packs = [] if to_resume else [pack.typed for pack in pretrained.packs()]
    beside = f" Pretrained: {', '.join(packs)}." if packs else ""
    if not runs:
        return ZooError(
            f"no run {text!r}: there are no runs in {root}. Make one: zoo run RECIPE.{beside}"
        )
    names = [run.name for run in runs]
    guess = nearest(text, ["latest", *packs, *recipes, *names]) or "."
    return ZooError(f"no run {text!r} in {root}{guess} There: latest, {_some(runs)}.{beside}")


def _some(runs: list[Run], most: int = 5) -> str:
    names = ", ".join(run.name for run in runs[:most])
    return f"{names} and {len(runs) - most} more" if len(runs) > most else names
