"""``zoo.export``: a part of a trained model as a file for another runtime, checked there."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zoo.errors import RunFailed, ZooError
from zoo.runs import export_card, folders, formats
from zoo.runs.manifest import Manifest
from zoo.runs.run import Run
from zoo.runtime import backends, files, processes, writer
from zoo.runtime.waiting import waiting

_SECONDS = 900.0  # that a child may take


@dataclass(frozen=True)
class Exported:
    """A file that was written and checked.

    Attributes:
        path: the file; of a SavedModel, the folder.
        card: the text beside it that says how to use it.
        part: of the model that it holds.
        difference: the largest from the model's own outputs, at three batch sizes.
        backend: that wrote it.
        reference: the backend whose outputs it was compared with.
        runtime: that ran it, with its version.
        size: in bytes.
    """

    path: Path
    card: Path
    part: str
    difference: float
    backend: str
    reference: str
    runtime: str
    size: int


def export(
    run: Run | Path | str,
    *,
    format: Literal["onnx", "saved_model", "litert", "keras"],
    part: Literal["decoder", "generator", "encoder", "classifier", "sampler"] | None = None,
    to: Path | str | None = None,
    which: Literal["final", "best"] = "final",
    recipe: Path | str | None = None,
    runs_folder: str | None = None,
) -> Exported:
    """Write a part of a trained model as a file, run it in its own runtime, and compare.

    All of it happens in child processes on the CPU: the model's outputs are computed under the
    backend that trained it, where that is installed, and the file is written under a backend that
    does the format well. A file that does not agree with the model within 1e-4 of each number plus
    1e-5, at batches of 1, 3 and 7 rows, is not kept. The numbers are computed in float32, also of
    a run in mixed precision.

    Args:
        run: a run or pack, as ``zoo.load`` takes it, and read by the same rules.
        format: ``"onnx"``, ``"saved_model"`` (of TensorFlow), ``"litert"`` or ``"keras"``.
        part: ``"decoder"``, codes to examples, which of a GAN is called ``"generator"``;
            ``"encoder"``, examples to codes, or to the parameters of q(z|x); ``"classifier"``,
            pictures to probabilities; or ``"sampler"``, noise to samples. By default the decoder
            or generator, else the first that the model has.
        to: the file, whose suffix is the format's: ``.onnx``, ``.tflite`` or ``.keras``; of a
            SavedModel a folder. One that is there is replaced. By default ``exports/PART`` in the
            run's folder, or beside, in the working folder, for a pack. A card is written beside.
        which: the weights that training ended with, or those of the best epoch.
        recipe: the recipe's file, for a run whose model or networks are its code.
        runs_folder: where runs are; default ``ZOO_RUNS``, else ``./runs``.

    Returns:
        What was written, and how near it is to the model.

    Raises:
        ZooError: there is no such run, part or format, a package is missing, or the file cannot
            be written.
        RunFailed: the part cannot be written in this format, or does not agree with the model.
    """
    if not isinstance(run, Run):
        run = folders.find(str(run), folders.root(runs_folder))
    described, form = run.manifest, formats.find(format)
    to = None if to is None else _accepted(Path(to), form)
    writes = form.backend(described.backend)
    there = backends.installed()
    refers = described.backend if described.backend in there else writes
    what = f"run {run.name}: its {part or 'model'} as {form.title}"
    with tempfile.TemporaryDirectory(prefix="zoo-export-") as name:
        folder = Path(name)
        job = {
            "run": str(run.path.resolve()),
            "recipe": None if recipe is None else str(Path(recipe).resolve()),
            "which": which,
            "part": part,
            "format": format,
            "folder": name,
        }
        steps = {refers: ["refer", "write"]} if refers == writes else {
            refers: ["refer"], writes: ["write"],
        }  # fmt: skip
        with waiting(f"exporting {form.title}"):
            for backend, own in steps.items():
                _child(["-m", "zoo.runs.export_child", json.dumps({**job, "steps": own})],
                       backend, f"{what} cannot be exported")  # fmt: skip
            about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
            made, result = folder / f"made{form.suffix}", folder / "result.json"
            program = formats.check(form, made, about, folder / "reference.npz", result)
            _child(["-c", program], refers, f"{what}: nothing is written, for {form.version} "
                   "does not give what the model gives")  # fmt: skip
        part = about["part"]
        target = to or _place(run, described, f"{part}{form.suffix or '_saved_model'}")
        size = placed(made, target, form, run)
        found = Exported(
            path=target,
            card=target.with_name(f"{target.name}.md"),
            part=part,
            difference=json.loads(result.read_text())["difference"],
            backend=writes,
            reference=refers,
            runtime=form.version,
            size=size,
        )
        text = export_card.card(found, form, about)
        _write(found.card, text.encode("utf-8", "backslashreplace"), run)
    return found


def _accepted(to: Path, form: formats.Format) -> Path:
    if form.suffix and to.suffix.lower() != form.suffix:
        raise ZooError(f"{to}: the name of a file of {form.title} has to end in {form.suffix}")
    if form.suffix and to.is_dir():
        raise ZooError(f"{to} is a folder: choose another file")
    if form.suffix or not to.exists() or (to / "saved_model.pb").exists():
        return to
    if to.is_dir() and not any(to.iterdir()):
        return to
    raise ZooError(f"{to} is there and no SavedModel: choose another folder")


def _child(arguments: list[str], backend: str, failed: str) -> None:
    environment = {
        **backends.ON_CPU,
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "ZOO_ACCELERATE": "none",  # a file holds what plain Keras computes
    }
    if reason := processes.failure(arguments, _SECONDS, environment):
        raise RunFailed(f"{failed}: {reason}")


def _place(run: Run, described: Manifest, name: str) -> Path:
    """In the folder of a run; beside, in the working folder, for a pack."""
    return Path(f"{run.id}-{name}") if described.pack else run.path / "exports" / name


def placed(made: Path, target: Path, form: formats.Format, run: Run) -> int:
    """Copy what was made to its place; return its size in bytes.

    Raises:
        ZooError: something else is there, or it cannot be written.
    """
    _accepted(target, form)
    if made.is_file():
        return _write(target, made.read_bytes(), run)
    new = target.with_name(f".{target.name}.new")  # the old SavedModel goes once this is whole
    try:
        shutil.rmtree(new, ignore_errors=True)
        parts = sorted(path for path in made.rglob("*") if path.is_file())
        size = sum(_write(new / p.relative_to(made), p.read_bytes(), run) for p in parts)
        if target.is_dir():
            shutil.rmtree(target)
        new.rename(target)
    except OSError as error:
        raise files.unwritable(target, error) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return size


def _write(target: Path, content: bytes, run: Run) -> int:
    below: Any = run.path if target.is_relative_to(run.path) else None
    try:
        writer.write(target, content, below)
    except OSError as error:
        raise files.unwritable(target, error) from error
    return len(content)
