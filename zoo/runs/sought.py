"""Runs found by what they were made of: the recipe's text, its changes, the backend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from zoo.config import grids
from zoo.errors import ZooError
from zoo.runs.manifest import Manifest
from zoo.runs.run import MANIFEST, Run
from zoo.runtime import files

_MOST = 1 << 20  # bytes of a recipe


@dataclass(frozen=True)
class Found:
    """A run and its manifest, as it was when it was read."""

    run: Run
    manifest: Manifest

    @property
    def finished(self) -> bool:
        """Whether it is finished."""
        return self.manifest.status == "finished"


class Sought:
    """The runs of one recipe in a folder of runs.

    Asked again, it reads manifests that have changed alone.

    Args:
        root: folder of all runs.
        name: of the recipe.
        source: its text, as it is now; runs of another text are others.
        device: that they trained on, as ``--device`` has it; None for any. One GPU is as another.
        strict: whether runs on data that stand in for others are others.
    """

    def __init__(
        self,
        root: Path,
        name: str,
        source: bytes,
        device: str | None = None,
        strict: bool = False,
    ):
        self._folder, self._source = root / name, source
        self._device, self._strict = device, strict
        self._known: dict[Path, tuple[tuple[int, int], Found | None]] = {}

    def find(self, changes: Iterable[str], backend: str) -> Found | None:
        """The run of these changes: a finished one before others, else the newest; or None."""
        wanted = grids.settled(changes)
        fitting = [
            found
            for found in self._all()
            if found.manifest.backend == backend and grids.settled(found.manifest.changes) == wanted
        ]
        return max(fitting, key=lambda f: (f.finished, f.manifest.created), default=None)

    def refresh(self) -> None:
        """Read what has changed in the folder since."""
        known, self._known = self._known, {}
        for path in self._folder.glob(f"*/{MANIFEST}"):
            try:
                stat = path.stat()
            except OSError:  # it is gone
                continue
            mark = (stat.st_mtime_ns, stat.st_ino)
            before = known.get(path)
            same = before is not None and before[0] == mark
            self._known[path] = before if before and same else (mark, self._read(Run(path.parent)))

    def _all(self) -> Iterator[Found]:
        return (found for _, found in self._known.values() if found is not None)

    def _read(self, run: Run) -> Found | None:
        """A run of this recipe that started from nothing; None for any other."""
        try:
            manifest = run.manifest
            if manifest.pack or manifest.weights_from or manifest.resumed:
                return None
            if manifest.on_nan != "stop" or manifest.devices > 1:
                return None
            on_cpu = manifest.device == "cpu"
            if self._device and on_cpu != (self._device == "cpu"):
                return None
            if self._strict and "stand-in" in manifest.data.name:
                return None
            same = files.read(run.recipe, _MOST) == self._source
        except (ZooError, FileNotFoundError):
            return None
        return Found(run, manifest) if same else None
