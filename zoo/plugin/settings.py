"""Values of settings against their annotations: checked and converted, or refused."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from zoo.errors import ZooError, nearest, shortened, unknown


class _Mismatch(Exception):
    """A value does not fit its annotation: the value checked, or one inside it."""

    def __init__(self, value: Any, annotation: Any, inside: str = ""):
        super().__init__()
        self.value, self.annotation, self.inside = value, annotation, inside


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
    hints = field_types(cls)
    checked = {}
    for name, value in values.items():
        if name not in names:
            raise unknown("setting", name, names, where=where)
        checked[name] = typed(value, hints[name], f"{where}.{name}")
    return checked


def field_types(cls: type) -> dict[str, Any]:
    """``{field: annotation}`` of a class; ``Any``, which is not checked, for one that fails.

    As it does where a name in it is imported for type checkers alone.
    """
    try:
        return typing.get_type_hints(cls)
    except Exception:  # an annotation is code of anybody's
        own = [(base, inspect.get_annotations(base)) for base in reversed(cls.__mro__)]
        return {name: _alone(base, name, given[name]) for base, given in own for name in given}


def _alone(cls: type, name: str, annotation: Any) -> Any:
    """One annotation of a class, whatever the others are."""
    alone = types.SimpleNamespace(__annotations__={name: annotation})
    names = vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}
    try:
        return typing.get_type_hints(alone, names, dict(vars(cls)))[name]
    except Exception:
        return Any


def typed(value: Any, annotation: Any, where: str, verb: str = "takes") -> Any:
    """One value against one annotation; ``ZooError`` says what is accepted.

    >>> typed([512, 256], tuple[int, ...], "hidden")
    (512, 256)
    """
    try:
        return _convert(value, annotation)
    except _Mismatch as found:
        raise ZooError(
            f"{where}{found.inside} {verb} {describe(found.annotation)}, {_instead(found)}"
        ) from None


def _instead(found: _Mismatch) -> str:
    value = found.value
    if isinstance(value, type):
        return f"not the class {value.__name__}: write {value.__name__}(...)"
    options = get_args(found.annotation) if get_origin(found.annotation) is Literal else ()
    text = shortened(repr(value), 80)  # an array's has lines of it
    return f"not {text} ({type(value).__name__}){nearest(value, options)}"


def parts(annotation: Any) -> dict[str, type]:
    """The classes of settings that fit an annotation of a dataclass, by name; else none.

    A ``Prior`` is any of its subclasses that are known in this process. With ``| None`` it is
    the same: a part that may be left out.
    """
    alternatives = [arg for arg in get_args(annotation) if arg is not type(None)]
    if get_origin(annotation) in (Union, types.UnionType) and len(alternatives) == 1:
        annotation = alternatives[0]
    if not (isinstance(annotation, type) and dataclasses.is_dataclass(annotation)):
        return {}
    found = {annotation.__name__: annotation}
    for cls in annotation.__subclasses__():
        found |= parts(cls)
    return found


@dataclasses.dataclass(frozen=True)
class Call:
    """A part as it is written in a recipe: its name and the values of its settings."""

    name: str
    values: Sequence[Any]
    keywords: Mapping[str, Any]

    def settings(self, cls: type, where: str) -> dict[str, Any]:
        """``{setting: value}`` for a dataclass, values without a name by their places."""
        names = [f.name for f in dataclasses.fields(cls) if f.init and not f.kw_only]
        if len(self.values) > len(names):
            raise ZooError(
                f"{where}: {self.name} has {len(names)} settings, not {len(self.values)}"
            )
        return {**dict(zip(names, self.values, strict=False)), **self.keywords}


def called(text: str, known: Iterable[str], where: str) -> Call:
    """Text such as ``NormalMixture(16, components=10)``, taken apart and not run.

    Raises:
        ZooError: the text is no such call; the message names those known.
    """
    try:
        call = ast.parse(text, mode="eval").body
        if isinstance(call, (ast.Name, ast.Attribute)):
            call = ast.Call(call, [], [])
        name = ast.unparse(call.func).rpartition(".")[2]  # type: ignore[attr-defined]
        values = [ast.literal_eval(value) for value in call.args]  # type: ignore[attr-defined]
        keywords = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}  # type: ignore[attr-defined]
    except (AttributeError, SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        raise ZooError(
            f"{where} is written as in a recipe, NAME(setting=value), with one of "
            f"{', '.join(sorted(known))}; not {shortened(repr(text), 80)}"
        ) from None
    return Call(name, values, keywords)


def written(text: str, known: Mapping[str, type], where: str) -> Any:
    """A part as it is written in a recipe, ``NormalMixture(16, components=10)``.

    Args:
        text: the call; a name alone is a call without settings.
        known: ``{name: class}`` of the parts that fit.
        where: what the message speaks of.

    Raises:
        ZooError: the text is no such call, of no such part, or with values that do not fit.
    """
    call = called(text, known, where)
    if call.name not in known:
        raise unknown("part", call.name, known, where=where)
    return part(known[call.name], call.settings(known[call.name], where), where)


def part(cls: type, values: Mapping[str, Any], where: str) -> Any:
    """A dataclass of settings made with these values; ``ZooError`` where they do not fit."""
    try:
        return cls(**check_settings(cls, values, f"{where}, {cls.__name__}"))
    except TypeError as error:  # one without a default is not given
        raise ZooError(f"{where}: {error}") from error


def given_as_code(settings: Mapping[Any, Any]) -> list[str]:
    """Paths of the settings that JSON has no form for, such as ``"sources.photo"``."""
    found = []
    for key, value in settings.items():
        inner = dict(enumerate(value)) if isinstance(value, (list, tuple)) else value
        if isinstance(inner, Mapping):
            code = inner.keys() == {"object"}
            found += [f"{key}"] if code else [f"{key}.{path}" for path in given_as_code(inner)]
    return found


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
    if Mapping in (origin, annotation):
        return "a dict"
    if origin in (Sequence, list) or annotation in (Sequence, list):
        return "a list"
    if Callable in (origin, annotation):
        return "a function"
    more = sorted(set(parts(annotation)) - {getattr(annotation, "__name__", "")})
    if more and getattr(annotation, "told_with_its_kinds", False):
        return f"a {annotation.__name__}, as {'(...), '.join(more)}(...)"
    return getattr(annotation, "__name__", str(annotation))


def _convert(value, annotation):
    origin, args = get_origin(annotation), get_args(annotation)
    kind = origin or annotation

    def require(fits):
        if not fits:
            raise _Mismatch(value, annotation)
        return value

    if annotation is Any:
        return value
    if origin in (Union, types.UnionType):
        return _first(value, annotation)
    if origin is Literal:
        return require(value in args)
    if annotation is type(None):
        return require(value is None)
    if annotation is float:
        require(isinstance(value, (int, float)) and not isinstance(value, bool))
        require(isinstance(value, float) or abs(value) < 1 << 1023)  # above it is no float
        return float(value)
    if annotation is int:
        return require(isinstance(value, int) and not isinstance(value, bool))
    if kind is tuple:
        require(isinstance(value, (list, tuple)))
        return _tuple(value, annotation)
    if kind is Callable:
        return require(callable(value) and not isinstance(value, type))
    if kind is Mapping:
        require(isinstance(value, Mapping))
        of = args[1] if args else Any
        return {key: _item(value[key], of, f"[{key!r}]") for key in value}
    if kind in (Sequence, list):
        require(isinstance(value, (list, tuple)))
        of = args[0] if args else Any
        return [_item(item, of, f"[{i}]") for i, item in enumerate(value)]
    if isinstance(value, Mapping) and value.get("class") in parts(kind):
        fields = {key: item for key, item in value.items() if key != "class"}
        return part(parts(kind)[value["class"]], fields, value["class"])
    return require(isinstance(value, kind)) if isinstance(kind, type) else value


def _item(value, annotation, place):
    """One value of several; a mismatch says where among them."""
    try:
        return _convert(value, annotation)
    except _Mismatch as found:
        raise _Mismatch(found.value, found.annotation, place + found.inside) from None


def _first(value, annotation):
    """By the first alternative that takes the value as it is, else the first that can."""
    converted = []
    for alternative in get_args(annotation):
        try:
            result = _convert(value, alternative)
        except _Mismatch:
            continue
        if type(result) is type(value):
            return result
        converted.append(result)
    if not converted:
        raise _Mismatch(value, annotation)
    return converted[0]


def _tuple(value, annotation):
    args = get_args(annotation)
    if not args:
        return tuple(value)
    kinds = [args[0]] * len(value) if len(args) == 2 and args[1] is Ellipsis else args
    try:
        return tuple(_convert(item, kind) for item, kind in zip(value, kinds, strict=True))
    except (_Mismatch, ValueError):  # a tuple is told whole: it is short
        raise _Mismatch(value, annotation) from None
