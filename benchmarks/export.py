"""Exports of trained models in every format, and the table of docs/export.md.

    python -m benchmarks.export --runs FOLDER        measure, and write the table anew

FOLDER holds a run of ``cvae_mnist``; the other models are the pretrained ones. A file is written
once, by ``zoo.export``'s own child, and run in its own runtime against the model on each backend.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from pathlib import Path

from zoo.errors import ZooError
from zoo.runs import folders, formats
from zoo.runs.export import ABSOLUTE, RELATIVE, SIZES
from zoo.runs.run import Run
from zoo.runtime import backends, processes

DOCS = Path(__file__).parents[1] / "docs" / "export.md"
PARTS = [
    ("VAE decoder", "vae_mnist", "decoder"),
    ("VAE encoder", "vae_mnist", "encoder"),
    ("DCGAN generator", "dcgan_mnist", "generator"),
    ("conditional VAE decoder", "cvae_mnist", "decoder"),
]
_START, _END = "<!-- measured -->", "<!-- end -->"


def main() -> None:
    """Measure, and put the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", help="folder that holds runs")
    root = folders.root(parser.parse_args().runs)
    there = backends.installed()
    head = f"| | {' | '.join(form.title for form in formats.FORMATS.values())} |"
    lines = [head, f"|{'---|' * (len(formats.FORMATS) + 1)}"]
    for title, name, part in PARTS:
        run = folders.find(name, root)
        cells = _cells(run, part, there)
        lines.append(f"| {title} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    versions = ", ".join(form.version for form in formats.FORMATS.values())
    lines += ["", f"Each cell: largest difference from the model on {', '.join(there)}; size of the"
              f" file. {versions}."]  # fmt: skip
    text = "\n".join(lines)
    page = DOCS.read_text(encoding="utf-8")
    put = re.sub(f"{_START}.*{_END}", lambda _: f"{_START}\n\n{text}\n\n{_END}", page, flags=re.S)
    DOCS.write_text(put, encoding="utf-8")


def _cells(run: Run, part: str, there) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for backend in there:
            (folder / backend).mkdir()
            if why := _child(run, part, "keras", folder / backend, backend, "refer"):
                raise ZooError(why)
        return [_cell(run, part, name, folder, there) for name in formats.FORMATS]


def _cell(run: Run, part: str, name: str, folder: Path, there) -> str:
    form, off = formats.FORMATS[name], []
    if why := _child(run, part, name, folder, form.backend(there[0]), "write"):
        return f"not written: {why}"
    made, result = folder / f"made{form.suffix}", folder / "result.json"
    about = json.loads((folder / "about.json").read_text())
    for backend in there:
        reference = folder / backend / "reference.npz"
        program = formats.check(form, made, about, reference, result, SIZES, RELATIVE, ABSOLUTE)
        environment = {**backends.ON_CPU, "KERAS_BACKEND": backend, "ZOO_ACCELERATE": "none"}
        why = processes.failure(["-c", program], 900, environment)
        off.append(why or f"{json.loads(result.read_text())['difference']:.1e}")
    files = [made] if made.is_file() else [path for path in made.rglob("*") if path.is_file()]
    return f"{', '.join(off)}; {sum(path.stat().st_size for path in files) / 1e6:.2f} MB"


def _child(run: Run, part: str, name: str, folder: Path, backend: str, step: str) -> str:
    job = {
        "run": str(run.path.resolve()),
        "recipe": None,
        "which": "final",
        "part": part,
        "format": name,
        "folder": str(folder),
        "sizes": SIZES,
        "steps": [step],
    }
    environment = {**backends.ON_CPU, "KERAS_BACKEND": backend, "ZOO_ACCELERATE": "none"}
    return processes.failure(["-m", "zoo.runs.export_child", json.dumps(job)], 900, environment)


if __name__ == "__main__":
    main()
