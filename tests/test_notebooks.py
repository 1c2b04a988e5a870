"""Notebooks: their code is Python; in the whole form of the tests it runs, on small settings."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path

import pytest

from zoo.runtime import backends

pytestmark = pytest.mark.backend_free
ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SMALL = {  # what is shown, and what a test takes in its place
    "EPOCHS = 30": "EPOCHS = 2",
    "EPOCHS = (1, 4, 15)": "EPOCHS = (1, 1)",
    "datasets.MNIST()": "datasets.Digits(size=28)",
    "SIDE = 15": "SIDE = 3",
}


def cells(path, kind):
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == kind]


def test_there_are_three():
    assert len(NOTEBOOKS) == 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_code_parses_and_no_output_is_kept(path):
    code = cells(path, "code")
    ast.parse("\n".join(code))
    assert 'os.environ.setdefault("KERAS_BACKEND", "jax")' in code[0]
    assert cells(path, "markdown")[0].startswith("# ")
    stored = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert [cell for cell in stored if cell.get("outputs") or cell.get("execution_count")] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    notebook = nbformat.read(path, as_version=4)
    used = set()
    for cell in notebook.cells:
        for shown, small in SMALL.items():
            if shown in cell.source:
                cell.source = cell.source.replace(shown, small)
                used.add(shown)
    assert used
    backend = "jax" if "jax" in backends.installed() else backends.installed()[0]
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": tmp_path}}
    )
    client.execute(env=environment)
    made = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    images = [output for output in made if "image/png" in output.get("data", {})]
    assert [output for output in made if output.output_type == "error"] == []
    assert images
