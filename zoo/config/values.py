"""Values as they are typed on the command line."""

from __future__ import annotations

import ast
from typing import Any, get_args

from zoo.errors import ZooError
from zoo.plugin.settings import parts, typed, written

_FAILS = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


def literal(text: str) -> Any:
    """What text stands for: a Python literal, or else itself."""
    try:
        return ast.literal_eval(text)
    except _FAILS:
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def _refuse_huge(value: Any, where: str) -> None:
    """Refuse an integer of more than 64 bits, alone or in a tuple: nothing counts so far."""
    if isinstance(value, (list, tuple, set)):
        for item in value:
            _refuse_huge(item, where)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        bits = value.bit_length()
        raise ZooError(f"{where}: an integer has at most 64 bits, and this one {bits}")


def _registered(text: str, annotation: Any) -> dict[str, type]:
    """``{name: class}`` of the registered feature space that text names, where one is wanted."""
    from zoo.plugin import registry
    from zoo.plugin.features import FeatureSpace

    name = text.partition("(")[0].strip()
    wanted = isinstance(annotation, type) and issubclass(annotation, FeatureSpace)
    known = {record.name for record in registry.records("features")} if wanted else ()
    found = registry.load("features", name) if name in known else None
    return {name: found} if found and issubclass(found, annotation) else {}


def parsed(text: str, annotation: Any, where: str) -> Any:
    """Text as a Python literal where it is one that fits, else as text where that fits.

    A setting with settings of its own is written as in a recipe, ``NormalMixture(16)``.

    Raises:
        ZooError: the text stands for nothing that fits the annotation.
    """
    value = literal(text)
    _refuse_huge(value, where)
    known = parts(annotation)
    if known and not (value is None and type(None) in get_args(annotation)):
        return written(text, known | _registered(text, annotation), where)
    if isinstance(value, str):
        return typed(value, annotation, where)
    try:
        return typed(value, annotation, where)
    except ZooError as refused:
        try:
            return typed(text, annotation, where)
        except ZooError:
            raise refused from None
