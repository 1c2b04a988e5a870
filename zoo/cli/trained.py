"""What the commands on a finished run share: open it, read its data, write what it shows."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from zoo.errors import ZooError
from zoo.runs import folders
from zoo.runs.run import Run
from zoo.runtime import backends, files, writer
from zoo.runtime.console import columns, fitted, say
from zoo.runtime.quiet import import_backend

if TYPE_CHECKING:
    from zoo.datasets import Split
    from zoo.datasets.given import Given
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
    return run, loaded(run, recipe, backend, device)


def loaded(run: Run, recipe: str | None, backend: str | None, device: str | None) -> Any:
    """The model of a run, under the backend chosen for this process."""
    backends.activate(backends.choose(backend, Path(recipe) if recipe else None, device))
    import_backend()
    from zoo.runs.load import load

    return load(run, recipe=recipe)


def meant(text: str, runs_folder: str | None, *, to_resume: bool = False) -> Run:
    """The run or pack a person means; a line on stderr says which it is and why."""
    run = folders.find(text, folders.root(runs_folder), say, to_resume=to_resume)
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


def own(
    run: Run,
    model: Any,
    inputs: Sequence[Path],
    label: str | None = None,
    binarized: bool = True,
) -> Given:
    """Examples of a person's own, fitted and binarized as the run's were; lines say what was done.

    Args:
        run: the run.
        model: its model.
        inputs: pictures, folders or arrays.
        label: number or name of the class of all of them; None for what the data say.
        binarized: whether they are to be binarized where the run's were.

    Raises:
        ZooError: they cannot be read or made like the run's, or a conditional model needs their
            classes.
    """
    from zoo.datasets import given
    from zoo.datasets.assorted import Assorted
    from zoo.datasets.images import Form
    from zoo.datasets.pipeline import binarize_once
    from zoo.plugin import serialization

    manifest, form = run.manifest, Form()
    described = manifest.dataset
    if described.name and not described.code:
        dataset = serialization.create("datasets", described.name, described.settings)
        if isinstance(dataset, Assorted):
            fit, background, limits = dataset.fit, dataset.background, dataset.value_range
            form = Form(fit=fit, background=background, value_range=limits)
    like = given.Like(model.data, model.class_names, form)
    found = given.read(inputs, like, say)
    split = found.split
    if label is not None:
        from zoo.reports.views import label_of

        y = np.full(len(split), label_of(model, label), "int32")
        split = dataclasses.replace(split, y=y)
        found = dataclasses.replace(found, labels=y, class_names=tuple(model.class_names))
    if model.plugin.conditional and split.y is None:
        classes = model.class_names or [f"0 to {model.data.classes - 1}"]
        raise ZooError(
            f"{model.where} is conditional and has to know the class of each example: name it with "
            f"--label, or give class folders of its names. Its classes: {', '.join(classes[:20])}"
        )
    if manifest.binarized and binarized:
        say("pixels become black or white at random by their grey, as in the run's training")
        split = dataclasses.replace(split, x=binarize_once(split.x, manifest.seed, "input"))
    return dataclasses.replace(found, split=split)


def shown(
    run: Run,
    model: Any,
    inputs: Sequence[Path],
    label: str | None,
    data_dir: str | None,
    recipe: str | None,
) -> tuple[Split, str]:
    """Examples that a person gave, else the run's test examples; and what files call them."""
    if inputs:
        name = "-".join(path.stem for path in inputs[:2]) or "input"
        return own(run, model, inputs, label).split, name[:60]
    if label is not None:
        raise ZooError("--label is the class of --input, which is not given")
    return examples(run, data_dir, recipe), "test"


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


@contextlib.contextmanager
def new_folder(target: Path) -> Iterator[Callable[[str, np.ndarray], None]]:
    """A folder to write pictures to, ``save(name, picture)``: all of them or none.

    Args:
        target: is made, or filled, when the block has ended; it must not exist yet, or be empty.

    Raises:
        ZooError: it holds files, or cannot be written.
    """
    from zoo.reports.pictures import to_uint8

    def save(name: str, picture: np.ndarray) -> None:
        pixels, file = to_uint8(picture), partial / name
        pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as content:
                Image.fromarray(pixels).save(content, format="png")
        except OSError as error:
            raise _cannot_write(target, error) from error

    try:
        there = target.exists()
        # one that is there may be a mount or the working folder, which cannot be replaced
        home = target if there else target.absolute().parent
        partial = home / f".{target.absolute().name}-{os.urandom(8).hex()}"
        if there and (not target.is_dir() or any(target.iterdir())):
            raise ZooError(f"{target} exists and is not an empty folder: name another with --out")
        partial.mkdir(parents=True)
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        yield save
        try:
            if there:
                for path in sorted(partial.iterdir()):
                    path.rename(target / path.name)
                partial.rmdir()
            else:
                partial.rename(target)
        except OSError as error:
            raise _cannot_write(target, error) from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _below(target: Path, run: Run) -> Path | None:
    """The run's folder for a file in it, below which no link is followed; else None."""
    if not target.is_relative_to(run.path):
        return None
    if not files.within(target.parent, run.path):
        raise ZooError(f"{target} is a link out of the run's folder: choose a file with --out")
    return run.path


def _cannot_write(target: Path, error: OSError) -> ZooError:
    return files.unwritable(target, error)
