"""What the commands on a finished run share: open it, read its data, write what it shows."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from zoo.errors import ZooError
from zoo.runs import folders
from zoo.runs.run import Run
from zoo.runtime import backends, files, writer
from zoo.runtime.console import columns, fitted, say
from zoo.runtime.quiet import import_backend

if TYPE_CHECKING:
    from zoo.datasets import Split
    from zoo.reports.views import Shown


def opened(
    text: str,
    runs_folder: str | None,
    recipe: str | None,
    backend: str | None,
    device: str | None,
) -> tuple[Run, Any]:
    """The run a person means and its model, under the backend chosen for this process.

    The first line on stderr says which run is meant.
    """
    run = meant(text, runs_folder)
    backends.activate(backends.choose(backend, Path(recipe) if recipe else None, device))
    import_backend()
    from zoo.runs.load import load

    return run, load(run, recipe=recipe)


def meant(text: str, runs_folder: str | None) -> Run:
    """The run or pack a person means; a line on stderr says which it is and why."""
    run = folders.find(text, folders.root(runs_folder), say)
    _ = run.manifest  # a damaged one is refused before a backend is imported
    return run


def place(run: Run, name: str) -> Path:
    """Where a command writes a file of this name: into a run, but beside for a pack.

    A pack may be in an installed package; it is not written to. Its files go into the working
    folder, with its name before theirs.
    """
    if run.manifest.pack:
        return Path(f"{run.id}-{Path(name).name}")
    return run.path / name


def examples(run: Run, data_dir: str | None, recipe: str | None, split: str = "test") -> Split:
    """The examples of a run's own data, binarized once where the run did in any way.

    Args:
        run: the run.
        data_dir: folder to look for data in, or None.
        recipe: the recipe's file, for data that are the recipe's own.
        split: ``"train"``, ``"validation"`` or ``"test"``; for a test split that is empty,
            another.

    Raises:
        ZooError: the data cannot be had, or are other data than the run was trained on.
    """
    from zoo.datasets import Access
    from zoo.datasets.pipeline import binarize_once
    from zoo.runs import results

    access = Access(data_dir=Path(data_dir) if data_dir else None, say=say)
    data = results.data_of(run, access, Path(recipe) if recipe else None)
    if split == "test" and not len(data.test):
        split = "validation" if len(data.validation) else "train"
        say(f"run {run.name} has no test examples: {split} examples are shown")
    found, manifest = getattr(data, split), run.manifest
    if not len(found):
        raise ZooError(f"run {run.name} has no {split} examples: choose another --split")
    if split == "train" and manifest.binarized:
        return dataclasses.replace(found, x=binarize_once(found.x, manifest.seed, split))
    return found


def explored(run: Run, model: Any, data_dir: str | None, recipe: str | None) -> Split:
    """Test examples to explore the latent space from; none for a model that cannot encode."""
    return examples(run, data_dir, recipe) if model.can("encode") else unexplored(model)


def unexplored(model: Any) -> Split:
    """No examples, for what is seen of a latent space without any."""
    from zoo.datasets import Split

    return Split(np.zeros((0, *model.data.shape), "uint8"))


def written(target: Path, run: Run, view: Shown, what: str, show: bool = False) -> str:
    """Write what a model shows as a picture, or as numbers where the file is .npy; say where.

    Args:
        target: the file; its folder is made where it is missing.
        run: the run, which the picture names.
        view: what the model shows.
        what: it shows, in words.
        show: whether the picture stands before the line, where stdout is a terminal.

    Raises:
        ZooError: it cannot be written, or not as a picture.
    """
    from zoo.reports import pictures

    name, image = run.manifest.data.name, view.image
    if target.suffix.lower() == ".npy":
        with writing(target, run) as file:
            np.save(file, view.numbers)
        return fitted(f"{target}  float32 {view.numbers.shape}")
    if image is None:
        raise ZooError("such examples cannot be drawn: write numbers, with --out FILE.npy")
    if "stand-in" in name:
        image = pictures.caption(image, name)
    below = _below(target, run)
    try:
        pictures.save(target, image, below, data=name, run=run.name)
    except OSError as error:
        raise _cannot_write(target, error) from error
    return (_blocks(view) if show else "") + fitted(f"{target}  {what}")


def _blocks(view: Shown) -> str:
    """The picture for the terminal that stdout is, and an end of line; else nothing."""
    from zoo.reports import pictures

    wide = columns(sys.stdout)
    if wide is None or view.image is None or os.environ.get("TERM") in ("dumb", "unknown"):
        return ""
    deep = os.environ.get("COLORTERM") in ("truecolor", "24bit")
    image = view.image if view.plain is None else view.plain
    return f"{pictures.half_blocks(image, wide, deep)}\n"


@contextlib.contextmanager
def writing(target: Path, run: Run) -> Iterator[IO[bytes]]:
    """A file to write numbers to; its folder is made where it is missing.

    Raises:
        ZooError: it cannot be written.
    """
    below, content = _below(target, run), io.BytesIO()
    yield content
    try:
        writer.write(target, content.getvalue(), below)
    except OSError as error:
        raise _cannot_write(target, error) from error


def _below(target: Path, run: Run) -> Path | None:
    """The run's folder for a file in it, below which no link is followed; else None."""
    if not target.is_relative_to(run.path):
        return None
    if not files.within(target.parent, run.path):
        raise ZooError(f"{target} is a link out of the run's folder: choose a file with --out")
    return run.path


def _cannot_write(target: Path, error: OSError) -> ZooError:
    return files.unwritable(target, error)
