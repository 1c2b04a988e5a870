"""The Python that makes what the page of ``zoo explore`` shows."""

from __future__ import annotations

import textwrap

import numpy as np

from zoo.reports.explore import SAMPLES, STEPS, Walk

_DIGITS = 9  # of a number, which give float32 back as it is


def picture(name: str, walk: Walk) -> str:
    """Of the picture at a visitor's code; ``name`` is what ``zoo.load`` takes."""
    lines = [*_opening(name), *_code("z", walk.z)]
    return _joined(lines, f"picture = model.decode(z[None]{_labels(walk, 1)})[0]", walk)


def between(name: str, walk: Walk) -> str:
    """Of the pictures between a visitor's two codes."""
    a, b = walk.ends
    lines = [*_opening(name), *_code("a", a), *_code("b", b)]
    lines.append(f"t = np.linspace(0, 1, {STEPS})[:, None]")
    if walk.spherical:
        lines += [
            "angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))",
            "way = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)",
        ]
    else:
        lines.append("way = (1 - t) * a + t * b")
    return _joined(lines, f"pictures = model.decode(way{_labels(walk, STEPS)})", walk)


def samples(name: str, walk: Walk) -> str:
    """Of the grid of samples, for a model that samples."""
    call = f"pictures = model.sample({SAMPLES}, seed={walk.seed})"
    return _joined(_opening(name)[1:], call, walk)


def _opening(name: str) -> list[str]:
    return ["import numpy as np", "import zoo", "", f"model = zoo.load({name!r})"]


def _code(name: str, z: np.ndarray) -> list[str]:
    numbers = ", ".join(f"{value:.{_DIGITS}g}" for value in z)
    wrapped = textwrap.wrap(numbers, 92, initial_indent="    ", subsequent_indent="    ")
    return [f"{name} = np.array([", *wrapped, '], "float32")']


def _labels(walk: Walk, n: int) -> str:
    return f", labels=[{walk.label or 0}] * {n}" if walk.space.conditional else ""


def _joined(lines: list[str], last: str, walk: Walk) -> str:
    return "\n".join([*lines, f"{last}  # float32 in [0, 1], {walk.space.shape} each", ""])
