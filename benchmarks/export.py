"""Exports of trained models in every format, and the table of docs/lab/exports.md.

    python -m benchmarks.export        measure, and write the table anew

The models are pretrained ones. A file is written once, by ``zoo.export``'s own child, and run in
its own runtime against the model on each backend.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from zoo.runs import formats, pretrained
from zoo.runtime import backends, processes

DOCS = Path(__file__).parents[1] / "docs/lab/exports.md"
PARTS = [
    ("VAE decoder", "vae_mnist", "decoder"),
    ("VAE encoder", "vae_mnist", "encoder"),
    ("DCGAN generator", "dcgan_mnist", "generator"),
    ("conditional VAE decoder", "cvae_mnist", "decoder"),
]
_START, _END = "<!-- measured -->", "<!-- end -->"


def main() -> None:
    """Measure, and put the table into the page."""
    there = backends.installed()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for backend in there:
            jobs = [job for place in range(len(PARTS)) for job in _jobs(place, backend, folder)]
            _child(["-m", "zoo.runs.export_child", *jobs], backend)
        rows = [[title] for title, _, _ in PARTS]
        for format in formats.FORMATS:
            _check(format, folder, there)
            for place, row in enumerate(rows):
                row.append(_cell(folder / f"{place}-{format}", format, there))
    heads = ["", *(form.title for form in formats.FORMATS.values())]
    lines = [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]
    versions = ", ".join(form.version for form in formats.FORMATS.values())
    on = f"the largest difference from the model on {', '.join(there)}, and the size of the file"
    lines += ["", f"Each cell: {on}. {versions}."]
    text = "\n".join(lines)
    print(text)
    page = DOCS.read_text(encoding="utf-8")
    put = re.sub(f"{_START}.*{_END}", lambda _: f"{_START}\n\n{text}\n\n{_END}", page, flags=re.S)
    DOCS.write_text(put, encoding="utf-8")


def _jobs(place: int, backend: str, folder: Path) -> list[str]:
    """What a child under a backend makes of a part: its outputs, and the files that it writes."""
    _, name, part = PARTS[place]
    steps = {f"{place}-{backend}": ("keras", "refer")}
    for format, form in formats.FORMATS.items():
        if form.backend(backends.installed()[0]) == backend:
            steps[f"{place}-{format}"] = (format, "write")
    jobs = []
    for inside, (format, step) in steps.items():
        (folder / inside).mkdir()
        job = {
            "run": str(pretrained.find(name).path),
            "recipe": None,
            "which": "final",
            "part": part,
            "format": format,
            "folder": str(folder / inside),
            "steps": [step],
        }
        jobs.append(json.dumps(job))
    return jobs


def _check(format: str, folder: Path, there) -> None:
    """Run the files of a format in its runtime, against the model on each backend."""
    form, programs = formats.FORMATS[format], []
    for place in range(len(PARTS)):
        inside = folder / f"{place}-{format}"
        about = json.loads((inside / "about.json").read_text())
        for backend in there:
            paths = folder / f"{place}-{backend}" / "reference.npz", inside / f"{backend}.json"
            programs.append(formats.check(form, inside / f"made{form.suffix}", about, *paths))
    _child(["-c", "\n".join(programs)], there[0])


def _cell(inside: Path, format: str, there) -> str:
    off = [json.loads((inside / f"{name}.json").read_text())["difference"] for name in there]
    made = inside / f"made{formats.FORMATS[format].suffix}"
    files = [made] if made.is_file() else [path for path in made.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    return f"{', '.join(f'{number:.1e}' for number in off)}; {size / 1e6:.2f} MB"


def _child(arguments: list[str], backend: str) -> None:
    environment = {**backends.ON_CPU, "KERAS_BACKEND": backend, "ZOO_ACCELERATE": "none"}
    if why := processes.failure(arguments, 900, environment):
        raise SystemExit(why)


if __name__ == "__main__":
    main()
