"""TensorBoard events of a run, written without TensorFlow.

TensorBoard calls a curve by the folder that its events lie in. Those of training lie in the run's
own folder, those of validation in ``validation/`` below it: one tag, one chart, two curves.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

VALIDATION = "validation"  # folder of the events of validation
FINAL = "final"  # group of what is measured when training is over

BINS = 64  # of a histogram


class Events:
    """Writes what a run says to TensorBoard; a tag never has a step twice or backwards.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._writers: dict[str, Any] = {}
        self._last: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()  # Keras may tell of steps in several threads

    def scalar(self, tag: str, value: float, step: int, part: str = "") -> None:
        """Write a number, of training or of ``part``."""
        if self._is_new(part, tag, step):
            self._writer(part).add_scalar(tag, float(value), step)

    def image(self, tag: str, image: np.ndarray, step: int) -> None:
        """Write a picture, uint8 ``(height, width, 3)``."""
        if self._is_new("", tag, step):
            self._writer().add_image(tag, image, step, dataformats="HWC")

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """Write how numbers are distributed; those that are not finite are left out."""
        values = values[np.isfinite(values)]
        if len(values) and self._is_new("", tag, step):
            self._writer().add_histogram(tag, values, step, bins=BINS)

    def text(self, tag: str, markdown: str, step: int = 0) -> None:
        """Write a page of text."""
        if self._is_new("", tag, step):
            self._writer().add_text(tag, markdown, step)

    def charts(self, charts: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        """Write the page Custom Scalars: ``{group: {chart: tags that it draws together}}``."""
        layout = {
            group: {title: ["Multiline", list(tags)] for title, tags in own.items()}
            for group, own in charts.items()
        }
        self._writer().add_custom_scalars(layout)

    def settings(self, settings: Mapping[str, float | str]) -> None:
        """Write what HParams compares runs by, as those of the run itself.

        tensorboardX's ``add_hparams`` would make a run of its own below this one, without curves.
        The summary of an experiment is left out: without it, TensorBoard works out by itself which
        settings differ.
        """
        from tensorboardX.summary import hparams

        _, start, _ = hparams(dict(settings), {})
        self._writer().file_writer.add_summary(start)

    def ended(self) -> None:
        """Write for HParams that the run came to its end."""
        from tensorboardX.summary import hparams

        *_, end = hparams({}, {})
        self._writer().file_writer.add_summary(end)

    def flush(self) -> None:
        """Hand all that was written to the system."""
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        """Close the files. What is written afterwards opens new ones."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _writer(self, part: str = "") -> Any:
        from tensorboardX import SummaryWriter

        with self._lock:
            if part not in self._writers:
                folder = self._folder / part
                # names have the second alone: a file of the same one would be written over
                place = len(list(folder.glob("*tfevents*")))
                suffix = f".{place:04d}"
                self._writers[part] = SummaryWriter(logdir=str(folder), filename_suffix=suffix)
            return self._writers[part]

    def _is_new(self, part: str, tag: str, step: int) -> bool:
        with self._lock:
            new = step > self._last.get((part, tag), -1)
            if new:
                self._last[part, tag] = step
            return new


def fenced(code: str, language: str = "") -> str:
    """Markdown of a block of code, whatever the code has in it."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}{language}\n{code}\n{fence}"


def table(rows: Iterable[tuple[str, str]], head: tuple[str, str]) -> str:
    """A table in Markdown."""
    lines = [head, ("---", "---"), *rows]
    return "\n".join(f"| {left} | {right} |" for left, right in lines)
