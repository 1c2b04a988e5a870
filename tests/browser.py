"""A real browser for tests of pages: Chromium from the system's packages, driven by Playwright."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

import pytest


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
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    own = (address, address.replace("http", "ws", 1), "data:", "blob:")
    page.on(
        "request",
        lambda request: request.url.startswith(own) or wrong.append(f"asks for {request.url}"),
    )
    page.goto(address)
    return page, wrong
