"""The documentation is short, plain and spelt rightly."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests import prose

pytestmark = pytest.mark.backend_free
PAGES = prose.pages()
NAMES = [str(page.relative_to(prose.ROOT)) for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_page_has_no_refused_phrase_and_few_words(page):
    markdown = page.read_text(encoding="utf-8")
    assert prose.refused(markdown) == []
    if not set(prose.LOOKED_UP) & set(page.parts):
        assert prose.words(markdown) <= prose.MOST_WORDS


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_page_is_plain_english(page):
    assert prose.ease(page.read_text(encoding="utf-8")) >= prose.LEAST_EASE


def test_the_readme_is_short():
    assert len((prose.ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 150


def test_reading_ease_by_hand():
    """Flesch 1948: six words of one syllable each, then five words of six syllables."""
    assert prose.ease("The cat sat on the mat.") == pytest.approx(206.835 - 6 * 1.015 - 84.6)
    found = prose.ease("The plane is a table.")
    assert found == pytest.approx(206.835 - 5 * 1.015 - 84.6 * 6 / 5)


def test_code_tables_and_links_are_no_prose():
    page = "# A page\n\nSee [the docs](a/b.md).\n\n```sh\nzoo run it\n```\n\n| a | b |\n\n![x](y)\n"
    assert prose.text(page).split() == ["A", "page", "See", "the", "docs."]
    assert prose.words(page) == 12  # with marks, tables and pictures


def test_a_refused_phrase_is_found():
    found = prose.refused("It goes on. Three, two of which fail.\n\n| the least class |\n\n`told`")
    assert [re.match("'(.*?)'", one)[1] for one in found] == ["least class", "goes on", "of which"]


def test_spelling():
    pytest.importorskip("codespell_lib", reason="pip install -e .[test]")
    command = [sys.executable, "-m", "codespell_lib"]
    done = subprocess.run(command, cwd=prose.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
