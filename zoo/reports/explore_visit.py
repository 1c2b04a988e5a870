"""One visitor of ``zoo explore``: where they are, and what all panels of the page do alike."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import html
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from zoo.errors import ZooError
from zoo.reports import pictures
from zoo.reports.explore import Space, Walk
from zoo.reports.explore_python import Python


class Visit:
    """What a visitor sees of a space, as far as it is not one panel's own.

    Args:
        space: that is walked.
        name: of the run or pretrained model.
        python: that loads it.
        worker: of one thread, in which the model computes.

    Attributes:
        walk: where the visitor is.
        ui: the module ``nicegui.ui``.
    """

    def __init__(self, space: Space, name: str, python: Python, worker: ThreadPoolExecutor):
        from nicegui import ui

        self.ui, self.client = ui, ui.context.client
        self.space, self.name, self.python, self._worker = space, name, python, worker
        self.walk = Walk(space)

    # -- what panels are made of

    def panel(self, title: str, soft: str = "", classes: str = ""):
        """A panel, to be filled within a ``with``."""
        panel = self.ui.element("section").classes(f"panel {classes}")
        panel.props(f'aria-label="{title}"')
        with panel:
            note = f'<p class="soft">{soft}</p>' if soft else ""
            self.html(f"<h2>{title}</h2>{note}")
        return panel

    def html(self, text: str):
        """Markup of our own."""
        return self.ui.html(text, sanitize=False)

    def buttons(self, **actions: Callable) -> None:
        """A row of buttons, by what stands on them."""
        with self.ui.element("div").classes("row"):
            for text, action in actions.items():
                self.ui.button(text.replace("_", " "), on_click=action).props("outline dense")

    def dialog(self) -> None:
        """Where Python is shown, once somebody asks for it."""
        with self.ui.dialog() as self._dialog, self.ui.card():
            self.html("<h2>Python that makes this</h2>")
            self._shown = self.ui.html("", sanitize=False, tag="pre").mark("python")
            self.ui.button("Close", on_click=self._dialog.close).props("flat")

    # -- what they do

    async def compute(self, made: Callable[[], Any]) -> Any:
        """What a function gives in the model's thread; None where the zoo refuses it, in words."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, made)
        except ZooError as error:
            self.say(str(error))
            return None

    async def images(self, made: Callable[[], dict[str, str]]) -> None:
        """Show pictures, ``{element: address}``."""
        if images := await self.compute(made):
            self.call("images", images)

    async def save(self, what: str, made: Callable[[], np.ndarray], columns: int = 0) -> None:
        """Have the visitor download examples as one PNG: in a row, or in so many columns."""

        def encoded() -> bytes:
            x = made()
            if x.ndim == 3:
                image = pictures.grid(x[None], padding=0)
            else:
                image = pictures.grid(x, columns or len(x))
            return pictures.png(image, run=self.name)

        content = await self.compute(encoded)
        if content is not None:
            self.download(content, f"{what}.png")

    def download(self, content: bytes, name: str) -> None:
        """Have the visitor download a file."""
        stem = "".join(c if c.isalnum() or c in "-_." else "-" for c in self.name)
        with self.client:
            self.ui.download.content(content, f"{stem}-{name}")

    def tell(self, python: str) -> None:
        """Show Python, and copy it."""
        self._shown.set_content(html.escape(python))
        self._dialog.open()
        self.call("copy", python)

    def say(self, text: str) -> None:
        """Say a line."""
        with self.client:
            self.ui.notify(text)

    def call(self, name: str, *args: Any) -> None:
        """Call a function of ``explore.js``."""
        self.client.run_javascript(f"zoo.{name}({', '.join(map(json.dumps, args))})")


def url(*images: np.ndarray, columns: int | None = None, padding: int = 1) -> str:
    """Pictures in a row, or in so many columns, as the source of an ``img``."""
    one = len(images) == 1
    image = pictures.grid(
        np.stack(images), columns or len(images), padding=0 if one else padding, scale=1
    )
    return "data:image/png;base64," + base64.b64encode(pictures.png(image)).decode()


def ignoring() -> contextlib.suppress:
    """What no page of ours sends is passed over."""
    return contextlib.suppress(TypeError, ValueError, IndexError, OverflowError)
