"""A real browser for tests of pages: Chromium from the system's packages, driven by Playwright.

python -m tests.browser URL FILE.png      take the picture of the page of zoo explore
"""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium of Playwright's; a test that has none is skipped by this name."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        pytest.skip("needs Chromium and Playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def watched(browser: Any, address: str, **options: Any) -> tuple[Any, list[str]]:
    """A page open at an address, and a list that gets what goes wrong on it.

    That is errors of its scripts, what its console says, and requests to anywhere else.
    """
    page, wrong = browser.new_page(**options), []
    page.set_default_timeout(60_000)  # where other work fills the machine
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    own = (address, address.replace("http", "ws", 1), "data:", "blob:")

    def asked(request: Any) -> None:
        if not request.url.startswith(own):
            wrong.append(f"asks for {request.url}")

    page.on("request", asked)
    page.goto(address)
    return page, wrong


@contextlib.contextmanager
def opened(path: Path, width: int = 1200, dark: bool = False) -> Iterator[tuple[Any, list[str]]]:
    """A page of the disk in a browser, and what goes wrong on it, as ``watched`` says."""
    scheme = "dark" if dark else "light"
    size = {"width": width, "height": 900}
    with chromium() as browser:
        yield watched(browser, path.as_uri(), viewport=size, color_scheme=scheme)


def photographed(address: str, path: str) -> None:
    """Draw a seven on the page of ``zoo explore``, and write the page as a small PNG."""
    with chromium() as browser:
        page, wrong = watched(browser, address, viewport={"width": 1300, "height": 900})
        page.locator("#grid").wait_for()
        box = page.locator("#drawing").bounding_box()
        corners = ((0.35, 0.25), (0.7, 0.25), (0.45, 0.85))
        for place, (x, y) in enumerate(corners):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
            if place == 0:
                page.mouse.down()
        page.mouse.up()
        page.locator("#completed").wait_for()
        page.wait_for_timeout(1000)
        shot = Image.open(io.BytesIO(page.screenshot(full_page=True)))
        assert not wrong, wrong
    save_small(shot, Path(path))


def save_small(shot: Image.Image, path: Path) -> None:
    """Write a picture of a page as a PNG of 256 colours."""
    colours = shot.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    colours.save(path, optimize=True)


if __name__ == "__main__":
    photographed(*sys.argv[1:])
