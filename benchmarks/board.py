"""The pictures of docs/tutorials/tensorboard.md: what TensorBoard shows of runs made to be asked.

    python -m benchmarks.board                  train the runs and photograph the panels
    python -m benchmarks.board --runs FOLDER    keep the runs there, or use those that are there

The runs are small models on scikit-learn's digits: some ten seconds each. Needs Chromium.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

import zoo
from benchmarks.diagnosis import CASES, QUIET, falling, vae
from zoo.runs import folders

PICTURES = Path(__file__).parents[1] / "docs/pictures/board"
EPOCHS = 40

RUNS: dict[str, Callable[[], zoo.Recipe]] = {
    "vae_kl_0.05": lambda: vae(falling(3e-3, EPOCHS), EPOCHS, kl=0.05),
    "vae_kl_1": lambda: vae(falling(3e-3, EPOCHS), EPOCHS),
    "vae_kl_4": lambda: vae(falling(3e-3, EPOCHS), EPOCHS, kl=4.0),
    **{
        name: CASES[name]
        for name in (
            "discriminator_wins",
            "mode_collapse",
            "vanishing_gradient",
            "still_improving",
            "overfitting",
        )
    },
}
"""Recipes by the names of their runs; the first three differ in a setting."""


def trained(folder: Path) -> None:
    """Train what is not there yet; ``vae_kl_1`` is stopped after half of its epochs and resumed."""
    for name, made in RUNS.items():
        if (folder / name).is_dir():
            continue
        recipe = dataclasses.replace(made(), callbacks=[zoo.callbacks.TensorBoard()], seed=5)
        part = dataclasses.replace(recipe, epochs=EPOCHS // 2) if name == "vae_kl_1" else recipe
        print(f"training {name}", flush=True)
        run = zoo.train(part, name=name, runs_folder=str(folder), access=QUIET)
        if part is not recipe:
            zoo.resume(run, recipe=recipe, access=QUIET)
