"""The reference tells of every public name, and what it says is what the code says."""

from __future__ import annotations

import collections
import inspect
import re
import tomllib

import pytest

import zoo
from tests import reference
from tests.reference import written

pytestmark = pytest.mark.backend_free

MODULES = [
    "callbacks",
    "datasets",
    "features",
    "metrics",
    "random",
    "testing",
    "nn.losses.penalties",
]
MODULES += [f"nn.{name}" for name in zoo.nn.__all__]
TOLD = {name: value for topic in reference.TOPICS for name, value in reference.told(topic).items()}


def test_every_public_name_is_in_the_reference():
    names = [f"zoo.{name}" for name in zoo.__all__]
    names += [n for m in MODULES for n in reference.public(reference.resolved(f"zoo.{m}"))]
    wanted = {name: reference.resolved(name) for name in names}
    missing = [n for n, v in wanted.items() if not inspect.ismodule(v) and n not in TOLD]
    assert len(wanted) > 100
    assert missing == []


@pytest.mark.parametrize("name", TOLD)
def test_each_name_has_a_docstring_of_its_own(name):
    assert vars(TOLD[name]).get("__doc__") if inspect.isclass(TOLD[name]) else TOLD[name].__doc__


def test_the_pages_are_those_of_the_code():
    made = written.pages()
    committed = {*reference.DOCS.glob("reference/api/*.md"), *(reference.DOCS / p for p in made)}
    found = {p.relative_to(reference.DOCS).as_posix(): p.read_text("utf-8") for p in committed}
    assert found.keys() == made.keys(), "python -m tests.reference"
    stale = [path for path, text in made.items() if found[path] != text]
    assert stale == [], "python -m tests.reference"


def test_no_two_headings_of_a_page_have_one_anchor():
    for text in written.pages().values():
        anchors = collections.Counter(map(reference.anchor, re.findall("^#+ (.*)", text, re.M)))
        assert max(anchors.values()) == 1, anchors.most_common(1)


def test_the_site_has_every_page():
    site = (reference.DOCS.parent / "zensical.toml").read_text("utf-8")
    assert tomllib.loads(site)["project"]["nav"]
    assert [path for path in written.pages() if f'"{path}"' not in site] == []


def test_a_docstring_as_markdown():
    text = inspect.cleandoc("""
        The sum of ``a`` and *args_, see ``zoo.View``: 2 * 2.

        - one
          bullet
        - another

            some code

        Args:
            a, b: numbers, which
                go on:

                zoo run x

        Raises:
            ZooError: none.

        >>> 1
        1
    """)
    blocks = reference.docstring(text, "random.md")
    assert blocks == [
        r"The sum of `a` and \*args\_, see [`zoo.View`](models.md#class-zooview): 2 * 2.",
        "- one bullet\n- another",
        "```text\nsome code\n```",
        "**Args**",
        "- `a`, `b`: numbers, which go on:\n\n  zoo run x",
        "**Raises**",
        "- `ZooError`: none.",
        "```pycon\n>>> 1\n1\n```",
    ]


def test_a_signature_shows_defaults_as_one_types_them():
    def fit(x, /, *rest: int, style=zoo.nn.networks.Style("relu"), say=print, to=("a",)) -> str:
        """Longer than one line."""

    assert reference.signature("fit", fit).splitlines() == [
        "fit(",
        "    x,",
        "    /,",
        "    *rest: int,",
        '    style=Style(activation="relu"),',
        "    say=print,",
        '    to=("a",),',
        ") -> str",
    ]
