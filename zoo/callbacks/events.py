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

from zoo.callbacks.event_file import EventFile
from zoo.reports import pictures

VALIDATION = "validation"  # folder of the events of validation
FINAL = "final"  # group of what is measured when training is over

BINS = 64  # of a histogram


class Events:
    """Writes what a run says to TensorBoard; a tag never has a step twice or backwards.

    What is written is in its file at once.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._files: dict[str, EventFile] = {}
        self._last: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()  # Keras may tell of steps in several threads

    def scalar(self, tag: str, value: float, step: int, part: str = "") -> None:
        """Write a number, of training or of ``part``."""
        self._add(tag, step, part, simple_value=float(value))

    def image(self, tag: str, image: np.ndarray, step: int) -> None:
        """Write a picture, uint8 ``(height, width, 3)``."""
        height, width, channels = image.shape
        fields = {"height": height, "width": width, "colorspace": channels}
        self._add(tag, step, image={**fields, "encoded_image_string": pictures.png(image)})

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """Write how numbers are distributed; those that are not finite are left out."""
        values = values[np.isfinite(values)].astype("float64").ravel()
        if not len(values):
            return
        counts, edges = np.histogram(values, BINS)
        histogram = {
            "min": edges[0],
            "max": edges[-1],
            "num": len(values),
            "sum": values.sum(),
            "sum_squares": np.square(values).sum(),
            # each bin has only its right edge, so that an empty one on the left has the first
            "bucket_limit": edges,
            "bucket": [0, *counts],
        }
        self._add(tag, step, histo=histogram)

    def text(self, tag: str, markdown: str, step: int = 0) -> None:
        """Write a page of text."""
        self._add(f"{tag}/text_summary", step, **_string(markdown.encode()), **_for("text"))

    def charts(self, charts: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        """Write the page Custom Scalars: ``{group: {chart: tags that it draws together}}``."""
        from tensorboard.plugins.custom_scalar.layout_pb2 import Layout

        layout = Layout()
        for group, own in charts.items():
            category = layout.category.add(title=group)
            for title, tags in own.items():
                category.chart.add(title=title, multiline={"tag": tags})
        of = _string(layout.SerializeToString()) | _for("custom_scalars")
        self._add("custom_scalars__config__", 0, **of)

    def settings(self, settings: Mapping[str, float | str]) -> None:
        """Write what HParams compares runs by, as those of the run itself.

        The summary of an experiment is left out: without it, TensorBoard works out by itself which
        settings differ.
        """
        from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

        about = HParamsPluginData()
        for name, value in settings.items():
            kind = "string_value" if isinstance(value, str) else "number_value"
            setattr(about.session_start_info.hparams[name], kind, value)
        of = _for("hparams", about.SerializeToString())
        self._add("_hparams_/session_start_info", 0, **of)

    def ended(self) -> None:
        """Write for HParams that the run came to its end."""
        from tensorboard.plugins.hparams.api_pb2 import STATUS_SUCCESS
        from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

        about = HParamsPluginData(session_end_info={"status": STATUS_SUCCESS})
        of = _for("hparams", about.SerializeToString())
        self._add("_hparams_/session_end_info", 0, **of)

    def close(self) -> None:
        """Close the files. What is written afterwards opens new ones."""
        for file in self._files.values():
            file.close()
        self._files = {}

    def _add(self, tag: str, step: int, part: str = "", **value: Any) -> None:
        with self._lock:
            if step <= self._last.get((part, tag), -1):
                return
            self._last[part, tag] = step
            if part not in self._files:
                self._files[part] = EventFile(self._folder / part, self._folder)
            self._files[part].add(step, tag=tag, **value)


def _for(plugin: str, content: bytes = b"") -> dict[str, Any]:
    """The field that says which of TensorBoard's plugins a value is for."""
    return {"metadata": {"plugin_data": {"plugin_name": plugin, "content": content}}}


def _string(content: bytes) -> dict[str, Any]:
    """The field of a string."""
    return {"tensor": {"dtype": "DT_STRING", "string_val": [content], "tensor_shape": {}}}


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
