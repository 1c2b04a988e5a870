"""Where the folders of runs are, and which run a person means."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from zoo.errors import ZooError, nearest
from zoo.runs.run import FORMAT, Run, cannot_write


def root(option: str | None = None) -> Path:
    """The folder that holds all runs: the option, else ``ZOO_RUNS``, else ``./runs``."""
    return Path(option or os.environ.get("ZOO_RUNS") or "runs").expanduser()


def create(root: Path, recipe_name: str, *, source: str | Path | None = None, **fields: Any) -> Run:
    """Make a new folder, never one that exists, with a manifest.

    Args:
        root: the folder that holds all runs.
        recipe_name: what the run is called after.
        source: the recipe's file, to be copied.
        fields: of the manifest, besides those of every run.

    Raises:
        ZooError: the folder cannot be made or written.
    """
    now = max(datetime.now(UTC), _newest(root) + timedelta(microseconds=1))
    while True:
        path = root / recipe_name / f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
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
            shutil.copyfile(source, run.recipe)
        except OSError as error:
            raise cannot_write(run.recipe, error) from error
    run.update(
        format=FORMAT,
        recipe=recipe_name,
        status="running",
        created=now.isoformat(timespec="microseconds"),
        **fields,
    )
    return run


def all_runs(root: Path) -> list[Run]:
    """All runs under a folder, newest first; folders without a manifest are no runs."""
    dated = []
    for path in root.glob("*/*/run.json"):
        run = Run(path.parent)
        try:
            created = str(run.manifest.get("created", ""))
        except ZooError:
            continue
        # Names count seconds; two runs of one second are told apart by the manifest.
        dated.append((run.id.partition("-")[0], created, run.name, run))
    return [run for *_, run in sorted(dated, key=lambda entry: entry[:3], reverse=True)]


def _newest(root: Path) -> datetime:
    """When the newest run was created: a clock that was set back makes no newer run older."""
    for run in all_runs(root)[:1]:
        with contextlib.suppress(ZooError, ValueError, TypeError):
            return datetime.fromisoformat(run.manifest.get("created", "")).astimezone(UTC)
    return datetime.min.replace(tzinfo=UTC)


def find(text: str, root: Path) -> Run:
    """The run that a person means.

    Args:
        text: ``"latest"``; ``"recipe/id"``; an id, its four-letter code, or the
            start of either name, as long as only one run fits; or a folder's path.
        root: the folder that holds all runs.

    Raises:
        ZooError: no run fits, or several do.
    """
    runs = all_runs(root)
    if text == "latest" and runs:
        return runs[0]
    exact = [run for run in runs if text in (run.name, run.id)]
    if len(exact) == 1:
        return exact[0]
    folder = Path(text).expanduser()
    if (folder / "run.json").is_file():
        return Run(folder.resolve())
    fitting = [
        run
        for run in runs
        if text
        and (run.name.startswith(text) or run.id.startswith(text) or run.id.endswith(f"-{text}"))
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise ZooError(
            f"{len(fitting)} runs fit {text!r}: {_some(fitting)}. Type more of the name."
        )
    if not runs:
        raise ZooError(f"no run {text!r}: there are no runs in {root}. Make one: zoo run RECIPE")
    names = [run.name for run in runs]
    guess = nearest(text, ["latest", *names]) or "."
    raise ZooError(f"no run {text!r} in {root}{guess} There: latest, {_some(runs)}.")


def _some(runs: list[Run], most: int = 5) -> str:
    names = ", ".join(run.name for run in runs[:most])
    return f"{names} and {len(runs) - most} more" if len(runs) > most else names
