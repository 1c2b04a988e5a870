"""The panel of ``zoo explore`` with a picture of the visitor's own."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from zoo.datasets.images import MOST_UPLOADED, uploaded
from zoo.reports import restoration
from zoo.reports.explore import Seen, newest
from zoo.reports.explore_visit import Visit, url

NAMES = ("given", "reconstructed", "masked", "completed")


class Own:
    """A picture that is drawn or uploaded, encoded, reconstructed and completed.

    Args:
        visit: whose.
        moved: called when the visitor is elsewhere.
    """

    def __init__(self, visit: Visit, moved: Callable[[], Awaitable[None]]):
        self._visit, self._moved = visit, moved
        self._given: np.ndarray | None = None
        self._hidden, self._inverted = "right", False
        self._see = newest(self._show)
        self.handlers = {"drawn": self._on_drawn}

    def lay_out(self) -> None:
        """Where it is drawn, and what becomes of it."""
        visit, ui = self._visit, self._visit.ui
        with visit.panel("Your picture", "Draw it, or upload a file.", "last"):
            visit.html(
                '<canvas id="drawing" width="280" height="280" aria-label="drawing"></canvas>'
            )
            upload = ui.upload(
                auto_upload=True,
                max_file_size=MOST_UPLOADED,
                on_upload=self._on_upload,
                on_rejected=lambda: ui.notify(f"up to {MOST_UPLOADED >> 20} MB are accepted"),
            )
            upload.props('accept="image/*"').style("display: none")
            visit.buttons(
                Clear=lambda: visit.call("clearDrawing"),
                Upload=lambda: upload.run_method("pickFiles"),
                Go_there=self._on_go,
            )
            with ui.element("div").classes("row"):
                ui.select(
                    list(restoration.PARTS),
                    value=self._hidden,
                    label="hidden part",
                    on_change=self._on_hidden,
                ).props("dense").classes("part")
                ui.switch("dark on light", on_change=self._on_inverted)
            figures = "".join(
                f'<figure><img id="{name}" alt="{name}" hidden>{name}</figure>' for name in NAMES
            )
            visit.html(figures).classes("four")

    def _seen(self) -> Seen | None:
        if self._given is None:
            return None
        x = 255 - self._given if self._inverted else self._given
        return self._visit.space.seen(x, self._hidden, self._visit.walk.label)

    async def _show(self) -> None:
        def made() -> dict[str, str]:
            seen = self._seen()
            return {} if seen is None else {name: url(getattr(seen, name)) for name in NAMES}

        await self._visit.images(made)

    async def _on_drawn(self, event: Any) -> None:
        head, _, content = str(event.args).partition(",")
        if head == "data:image/png;base64":
            try:
                await self._given_file(base64.b64decode(content, validate=True))
            except binascii.Error:
                self._visit.say("this is no picture")

    async def _on_upload(self, event: Any) -> None:
        await self._given_file(await event.file.read())

    async def _given_file(self, content: bytes) -> None:
        shape = self._visit.space.shape
        try:
            self._given = await self._visit.compute(lambda: uploaded(content, shape))
        except ValueError as error:
            self._visit.say(f"this file is not used: {error}")
            return
        await self._see()

    async def _on_hidden(self, event: Any) -> None:
        self._hidden = str(event.value)
        await self._see()

    async def _on_inverted(self, event: Any) -> None:
        self._inverted = bool(event.value)
        await self._see()

    async def _on_go(self) -> None:
        seen = await self._visit.compute(self._seen)
        if seen is not None:
            self._visit.walk.go(seen.z)
            await self._moved()
