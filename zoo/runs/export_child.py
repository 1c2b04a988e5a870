"""The child process of an export: what the model gives, and the file.

python -m zoo.runs.export_child JOB...      each as JSON, see ``main``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.errors import ZooError, shortened
from zoo.plugin.serialization import call_text
from zoo.runs import formats, parts
from zoo.runs.load import load
from zoo.runs.manifest import Manifest
from zoo.runs.run import Run


def main(job: dict[str, Any]) -> None:
    """Make what an export needs of the model, in a folder.

    Args:
        job: ``run``, ``recipe``, ``which`` and ``part`` as for ``zoo.export``; ``format``;
            ``folder``; and ``steps``: ``"refer"`` for ``reference.npz`` and ``"write"`` for
            ``made`` and ``about.json``.
    """
    run, folder = Run(Path(job["run"])), Path(job["folder"])
    model = load(run, which=job["which"], recipe=job["recipe"], precision="float32")
    made = parts.part(model, job["part"])
    if "refer" in job["steps"]:
        refer(model, made, folder / "reference.npz")
    if "write" in job["steps"]:
        form = formats.find(job["format"])
        rng = np.random.default_rng(0)
        made.model({v.name: v.drawn(1, rng) for v in made.inputs})  # else Keras exports none
        about = described(run, run.manifest, made)
        form.write(made, folder / f"made{form.suffix}", about)
        (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


def refer(model, made: parts.Part, path: Path) -> None:
    """Write inputs, and what the model gives for them, at the batch sizes of a check."""
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    for n in formats.SIZES:
        inputs = {value.name: value.drawn(n, rng) for value in made.inputs}
        arrays |= {f"{n} in {name}": array for name, array in inputs.items()}
        outputs = parts.expected(model, made, inputs)
        arrays |= {f"{n} out {name}": array for name, array in outputs.items()}
    np.savez(path, **arrays)  # type: ignore[arg-type]  # its other arguments are flags


def described(run: Run, manifest: Manifest, made: parts.Part) -> dict[str, Any]:
    """What an export says of itself: in the file, and on its card."""
    pack = manifest.pack
    weights = {k: v for k, v in manifest.sha256.items() if k.endswith(".safetensors")}
    return {
        "title": f"{made.name} of {manifest.model.title}, trained on {manifest.data.name}",
        "part": made.name,
        **made.described(),
        "model": call_text(manifest.model.title, manifest.model.settings),
        "made_from": f"{'pack' if pack else 'run'} {run.id if pack else run.name}",
        "weights_sha256": weights,
        "license": (pack.license if pack else "") or "not stated",
        "exported_by": f"Keras {keras.__version__} on {keras.backend.backend()}",
        "imports": sorted(_imports(made.model)),
    }


def _imports(layer: keras.layers.Layer) -> set[str]:
    """The modules of layers that Keras has not, which a ``.keras`` file needs to be loaded."""
    own = {type(layer).__module__}
    inner = (_imports(part) for part in getattr(layer, "layers", ()))
    return {name for name in own.union(*inner) if name.partition(".")[0] != "keras"}


if __name__ == "__main__":
    try:
        for text in sys.argv[1:]:
            main(json.loads(text))
    except ZooError as error:
        sys.exit(shortened(str(error), 500))
    except Exception as error:  # of a framework, which may say why in many lines
        sys.exit(shortened(f"{type(error).__name__}: {error}", 500))
