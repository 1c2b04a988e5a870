"""Data with several named sources: what a model needs of them, and what ``fit`` is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError, nearest

if TYPE_CHECKING:
    from zoo.plugin.model import DataSpec, Model

_FIRST = ("x", "image")  # what the first source may be called in a batch, besides its name
_LABELS = ("label", "labels")


def refuse_mismatch(model: Model, data: DataSpec) -> None:
    """Refuse data that a model cannot be trained on, before anything is built.

    Raises:
        ZooError: one message with all that the model needs and the data do not give.
    """
    where, lacks = type(model).__name__, []
    if model.conditional and not data.classes:
        lacks.append(f"{where} is conditional, and these data have no labels")
    if data.missing_labels and not model.missing_labels:
        lacks.append(
            f"{where} takes no missing labels, and these data declare that labels may be -1: leave "
            "rows without a label out, or take a model that says missing_labels = True"
        )
    missing = [name for name in model.sources if name not in data.sources]
    loose = tuple(name for name in model.sources[1:] if name in model.unpaired)
    unpaired = f", unpaired={loose!r}" if loose else ""
    arrays = f"datasets.Arrays(PATH, sources={tuple(model.sources)!r}{unpaired})"
    if missing:
        shape = ", ".join([*map(str, data.shape[:-1]), "..."])
        shapes = ", ".join(f'"{name}": ({shape})' for name in model.sources)
        lacks.append(
            f"{where} needs the sources {listed(model.sources)}, and these data have "
            f"{listed(data.sources) or 'one source without a name'}. Give data whose spec is "
            f"DataSpec(sources={{{shapes}}}{unpaired}), such as {arrays}"
        )
    elif model.sources and model.sources[0] != next(iter(data.sources)):
        lacks.append(
            f"{where} needs {model.sources[0]} first, because it is batch.x, and these data have "
            f"{listed(data.sources)} in this order. Name them in the order of the model, as in "
            f"{arrays}"
        )
    strict = [n for n in model.sources if n in data.unpaired and n not in model.unpaired]
    if strict:
        lacks.append(
            f"{where} needs pairs, row i of {listed(strict)} for row i of {model.sources[0]}, "
            f"and these data have {listed(strict)} unpaired. A model that needs none says "
            f"unpaired = {tuple(strict)!r}"
        )
    if lacks:
        raise ZooError("; ".join(lacks))


def named(given: Any, labels: Any, data: DataSpec, where: str) -> tuple[dict[str, Any], Any]:
    """What ``fit`` is given, by the names of the data's sources.

    Args:
        given: one array or tensor; or ``{source: array}``, in which ``x`` or ``image`` may stand
            for the first source, and ``label`` or ``labels`` for the labels.
        labels: given apart, or None.
        data: what the model was built for.
        where: the model's name, for messages.

    Returns:
        ``({source: array}, labels)``, the sources in the order of the data.

    Raises:
        ZooError: a source is missing, or a name is of none.
    """
    names = list(data.shapes)
    if not isinstance(given, Mapping):
        if len(names) > 1:
            raise ZooError(
                f"{where} was built for the sources {listed(names)}: give them by name, as in "
                f"fit({_example(names)})"
            )
        return {names[0]: given}, labels
    given = dict(given)
    for name in _FIRST:
        if name not in names and names[0] not in given and name in given:
            given[names[0]] = given.pop(name)
    for name in _LABELS:
        if labels is None and name not in names and name in given:
            labels = given.pop(name)
    if set(given) != set(names):
        odd = [name for name in given if name not in names]
        missing = [name for name in names if name not in given]
        what = f"{listed(missing)} missing" if missing else f"{listed(odd)} unknown"
        raise ZooError(
            f"{where}: this batch has {listed(given) or 'no source'}, with {what}"
            f"{(odd and nearest(odd[0], names)) or '.'} It was built for the sources "
            f"{listed(names)}, and takes {_example(names)}, with or without labels"
        )
    return {name: given[name] for name in names}, labels


def listed(names: Iterable[str]) -> str:
    """Names in words: ``"photo, sketch and mask"``."""
    *before, last = list(names) or [""]
    return f"{', '.join(before)} and {last}" if before else last


def _example(names: Iterable[str]) -> str:
    return "{" + ", ".join(f'"{name}": ...' for name in [*names, "label"]) + "}"
