"""The folder of a run: its name, its manifest, its files, and finding it again."""

from __future__ import annotations

import io
import os
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.runs import locks, manifest
from zoo.runs.manifest import Manifest
from zoo.runtime import files, jsons, writer
from zoo.runtime.console import printable

MANIFEST, RESULTS = "run.json", "results.json"
_MOST_JSON = 16 << 20  # bytes
_MOST_SOURCE = 1 << 20  # bytes


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
        return printable(f"{self.path.parent.name}/{self.id}")

    @property
    def packed_weights(self) -> Path:
        """The weights of a pack; a run has its last checkpoint."""
        return self.path / "weights.safetensors"

    @property
    def sampler(self) -> Path:
        """The sampler fitted to the codes, where the recipe has one."""
        return self.path / "sampler.safetensors"

    @property
    def networks(self) -> Path:
        """Configs of networks that are the recipe's own; see ``zoo.runs.own_networks``."""
        return self.path / "networks.json"

    @property
    def codes(self) -> Path:
        """A pack's sample of codes, with labels where there are any."""
        return self.path / "codes.safetensors"

    @property
    def events(self) -> Path:
        """The folder of TensorBoard events: the run's, after which TensorBoard calls them."""
        return self.path

    @property
    def event_files(self) -> list[Path]:
        """All files of TensorBoard events: of training, and of validation in a folder below."""
        return sorted([*self.path.glob("*tfevents*"), *self.path.glob("validation/*tfevents*")])

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
        try:
            content = files.read(self.recipe, _MOST_SOURCE)
        except FileNotFoundError:
            return ""
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding)

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints, see ``zoo.runs.checkpoints``."""
        return self.path / "checkpoints"

    @property
    def log(self) -> Path:
        """Every term of every epoch, as a table."""
        return self.path / "history.csv"

    def has_ended(self, described: Manifest) -> bool:
        """Whether ``results.json`` tells of the weights that the run has now.

        That of a training which was finished and went on since tells of earlier ones.
        """
        return described.status == "finished" and (self.path / RESULTS).exists()

    @property
    def is_gone(self) -> bool:
        """Whether the folder is no run any longer: removed, moved, or without its manifest."""
        return not os.path.lexists(self.path / MANIFEST)

    @property
    def manifest(self) -> Manifest:
        """What ``run.json`` says, read now and checked; ``ZooError`` names the field that is wrong.

        Read it once where several fields are needed: another process may be training the run.
        """
        value = self.read_json(MANIFEST)
        try:
            return manifest.parse(value)
        except ZooError as error:
            raise ZooError(f"run {self.name}: {error}") from error

    @property
    def status(self) -> str:
        """``running``, ``finished``, ``interrupted`` or ``failed``; ``killed`` before any."""
        return self.status_of(self.manifest)

    def status_of(self, described: Manifest) -> str:
        """As ``status``, of a manifest that is read already."""
        killed = described.status == "running" and not locks.is_held(self.path)
        return "killed" if killed else described.status

    def needs_recipe(self, described: Manifest) -> bool:
        """Whether the run's model can only be built with its recipe, which is code."""
        own = bool(described.networks) and not self.networks.is_file()
        return bool(described.model.code) or own

    def update(self, **fields: Any) -> None:
        """Set fields of the manifest, as JSON has them; the others stay.

        Raises:
            ZooError: there is no manifest, as when the folder was removed; it cannot be written;
                or a field is not what it may be.
        """
        self.write_manifest({**self.read_json(MANIFEST), **fields})

    def write_manifest(self, value: dict[str, Any]) -> None:
        """Write a manifest that is complete; ``ZooError`` where reading it would be refused."""
        try:
            described = manifest.parse(jsons.parsed(jsons.text(value, finite=False)))
        except (ZooError, ValueError) as error:
            raise ZooError(f"run {self.name}: {error}") from error
        self._write_json(MANIFEST, described.json(), finite=False)  # settings may be infinite

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the folder whole or not at all, through no link in it."""
        target = self.path / name
        try:
            writer.write(target, content, self.path)
        except OSError as error:
            raise cannot_write(target, error) from error

    def write_json(self, name: str, value: Any) -> None:
        """Write a value as JSON, in which NaN and infinity are null.

        A reader never sees half of it.
        """
        self._write_json(name, value, finite=True)

    def _write_json(self, name: str, value: Any, finite: bool) -> None:
        text = jsons.text(value, finite=finite, ascii_only=False)
        # halves of characters, which paths may have, become escapes
        self.write(name, (text + "\n").encode("utf-8", "backslashreplace"))

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a file that ``write_json`` wrote.

        Raises:
            ZooError: it is missing, unreadable, or no JSON object.
        """
        return json_object(self.path / name, f"run {self.name}")


def json_object(path: Path, what: str) -> dict[str, Any]:
    """The JSON object in a file; the message of an error begins with ``what``."""
    try:
        value = jsons.parsed(files.read(path, _MOST_JSON, links=True))
    except FileNotFoundError as error:
        raise ZooError(f"{what}: it has no {path.name} ({printable(str(path))})") from error
    except ZooError as error:
        raise ZooError(f"{what}: {error}") from error
    except ValueError as error:
        raise ZooError(f"{what}: cannot read {printable(str(path))}: {error}") from error
    if not isinstance(value, dict):
        raise ZooError(f"{what}: {printable(str(path))} holds no JSON object")
    return value


def cannot_write(path: Path, error: OSError) -> ZooError:
    """The error for a file of a run that cannot be written."""
    return files.unwritable(path, error, "Choose another folder for runs with --runs or ZOO_RUNS.")
