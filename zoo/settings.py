"""Values of settings against their annotations: checked and converted, or refused."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from zoo.errors import ZooError, unknown


class _Mismatch(Exception):
    """The value does not fit the annotation."""


def check_settings(cls: type, values: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Settings of a dataclass, each of the type that its field says.

    Args:
        cls: a dataclass.
        values: ``{field: value}``; lists become tuples and integers floats where the
            field asks for them.
        where: what the message speaks of; by default the class's name.

    Returns:
        The values, converted.

    Raises:
        ZooError: a name that is no field, or a value of another type.
    """
    where = where or cls.__name__
    names = [field.name for field in dataclasses.fields(cls) if field.init]
    hints = typing.get_type_hints(cls)
    checked = {}
    for name, value in values.items():
        if name not in names:
            raise unknown("setting", name, names, where=where)
        checked[name] = check(value, hints[name], f"{where}.{name}")
    return checked


def check(value: Any, annotation: Any, where: str) -> Any:
    """One value against one annotation; ``ZooError`` says what is accepted.

    >>> check([512, 256], tuple[int, ...], "hidden")
    (512, 256)
    """
    try:
        return _convert(value, annotation)
    except _Mismatch:
        raise ZooError(
            f"{where} takes {describe(annotation)}, not {value!r} ({type(value).__name__})"
        ) from None


def describe(annotation: Any) -> str:
    """An annotation in words: ``int``, ``a tuple of int``, ``one of 'a', 'b'``."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(describe(arg) for arg in args)
    if origin is Literal:
        return "one of " + ", ".join(map(repr, args))
    if origin is tuple:
        inner = args[0] if len(args) == 2 and args[1] is Ellipsis else None
        return f"a tuple of {describe(inner)}" if inner else str(annotation)
    if annotation is type(None):
        return "None"
    return getattr(annotation, "__name__", str(annotation))


def _convert(value, annotation):
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation in (Any, typing.Any):
        return value
    if origin in (Union, types.UnionType):
        return _first(value, args)
    if origin is Literal:
        return _require(value, value in args)
    if annotation is type(None):
        return _require(value, value is None)
    if annotation is float:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return float(_require(value, number))
    if annotation is int:
        return _require(value, isinstance(value, int) and not isinstance(value, bool))
    if origin is tuple or annotation is tuple:
        return _tuple(value, args)
    if Callable in (origin, annotation):
        return _require(value, callable(value))
    kind = origin or annotation
    if kind in (Sequence, list):
        return list(_require(value, isinstance(value, (list, tuple))))
    if not isinstance(kind, type):
        return value
    return _require(value, isinstance(value, kind))


def _require(value, fits):
    if not fits:
        raise _Mismatch
    return value


def _first(value, annotations):
    """By the first alternative that takes the value as it is, else the first that can."""
    converted = []
    for annotation in annotations:
        try:
            result = _convert(value, annotation)
        except _Mismatch:
            continue
        if type(result) is type(value):
            return result
        converted.append(result)
    if not converted:
        raise _Mismatch
    return converted[0]


def _tuple(value, args):
    _require(value, isinstance(value, (list, tuple)))
    if not args:
        return tuple(value)
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_convert(item, args[0]) for item in value)
    _require(value, len(value) == len(args))
    return tuple(_convert(item, arg) for item, arg in zip(value, args, strict=True))
