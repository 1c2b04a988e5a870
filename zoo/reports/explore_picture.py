"""Panels of ``zoo explore``: the picture of the code, and its dimensions or entries."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from zoo.errors import ZooError
from zoo.reports.explore import Space, newest
from zoo.reports.explore_visit import Visit, ignoring, url

MOST_BUTTONS = 20  # classes, of which more are a list


class Picture:
    """The picture of the code where the visitor is, and ways to other codes.

    Args:
        visit: whose.
        relabelled: called when the class of a conditional model is another one.
    """

    def __init__(self, visit: Visit, relabelled: Callable[[], Awaitable[None]]):
        self._visit, self._relabelled = visit, relabelled
        self._cell = (0, 0)
        self._ranks = _ranks(visit.space)
        self.show = newest(self._show)
        self.handlers = {"slide": self._on_slide, "cell": self._on_cell, "entry": self._on_entry}

    def lay_out(self) -> None:
        """The picture and the classes."""
        visit, ui, space = self._visit, self._visit.ui, self._visit.space
        with visit.panel("Picture", classes="first"):
            visit.html('<img id="picture" alt="the picture of the code" hidden>')
            visit.buttons(
                Random=self._on_random,
                Python=lambda: visit.tell(visit.python.picture(visit.walk)),
                PNG=lambda: visit.save("picture", visit.walk.picture),
            )
            names = space.classes
            if len(names) > MOST_BUTTONS:
                ui.select(
                    dict(enumerate(names)),
                    label="class",
                    value=visit.walk.label if space.conditional else None,
                    on_change=lambda e: self._choose(e.value),
                )
            elif names:
                soft = "Class" if space.conditional else "Mean code of a class"
                visit.html(f'<p class="soft">{soft}</p>')
                with ui.element("div").classes("row classes"):
                    for label, name in enumerate(names):
                        called = html.escape(name)
                        button = ui.button(name, on_click=lambda i=label: self._choose(i))
                        button.props(f'flat dense data-class="{label}" aria-label="class {called}"')

    def lay_out_dimensions(self) -> None:
        """A slider per dimension."""
        space = self._visit.space
        low, high = space.bounds
        if space.kl is not None:
            soft = "By KL, the largest first; one of 0 nats says nothing of a picture."
        elif space.of_data:
            soft = "By how much the codes vary, the most first."
        else:
            soft = "Noise, in the order in which the model takes it."
        if len(space.order) < space.found.size:
            soft += f" The first {len(space.order)} of {space.found.size:,}."
        rows = []
        for i in space.order:
            kl = "" if space.kl is None else f" <small>{space.kl[i]:.2f} nats</small>"
            rows.append(
                f'<label class="{"short" if space.kl is None else ""}"><span>z{i}{kl}</span>'
                f'<input type="range" data-dimension="{i}" min="{low[i]:.4g}" max="{high[i]:.4g}" '
                f'step="any" aria-label="dimension {i}"><output></output></label>'
            )
        with self._visit.panel("Dimensions", soft):
            self._visit.html("".join(rows)).classes("sliders")

    def lay_out_book(self) -> None:
        """The entries of a codebook, cell by cell."""
        book = self._visit.space.book
        assert book is not None
        soft = f"Choose a cell, then one of {len(book.entries):,} entries for it."
        with self._visit.panel("Codes", soft):
            self._visit.html(
                '<canvas id="book" aria-label="map of codes"></canvas>'
                f'<input type="range" id="entry" min="0" max="{len(book.entries) - 1}" '
                'aria-label="entry of the codebook">'
            )

    async def _show(self) -> None:
        visit, walk, book = self._visit, self._visit.walk, self._visit.space.book
        image = await visit.compute(lambda: url(walk.picture()))
        if image is None:
            return
        at = visit.space.plane.places(walk.z[None])[0]
        state: dict[str, Any] = {"z": {}, "label": None, "at": np.round(at, 4).tolist()}
        if visit.space.conditional:
            state["label"] = walk.label
        if book is not None:
            entries = book.read(walk.z)
            chosen = entries[self._cell]
            state["book"] = {
                "rows": book.rows,
                "columns": book.columns,
                "entries": entries.reshape(-1).tolist(),
                "cell": self._cell,
                "entry": int(np.flatnonzero(self._ranks == chosen)[0]),
            }
        else:
            state["z"] = {i: round(float(walk.z[i]), 4) for i in visit.space.order}
        visit.call("images", {"picture": image})
        visit.call("walked", state)

    async def _on_slide(self, event: Any) -> None:
        with ignoring():
            dimension, value = event.args
            self._visit.walk.slide(int(dimension), float(value))
        await self.show()

    async def _on_cell(self, event: Any) -> None:
        book = self._visit.space.book
        with ignoring():
            row, column = map(int, event.args)
            if book and 0 <= row < book.rows and 0 <= column < book.columns:
                self._cell = row, column
        await self.show()

    async def _on_entry(self, event: Any) -> None:
        walk, book = self._visit.walk, self._visit.space.book
        with ignoring():
            entry = int(self._ranks[int(event.args)])
            if book:
                walk.go(book.written(walk.z, *self._cell, entry))
        await self.show()

    async def _on_random(self) -> None:
        space, walk = self._visit.space, self._visit.walk
        seed = int(np.random.default_rng().integers(1 << 31))
        drawn = await self._visit.compute(lambda: space.samples(seed, 1))
        if drawn is not None:
            z, labels = drawn
            keep = labels is None or space.conditional
            walk.go(z[0], None if keep else labels[0])
            await self.show()

    async def _choose(self, label: int) -> None:
        try:
            self._visit.walk.choose(int(label))
        except ZooError as error:
            self._visit.say(str(error))
        await self.show()
        if self._visit.space.conditional:
            await self._relabelled()


def _ranks(space: Space) -> np.ndarray:
    """The entries of a codebook in an order in which neighbours are alike, ``(k,)``."""
    if space.book is None:
        return np.zeros(0, int)
    entries = space.book.entries - space.book.entries.mean(axis=0)
    return np.argsort(entries @ np.linalg.svd(entries, full_matrices=False)[2][0])
