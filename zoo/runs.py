"""The folder of a run: its name, its manifest, its files, and finding it again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import tokenize
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from zoo import files
from zoo.durability import locks
from zoo.errors import ZooError, nearest

FORMAT = 1
_MOST_JSON = 16 << 20  # bytes


def root(option: str | None = None) -> Path:
    """The folder that holds all runs: the option, else ``ZOO_RUNS``, else ``./runs``."""
    return Path(option or os.environ.get("ZOO_RUNS") or "runs").expanduser()


@dataclass(frozen=True)
class Run:
    """One training and all that it produced: ``<root>/<recipe>/<utc time>-<code>/``.

    ``run.json`` is its manifest; a folder without one is not a run.
    """

    path: Path

    @classmethod
    def create(
        cls, root: Path, recipe_name: str, *, source: str | Path | None = None, **fields: Any
    ) -> Run:
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
                raise _cannot_write(root, error) from error
            except OSError as error:
                raise _cannot_write(root, error) from error
        run = cls(path)
        if source:  # before the manifest: what is a run has its recipe
            try:
                shutil.copyfile(source, run.recipe)
            except OSError as error:
                raise _cannot_write(run.recipe, error) from error
        run.update(
            format=FORMAT,
            recipe=recipe_name,
            status="running",
            created=now.isoformat(timespec="microseconds"),
            **fields,
        )
        return run

    @property
    def id(self) -> str:
        """The folder's own name, ``20261121T101500Z-3f2a``."""
        return self.path.name

    @property
    def name(self) -> str:
        """What to call the run: ``vae_mnist/20261121T101500Z-3f2a``."""
        return f"{self.path.parent.name}/{self.id}"

    @property
    def weights(self) -> Path:
        """The weights that the training ended with, and the optimizers' state."""
        return self.path / "model.weights.h5"

    @property
    def sampler(self) -> Path:
        """The sampler fitted to the codes, where the recipe has one."""
        return self.path / "sampler.npz"

    @property
    def events(self) -> Path:
        """The folder of TensorBoard events."""
        return self.path / "tensorboard"

    @property
    def pictures(self) -> Path:
        """The folder of sample pictures and reconstructions."""
        return self.path / "pictures"

    @property
    def recipe(self) -> Path:
        """The source of the recipe, as it was run."""
        return self.path / "recipe.py"

    @property
    def source(self) -> str:
        """The text of the recipe, in the encoding that it declares; empty where there is none."""
        if not self.recipe.exists():
            return ""
        with tokenize.open(self.recipe) as file:
            return file.read()

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints, see ``zoo.durability.checkpoints``."""
        return self.path / "checkpoints"

    @property
    def log(self) -> Path:
        """Every term of every epoch, as a table."""
        return self.path / "history.csv"

    @property
    def manifest(self) -> dict[str, Any]:
        """What ``run.json`` holds; ``ZooError`` when it cannot be read."""
        return self.read_json("run.json")

    @property
    def status(self) -> str:
        """``running``, ``finished``, ``interrupted`` or ``failed``; ``killed`` before any."""
        written = str(self.manifest.get("status", "running"))
        return "killed" if written == "running" and not locks.is_held(self.path) else written

    def update(self, **fields: Any) -> None:
        """Set fields of the manifest; the others stay."""
        current = self.manifest if (self.path / "run.json").exists() else {}
        self.write_json("run.json", current | fields)

    def hashes(self) -> dict[str, str]:
        """SHA-256, hexadecimal, of the files of trained numbers that there are, by name."""
        there = [file for file in (self.weights, self.sampler) if file.exists()]
        return {file.name: _sha256(file) for file in there}

    def check_hashes(self, weights: bool = True) -> None:
        """Compare the files of trained numbers with the hashes that training ended with.

        Args:
            weights: whether the weights are among them.

        Raises:
            ZooError: one has changed since. A run that did not finish has no hashes.
        """
        found = self.hashes()
        for name, recorded in self.manifest.get("sha256", {}).items():
            if found.get(name) != recorded and (weights or name != self.weights.name):
                raise ZooError(
                    f"run {self.name}: {name} is not the file that training ended with (its "
                    "SHA-256 is not that of run.json): take the run's folder from where it came "
                    "from once more"
                )

    def write_json(self, name: str, value: Any) -> None:
        """Write a file whole or not at all: a reader never sees half of it."""
        target = self.path / name
        temporary = self.path / f".{name}.{os.getpid()}"
        text = json.dumps(value, indent=2, ensure_ascii=False, default=_plain)
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise _cannot_write(target, error) from error

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a file that ``write_json`` wrote.

        Raises:
            ZooError: it is missing, unreadable, or no JSON object.
        """
        target = self.path / name
        try:
            if target.exists() and files.solid(target) > _MOST_JSON:
                raise ZooError(f"run {self.name}: {target} is larger than 16 MB")
            value = json.loads(target.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ZooError(f"run {self.name}: it has no {name} ({target})") from error
        except (OSError, ValueError, RecursionError) as error:
            raise ZooError(f"run {self.name}: cannot read {target}: {error}") from error
        if not isinstance(value, dict):
            raise ZooError(f"run {self.name}: {target} holds no JSON object")
        return value


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


def _sha256(path: Path) -> str:
    files.solid(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _some(runs: list[Run], most: int = 5) -> str:
    names = ", ".join(run.name for run in runs[:most])
    return f"{names} and {len(runs) - most} more" if len(runs) > most else names


def _cannot_write(path: Path, error: OSError) -> ZooError:
    return ZooError(
        f"cannot write {path}: {error.strerror or error}. "
        "Choose another folder for runs with --runs or ZOO_RUNS."
    )


def _plain(value: Any) -> Any:
    """NumPy numbers and arrays become Python's, paths text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON: {value!r}")
