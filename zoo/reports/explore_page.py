"""The page of ``zoo explore``: its panels, and what happens between them."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from zoo.reports.explore_between import Between
from zoo.reports.explore_map import Map
from zoo.reports.explore_own import Own
from zoo.reports.explore_picture import Picture
from zoo.reports.explore_samples import Samples
from zoo.reports.explore_visit import Visit, ignoring


class Page:
    """One visitor's page.

    Args:
        visit: whose.
    """

    def __init__(self, visit: Visit):
        self._visit = visit
        self._between, self._samples = Between(visit), Samples(visit)
        self._picture = Picture(visit, relabelled=self._between.show)
        self._map, self._own = Map(visit, self._picture.show), Own(visit, self._picture.show)
        self._lay_out()
        parts = (self._picture, self._map, self._own)
        for part in parts:
            for event, handler in part.handlers.items():
                visit.ui.on(event, handler)
        visit.ui.on("pick", self._on_pick)

    async def begin(self) -> None:
        """Show where the visitor starts."""
        self._map.begin()
        await self._picture.show()
        await self._between.show()
        await self._samples.show()

    def _lay_out(self) -> None:
        visit, ui, space = self._visit, self._visit.ui, self._visit.space
        ui.colors(primary="#1f5cbe")
        data, model = space.model.data, type(space.model.plugin).__name__
        visit.html(f"<h1>{html.escape(visit.name)}</h1>")
        what = f"{model}, {space.found.size:,} latent dimensions, pictures "
        visit.html(f'<p class="soft">{what}{" x ".join(map(str, data.shape))}</p>')
        picture = self._picture
        dimensions = picture.lay_out_dimensions if space.book is None else picture.lay_out_book
        columns: list[list[Callable[[], None]]] = [
            [picture.lay_out, *([self._own.lay_out] if space.sees else [])],
            [dimensions, self._between.lay_out],
            [self._map.lay_out, self._samples.lay_out],
        ]
        with ui.element("main").classes("cards"):
            for column in columns:
                with ui.element("div").classes("column-of"):
                    for panel in column:
                        panel()
        visit.dialog()

    async def _on_pick(self, event: Any) -> None:
        walk, samples = self._visit.walk, self._samples
        with ignoring():
            where, place = event.args
            if where == "grid":
                labels = samples.labels
                walk.go(samples.z[int(place)], None if labels is None else labels[int(place)])
            else:
                walk.go(self._between.code(int(place)))
        await self._picture.show()
