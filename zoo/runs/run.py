"""The folder of a run: its name, its manifest, its files, and finding it again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.runs import locks
from zoo.runtime import files

FORMAT = 1
_MOST_JSON = 16 << 20  # bytes


@dataclass(frozen=True)
class Run:
    """One training and all that it produced: ``<root>/<recipe>/<utc time>-<code>/``.

    ``run.json`` is its manifest; a folder without one is not a run.
    """

    path: Path

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
        """The folder of checkpoints, see ``zoo.runs.checkpoints``."""
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
            raise cannot_write(target, error) from error

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a file that ``write_json`` wrote.

        Raises:
            ZooError: it is missing, unreadable, or no JSON object.
        """
        target = self.path / name
        try:
            if target.exists() and files.regular_file_size(target) > _MOST_JSON:
                raise ZooError(f"run {self.name}: {target} is larger than 16 MB")
            value = json.loads(target.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ZooError(f"run {self.name}: it has no {name} ({target})") from error
        except (OSError, ValueError, RecursionError) as error:
            raise ZooError(f"run {self.name}: cannot read {target}: {error}") from error
        if not isinstance(value, dict):
            raise ZooError(f"run {self.name}: {target} holds no JSON object")
        return value


def _sha256(path: Path) -> str:
    files.regular_file_size(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cannot_write(path: Path, error: OSError) -> ZooError:
    """The error for a file of a run that cannot be written."""
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
