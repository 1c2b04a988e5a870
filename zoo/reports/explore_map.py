"""The panel of ``zoo explore`` with the map: where codes of data lie."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from zoo.reports import pictures
from zoo.reports.explore import SIDE, newest
from zoo.reports.explore_visit import Visit, ignoring, url


class Map:
    """A plane of the latent space, to drag on.

    Args:
        visit: whose.
        moved: called when the visitor is elsewhere.
    """

    def __init__(self, visit: Visit, moved: Callable[[], Awaitable[None]]):
        self._visit, self._moved = visit, moved
        self._tiles = newest(self._show_tiles)
        self.handlers = {"drag": self._on_drag}

    def lay_out(self) -> None:
        """The map, and what its colours are."""
        visit = self._visit
        right, up = visit.space.plane.names
        soft = f"{right} to the right{f', {up} up' if up else ''}. Drag, or use the arrow keys."
        with visit.panel("Map", soft):
            visit.html(
                '<div class="layers"><img id="tiles" alt="pictures of the plane" hidden>'
                '<canvas id="map" tabindex="0" aria-label="map of codes"></canvas></div>'
            )
            if names := self._coloured():
                legend = (
                    f'<span><span style="color: rgb{colour}">●</span> {html.escape(name)}</span>'
                    for colour, name in zip(pictures.COLOURS, names, strict=False)
                )
                visit.html("".join(legend)).classes("row soft")
            visit.buttons(
                Pictures_of_this_plane=self._tiles, Codes_only=lambda: visit.call("hide", "tiles")
            )

    def begin(self) -> None:
        """Draw the codes of data."""
        found = self._visit.space.found
        places = self._visit.space.plane.places(found.z)
        labels = np.full(len(places), -1)
        if self._coloured():
            labels = np.asarray(found.labels)
        dots = [[*np.round(p, 4).tolist(), int(y)] for p, y in zip(places, labels, strict=True)]
        colours = ["rgb({} {} {})".format(*colour) for colour in pictures.COLOURS]
        self._visit.call("begin", {"dots": dots, "colours": colours})

    def _coloured(self) -> list[str]:
        """Names of the classes that have a colour; none where they are too many."""
        space = self._visit.space
        names = space.classes if space.found.labels is not None else []
        return names if len(names) <= len(pictures.COLOURS) else []

    async def _show_tiles(self) -> None:
        def made() -> dict[str, str]:
            walk, space = self._visit.walk, self._visit.space
            tiles = space.decoded(space.plane.grid(walk.z, SIDE), walk.label)
            return {"tiles": url(*tiles, columns=SIDE, padding=0)}

        await self._visit.images(made)

    async def _on_drag(self, event: Any) -> None:
        with ignoring():
            right, up = map(float, event.args)
            self._visit.walk.drag(right, up)
        await self._moved()
