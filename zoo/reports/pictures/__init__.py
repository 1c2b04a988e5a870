"""Pictures for people: grids, comparisons, scatter plots, captions, PNG files.

Pictures come in as float32 in [0, 1] or uint8, channels last, with one channel or
three; an image is a uint8 array ``(height, width, 3)``.
"""

from __future__ import annotations

from zoo.reports.pictures.animation import WIDEST, fitted, gif, strip, titled
from zoo.reports.pictures.files import encoded, read, save
from zoo.reports.pictures.grids import (
    BACKGROUND,
    alike,
    beside,
    compare,
    enlarged,
    grid,
    is_picture,
    to_uint8,
)
from zoo.reports.pictures.histograms import histograms
from zoo.reports.pictures.scatters import BLUE, COLOURS, GREY, by_label, scatter
from zoo.reports.pictures.shown import Pictures, show
from zoo.reports.pictures.terminal import half_blocks
from zoo.reports.pictures.text import caption, class_names, framed

__all__ = [
    "BACKGROUND",
    "BLUE",
    "COLOURS",
    "GREY",
    "WIDEST",
    "Pictures",
    "alike",
    "beside",
    "by_label",
    "caption",
    "class_names",
    "compare",
    "encoded",
    "enlarged",
    "fitted",
    "framed",
    "gif",
    "grid",
    "half_blocks",
    "histograms",
    "is_picture",
    "read",
    "save",
    "scatter",
    "show",
    "strip",
    "titled",
    "to_uint8",
]
