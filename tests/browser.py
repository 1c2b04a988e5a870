"""Chromium for tests of pages: what a person sees, and what the page does besides."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@contextlib.contextmanager
def opened(path: Path, width: int = 1200, dark: bool = False) -> Iterator[tuple[Any, list[str]]]:
    """A page of the disk in a browser, and what it complained of or asked the network for."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        pytest.skip("needs Chromium and Playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        told: list[str] = []
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on(
            "console", lambda line: line.type in ("error", "warning") and told.append(line.text)
        )
        page.on(
            "request",
            lambda asked: asked.url.startswith(("data:", path.as_uri())) or told.append(asked.url),
        )
        page.goto(path.as_uri())
        try:
            yield page, told
        finally:
            browser.close()
