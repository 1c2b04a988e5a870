"""The Python that makes what the page of ``zoo explore`` shows."""

from __future__ import annotations

import textwrap

import numpy as np

from zoo.reports.explore import SAMPLES, STEPS, Walk

_DIGITS = 9  # of a number, which give float32 back as it is


class Python:
    """Writes Python that loads a model and makes what a visitor sees.

    Args:
        name: of the run or pretrained model.
        options: of ``zoo.load``; None for those that are not needed.
    """

    def __init__(self, name: str, **options: str | None):
        given = [f"{key}={value!r}" for key, value in options.items() if value is not None]
        self._load = f"model = zoo.load({', '.join([repr(name), *given])})"

    def picture(self, walk: Walk) -> str:
        """Of the picture at a visitor's code."""
        call = f"picture = model.decode(z[None]{_labels(walk, 1)})[0]"
        return self._joined([*_code("z", walk.z), call], walk)

    def between(self, walk: Walk) -> str:
        """Of the pictures between a visitor's two codes."""
        a, b = walk.ends
        lines = [*_code("a", a), *_code("b", b), f"t = np.linspace(0, 1, {STEPS})[:, None]"]
        if walk.spherical:
            lines += [
                "angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))",
                "way = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)",
            ]
        else:
            lines.append("way = (1 - t) * a + t * b")
        call = f"pictures = model.decode(way{_labels(walk, STEPS)})"
        return self._joined([*lines, call], walk)

    def samples(self, walk: Walk) -> str:
        """Of the grid of samples, for a model that samples."""
        return self._joined([f"pictures = model.sample({SAMPLES}, seed={walk.seed})"], walk)

    def _joined(self, lines: list[str], walk: Walk) -> str:
        needs = ["import numpy as np"] if len(lines) > 1 else []
        said = f"  # float32 in [0, 1], each {walk.space.shape}"
        return "\n".join([*needs, "import zoo", "", self._load, *lines]) + f"{said}\n"


def _code(name: str, z: np.ndarray) -> list[str]:
    numbers = ", ".join(f"{value:.{_DIGITS}g}" for value in z)
    wrapped = textwrap.wrap(numbers, 92, initial_indent="    ", subsequent_indent="    ")
    return [f"{name} = np.array([", *wrapped, '], "float32")']


def _labels(walk: Walk, n: int) -> str:
    return f", labels=[{walk.label or 0}] * {n}" if walk.space.conditional else ""
