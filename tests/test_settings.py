from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from zoo.errors import ZooError
from zoo.plugin.settings import check_settings, describe, typed

pytestmark = pytest.mark.backend_free


@dataclass(frozen=True)
class Toy:
    width: int = 1
    rate: float = 0.5
    units: tuple[int, ...] = (2,)
    name: str | None = None
    made: int = field(default=0, init=False)


class Other:
    pass


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        (3, int, 3),
        (3, float, 3.0),
        (3.5, float, 3.5),
        ([1, 2], tuple[int, ...], (1, 2)),
        ((), tuple[int, ...], ()),
        ([1, "a"], tuple[int, str], (1, "a")),
        ([1, 2], tuple, (1, 2)),
        ([1, 2], tuple[float, ...], (1.0, 2.0)),
        (None, int | None, None),
        (3, float | None, 3.0),
        (3, int | float, 3),
        (3.0, int | float, 3.0),
        (3, float | int, 3),
        ("a", Literal["a", "b"], "a"),
        (True, bool, True),
        ({"a": 1}, Mapping[str, int], {"a": 1}),
        ((1, 2), Sequence[int], [1, 2]),
        (len, Callable, len),
        (len, Callable[[Any], int], len),
        ("anything", Any, "anything"),
    ],
)
def test_values_that_fit_are_converted(value, annotation, expected):
    found = typed(value, annotation, "x")
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "annotation", "accepted"),
    [
        ("3", int, "int"),
        (3.0, int, "int"),
        (True, int, "int"),
        (True, float, "float"),
        (1, bool, "bool"),
        (None, str, "str"),
        (3, tuple[int, ...], "a tuple of int"),
        ([1, "2"], tuple[int, ...], "a tuple of int"),
        ([1], tuple[int, int], r"tuple\[int, int\]"),
        ("12", tuple, "tuple"),
        ("c", Literal["a", "b"], "one of 'a', 'b'"),
        ("x", int | None, "int or None"),
        ([1], Mapping[str, int], "a dict"),
        ({}, list, "a list"),
        (int, Callable, "a function"),
        ("ab", Sequence[str], "a list"),
        (3, Callable, "a function"),
        (3, Other, "Other"),
    ],
)
def test_values_that_do_not_are_refused(value, annotation, accepted):
    with pytest.raises(ZooError, match=f"^x takes {accepted}, not "):
        typed(value, annotation, "x")


@pytest.mark.parametrize(
    ("value", "annotation", "message"),
    [
        ([1, "a"], Sequence[int], r"x\[1\] takes int, not 'a' \(str\)"),
        ({"a": {"b": 1}}, Mapping[str, Mapping[str, str]], r"x\['a'\]\['b'\] takes str, not 1"),
        ([Other], Sequence[Other], r"x\[0\] takes Other, not the class Other: write Other\(...\)"),
        ("tree", Literal["three", "four"], r"not 'tree' \(str\); did you mean 'three'\?"),
    ],
)
def test_what_is_wrong_inside_is_told_with_its_place(value, annotation, message):
    with pytest.raises(ZooError, match=message):
        typed(value, annotation, "x")


def test_annotations_in_words():
    assert describe(tuple[float, ...] | None) == "a tuple of float or None"
    assert describe(Literal["a", 1]) == "one of 'a', 1"


def test_settings_of_a_dataclass_whose_annotations_are_text():
    assert check_settings(Toy, {"units": [3, 4], "rate": 1}) == {"units": (3, 4), "rate": 1.0}
    assert check_settings(Toy, {}) == {}


@dataclass(frozen=True)
class Typed(Toy):
    model: Unimported = None  # noqa: F821  # as if imported under TYPE_CHECKING
    models: Sequence[Unimported] = ()  # noqa: F821
    depth: int = 1


def test_an_annotation_that_cannot_be_read_is_not_checked_and_the_others_are():
    anything = object()
    values = {"model": anything, "models": 3, "width": 2}
    assert check_settings(Typed, values) == values
    for wrong in ({"width": "2"}, {"depth": "2"}):
        with pytest.raises(ZooError, match=r"^Typed\.(width|depth) takes int, not '2'"):
            check_settings(Typed, wrong)


def test_a_long_value_is_told_in_one_short_line():
    with pytest.raises(ZooError) as refused:
        typed([[1, 2, 3]] * 100, int, "x")
    assert len(str(refused.value)) < 120 and str(refused.value).endswith(" ... (list)")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widht": 2}, r"^Toy: unknown setting 'widht'; did you mean 'width'\? Accepted: .*units"),
        ({"made": 2}, "unknown setting 'made'"),
        ({"width": "2"}, r"^Toy\.width takes int, not '2' \(str\)$"),
        ({"name": 2}, r"^Toy\.name takes str or None, not 2 \(int\)$"),
    ],
)
def test_wrong_settings_are_refused(values, message):
    with pytest.raises(ZooError, match=message):
        check_settings(Toy, values)
    with pytest.raises(ZooError, match=r"^here"):
        check_settings(Toy, values, where="here")
