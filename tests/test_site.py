"""The documentation as a site: it builds, and every link in it leads somewhere."""

from __future__ import annotations

import html.parser
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.parse
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.backend_free,
    pytest.mark.skipif(
        importlib.util.find_spec("zensical") is None,
        reason="zensical is not installed: pip install -e .[docs]",
    ),
]

ROOT = Path(__file__).parent.parent


class Page(html.parser.HTMLParser):
    """What a page links to, the anchors that it has, and its text."""

    def __init__(self, path: Path):
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        self.links += [given[key] for key in ("href", "src") if given.get(key)]

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; what is built beside it does not come into the repository."""
    place = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "docs", place / "docs")
    shutil.copy(ROOT / "zensical.toml", place)
    for folder in ("plugins", "recipes", "tests"):
        (place / folder).symlink_to(ROOT / folder)
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=place,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return place / "site"


def broken(site: Path) -> list[str]:
    """The links that lead nowhere, ``"page: link"``."""
    pages = {path: Page(path) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            within = urllib.parse.unquote(parts.path)
            start = site if within.startswith("/") else path.parent
            target = (start / within.lstrip("/")).resolve() if within else path
            target = target / "index.html" if target.is_dir() else target
            there = target.is_file() and target.is_relative_to(site.resolve())
            anchor = urllib.parse.unquote(parts.fragment)
            if there and anchor and target in pages:
                there = anchor in pages[target].anchors
            if not there:
                found.append(f"{path.relative_to(site)}: {link}")
    return found


def test_every_link_leads_somewhere(site):
    assert broken(site) == []


def test_a_link_that_leads_nowhere_is_found(site, tmp_path):
    """Pages, anchors, files and pictures that are not there, and files outside the site."""
    wrong = [
        "no/",
        "../how-to/data/#no",
        "#no",
        "../no.py",
        "../no.png",
        "/no/",
        "../../../docs",
    ]
    right = [
        "../how-to/data/",
        "../pictures/vae_mnist.png",
        "#here",
        "/",
        "https://keras.io",
        "?a=b",
    ]
    copy = tmp_path / "site"
    shutil.copytree(site, copy)
    (copy / "page").mkdir()
    links = "".join(f'<a id="here" href="{link}"></a>' for link in [*wrong, *right])
    (copy / "page/index.html").write_text(links)
    (tmp_path.parent / "docs").mkdir(exist_ok=True)
    assert broken(copy) == [f"page/index.html: {link}" for link in wrong]


def test_the_site_has_a_home_and_all_pages(site):
    assert "zoo run vae_mnist" in Page(site / "index.html").text

    def listed(part):
        if isinstance(part, str):
            return [part]
        return [
            page
            for inner in (part.values() if isinstance(part, dict) else part)
            for page in listed(inner)
        ]

    project = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    named = listed(project["nav"])
    assert set(named) == pages and len(named) == len(pages)


def test_sources_are_shown_as_they_are(site):
    shown = Page(site / "reference/sources/index.html").text
    page = (ROOT / "docs/reference/sources.md").read_text(encoding="utf-8")
    paths = re.findall(r'--8<-- "(.*)"', page)
    assert len(paths) == page.count("````python") > 0
    for path in paths:
        assert (ROOT / path).read_text(encoding="utf-8").strip() in shown, path
