"""The page of ``zoo explore``, and its server."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import html
import json
import math
import socket
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from zoo.datasets.images import MOST_UPLOADED, uploaded
from zoo.errors import ZooError
from zoo.reports import pictures, restoration
from zoo.reports.explore import FRAMES, SAMPLES, SIDE, STEPS, Seen, Space, Walk, newest
from zoo.reports.explore_guard import LOOPBACK, Guard
from zoo.reports.explore_python import Python

MOST_BUTTONS = 20  # classes, of which more are a list
MOST_MESSAGE = 1 << 20  # bytes that a page sends through its websocket at once
HISTORY = 50  # messages kept for a page whose connection breaks
_HERE = Path(__file__).parent


class Page:
    """One visitor's page.

    Args:
        space: that is walked.
        name: of the run or pretrained model.
        python: that loads it.
        worker: of one thread, in which the model computes.
    """

    def __init__(self, space: Space, name: str, python: Python, worker: ThreadPoolExecutor):
        from nicegui import ui

        self._ui, self._client = ui, ui.context.client
        self._space, self._name, self._makes, self._worker = space, name, python, worker
        self._walk = Walk(space)
        self._given: np.ndarray | None = None
        self._hidden, self._inverted, self._cell = "right", False, (0, 0)
        self._grid: tuple[np.ndarray, np.ndarray | None] = (space.found.z[:0], None)
        self._show, self._way = newest(self._show_here), newest(self._show_way)
        self._samples, self._see = newest(self._show_samples), newest(self._show_seen)
        self._tiles = newest(self._show_tiles)
        self._ranks = _ranks(space)
        self._lay_out()
        for event, handler in {
            "slide": self._on_slide,
            "drag": self._on_drag,
            "pick": self._on_pick,
            "drawn": self._on_drawn,
            "cell": self._on_cell,
            "entry": self._on_entry,
        }.items():
            ui.on(event, handler)

    async def begin(self) -> None:
        """Show where the visitor starts."""
        found = self._space.found
        places = self._space.plane.places(found.z)
        labels = np.full(len(places), -1)
        if self._coloured():
            labels = np.asarray(found.labels)
        dots = [[*np.round(p, 4).tolist(), int(y)] for p, y in zip(places, labels, strict=True)]
        colours = ["rgb({} {} {})".format(*colour) for colour in pictures.COLOURS]
        self._call("begin", {"dots": dots, "colours": colours})
        await self._show()
        await self._way()
        await self._samples()

    def _coloured(self) -> list[str]:
        """Names of the classes that have a colour on the map; none where they are too many."""
        names = self._space.classes if self._space.found.labels is not None else []
        return names if len(names) <= len(pictures.COLOURS) else []

    # -- what is on it

    def _lay_out(self) -> None:
        ui, space = self._ui, self._space
        ui.colors(primary="#1f5cbe")
        data, model = space.model.data, type(space.model.plugin).__name__
        self._html(f"<h1>{html.escape(self._name)}</h1>")
        what = f"{model}, {space.found.size:,} latent dimensions, pictures "
        self._html(f'<p class="soft">{what}{" x ".join(map(str, data.shape))}</p>')
        dimensions = self._slider_panel if space.book is None else self._book_panel
        columns: list[list[Callable[[], None]]] = [
            [self._picture_panel, *([self._own_panel] if space.sees else [])],
            [dimensions, self._way_panel],
            [self._map_panel, self._samples_panel],
        ]
        with ui.element("main").classes("cards"):
            for column in columns:
                with ui.element("div").classes("column-of"):
                    for panel in column:
                        panel()
        with ui.dialog() as self._dialog, ui.card():
            self._html("<h2>Python that makes this</h2>")
            self._python = ui.html("", sanitize=False, tag="pre").mark("python")
            ui.button("Close", on_click=self._dialog.close).props("flat")

    def _panel(self, title: str, soft: str = "", classes: str = ""):
        panel = self._ui.element("section").classes(f"panel {classes}")
        panel.props(f'aria-label="{title}"')
        with panel:
            note = f'<p class="soft">{soft}</p>' if soft else ""
            self._html(f"<h2>{title}</h2>{note}")
        return panel

    def _html(self, text: str):
        return self._ui.html(text, sanitize=False)

    def _buttons(self, **actions: Callable) -> None:
        with self._ui.element("div").classes("row"):
            for text, action in actions.items():
                self._ui.button(text.replace("_", " "), on_click=action).props("outline dense")

    def _picture_panel(self) -> None:
        ui, space = self._ui, self._space
        with self._panel("Picture", classes="first"):
            self._html('<img id="picture" alt="the picture of the code" hidden>')
            self._buttons(
                Random=self._on_random,
                Python=lambda: self._tell(self._makes.picture(self._walk)),
                PNG=lambda: self._save("picture", self._walk.picture),
            )
            names = space.classes
            if len(names) > MOST_BUTTONS:
                ui.select(
                    dict(enumerate(names)),
                    label="class",
                    value=self._walk.label if space.conditional else None,
                    on_change=lambda e: self._choose(e.value),
                )
            elif names:
                soft = "Class" if space.conditional else "Mean code of a class"
                self._html(f'<p class="soft">{soft}</p>')
                with ui.element("div").classes("row classes"):
                    for label, name in enumerate(names):
                        called = html.escape(name)
                        button = ui.button(name, on_click=lambda i=label: self._choose(i))
                        button.props(f'flat dense data-class="{label}" aria-label="class {called}"')

    def _slider_panel(self) -> None:
        space = self._space
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
        with self._panel("Dimensions", soft):
            self._html("".join(rows)).classes("sliders")

    def _book_panel(self) -> None:
        book = self._space.book
        assert book is not None
        soft = f"Choose a cell, then one of {len(book.entries):,} entries for it."
        with self._panel("Codes", soft):
            self._html(
                '<canvas id="book" aria-label="map of codes"></canvas>'
                f'<input type="range" id="entry" min="0" max="{len(book.entries) - 1}" '
                'aria-label="entry of the codebook">'
            )

    def _map_panel(self) -> None:
        right, up = self._space.plane.names
        soft = f"{right} to the right{f', {up} up' if up else ''}. Drag, or use the arrow keys."
        with self._panel("Map", soft):
            self._html(
                '<div class="layers"><img id="tiles" alt="pictures of the plane" hidden>'
                '<canvas id="map" tabindex="0" aria-label="map of codes"></canvas></div>'
            )
            if names := self._coloured():
                legend = (
                    f'<span><span style="color: rgb{colour}">●</span> {html.escape(name)}</span>'
                    for colour, name in zip(pictures.COLOURS, names, strict=False)
                )
                self._html("".join(legend)).classes("row soft")
            self._buttons(Pictures_of_this_plane=self._tiles, Codes_only=self._bare)

    def _way_panel(self) -> None:
        ui = self._ui
        with self._panel("Between two codes", "Click a picture to go there."):
            self._html(f'<img id="strip" alt="from one code to the other" '
                       f'data-cells="{STEPS} 1" hidden>')  # fmt: skip
            ui.toggle(
                {False: "linear", True: "spherical"},
                value=self._walk.spherical,
                on_change=self._on_spherical,
            ).props("dense no-caps unelevated").classes("toggle")
            self._buttons(
                From_here=lambda: self._end(0),
                To_here=lambda: self._end(1),
                Python=lambda: self._tell(self._makes.between(self._walk)),
                PNG=lambda: self._save("between", self._walk.between),
                GIF=self._on_gif,
            )

    def _samples_panel(self) -> None:
        space = self._space
        drawn = space.model.can("latent") or space.model.sampler is not None
        title = "Samples" if drawn else "Codes of data, decoded"
        actions: dict[str, Callable] = {"Others": self._on_others}
        if space.model.can("sample"):
            actions["Python"] = lambda: self._tell(self._makes.samples(self._walk))
        actions["PNG"] = lambda: self._save("samples", self._decoded_grid)
        with self._panel(title, "Click a picture to go there."):
            side = math.isqrt(SAMPLES)
            self._html(f'<img id="grid" alt="samples" data-cells="{side} {side}" hidden>')
            self._buttons(**actions)

    def _own_panel(self) -> None:
        ui = self._ui
        with self._panel("Your picture", "Draw it, or upload a file.", "last"):
            self._html(
                '<canvas id="drawing" width="280" height="280" aria-label="drawing"></canvas>'
            )
            upload = ui.upload(
                auto_upload=True,
                max_file_size=MOST_UPLOADED,
                on_upload=self._on_upload,
                on_rejected=lambda: ui.notify(f"up to {MOST_UPLOADED >> 20} MB are accepted"),
            )
            upload.props('accept="image/*"').style("display: none")
            self._buttons(
                Clear=lambda: self._call("clearDrawing"),
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
            names = ("given", "reconstructed", "masked", "completed")
            figures = "".join(
                f'<figure><img id="{name}" alt="{name}" hidden>{name}</figure>' for name in names
            )
            self._html(figures).classes("four")

    # -- what a visitor does

    async def _on_slide(self, event: Any) -> None:
        with _ignoring():
            dimension, value = event.args
            self._walk.slide(int(dimension), float(value))
        await self._show()

    async def _on_drag(self, event: Any) -> None:
        with _ignoring():
            right, up = map(float, event.args)
            self._walk.drag(right, up)
        await self._show()

    async def _on_pick(self, event: Any) -> None:
        with _ignoring():
            where, place = event.args
            if where == "grid":
                z, labels = self._grid
                self._walk.go(z[int(place)], None if labels is None else labels[int(place)])
            else:
                way = self._space.way(*self._walk.ends, STEPS, self._walk.spherical)
                self._walk.go(way[int(place)])
        await self._show()

    async def _on_random(self) -> None:
        seed = int(np.random.default_rng().integers(1 << 31))
        drawn = await self._compute(lambda: self._space.samples(seed, 1))
        if drawn is not None:
            z, labels = drawn
            keep = labels is None or self._space.conditional
            self._walk.go(z[0], None if keep else labels[0])
            await self._show()

    async def _choose(self, label: int) -> None:
        try:
            self._walk.choose(int(label))
        except ZooError as error:
            self._say(str(error))
        await self._show()
        if self._space.conditional:
            await self._way()

    async def _on_spherical(self, event: Any) -> None:
        self._walk.spherical = bool(event.value)
        await self._way()

    async def _end(self, which: int) -> None:
        here, (start, end) = self._walk.z.copy(), self._walk.ends
        self._walk.ends = (start, here) if which else (here, end)
        await self._way()

    async def _on_others(self) -> None:
        self._walk.seed += 1
        await self._samples()

    async def _on_drawn(self, event: Any) -> None:
        head, _, content = str(event.args).partition(",")
        if head == "data:image/png;base64":
            try:
                await self._given_file(base64.b64decode(content, validate=True))
            except binascii.Error:
                self._say("this is no picture")

    async def _on_upload(self, event: Any) -> None:
        await self._given_file(await event.file.read())

    async def _given_file(self, content: bytes) -> None:
        try:
            self._given = await self._compute(lambda: uploaded(content, self._space.shape))
        except ValueError as error:
            self._say(f"this file is not used: {error}")
            return
        await self._see()

    async def _on_hidden(self, event: Any) -> None:
        self._hidden = str(event.value)
        await self._see()

    async def _on_inverted(self, event: Any) -> None:
        self._inverted = bool(event.value)
        await self._see()

    async def _on_go(self) -> None:
        seen = await self._compute(self._seen)
        if seen is not None:
            self._walk.go(seen.z)
            await self._show()

    async def _on_cell(self, event: Any) -> None:
        book = self._space.book
        with _ignoring():
            row, column = map(int, event.args)
            if book and 0 <= row < book.rows and 0 <= column < book.columns:
                self._cell = row, column
        await self._show()

    async def _on_entry(self, event: Any) -> None:
        book = self._space.book
        with _ignoring():
            entry = int(self._ranks[int(event.args)])
            if book:
                self._walk.go(book.written(self._walk.z, *self._cell, entry))
        await self._show()

    async def _on_gif(self) -> None:
        def made() -> bytes:
            frames = [pictures.grid(x[None], padding=0) for x in self._walk.between(FRAMES)]
            return pictures.gif([*frames, *frames[-2:0:-1]], 80, pause=1)

        content = await self._compute(made)
        if content is not None:
            self._download(content, "between.gif")

    # -- what it shows then

    async def _show_here(self) -> None:
        walk, book = self._walk, self._space.book
        image = await self._compute(lambda: _url(walk.picture()))
        if image is None:
            return
        at = self._space.plane.places(walk.z[None])[0]
        state: dict[str, Any] = {"z": {}, "label": None, "at": np.round(at, 4).tolist()}
        if self._space.conditional:
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
            state["z"] = {i: round(float(walk.z[i]), 4) for i in self._space.order}
        self._call("images", {"picture": image})
        self._call("walked", state)

    async def _show_way(self) -> None:
        await self._images(lambda: {"strip": _url(*self._walk.between())})

    def _decoded_grid(self) -> np.ndarray:
        z, labels = self._grid
        if self._space.conditional:
            return self._space.model.decode(z, labels=labels)
        return self._space.model.decode(z)

    async def _show_samples(self) -> None:
        def made() -> dict[str, str]:
            self._grid = self._space.samples(self._walk.seed, SAMPLES)
            return {"grid": _url(*self._decoded_grid(), columns=math.isqrt(SAMPLES))}

        await self._images(made)

    async def _show_tiles(self) -> None:
        def made() -> dict[str, str]:
            walk, space = self._walk, self._space
            tiles = space.decoded(space.plane.grid(walk.z, SIDE), walk.label)
            return {"tiles": _url(*tiles, columns=SIDE, padding=0)}

        await self._images(made)

    def _bare(self) -> None:
        self._call("hide", "tiles")

    def _seen(self) -> Seen | None:
        if self._given is None:
            return None
        x = 255 - self._given if self._inverted else self._given
        return self._space.seen(x, self._hidden, self._walk.label)

    async def _show_seen(self) -> None:
        def made() -> dict[str, str]:
            seen = self._seen()
            names = ("given", "reconstructed", "masked", "completed")
            return {} if seen is None else {name: _url(getattr(seen, name)) for name in names}

        await self._images(made)

    async def _images(self, made: Callable[[], dict[str, str]]) -> None:
        if images := await self._compute(made):
            self._call("images", images)

    async def _save(self, what: str, made: Callable[[], np.ndarray]) -> None:
        def encoded() -> bytes:
            x = made()
            columns = math.isqrt(SAMPLES) if what == "samples" else None
            if x.ndim == 3:
                image = pictures.grid(x[None], padding=0)
            else:
                image = pictures.grid(x, columns or len(x))
            return pictures.encoded(image, run=self._name)

        content = await self._compute(encoded)
        if content is not None:
            self._download(content, f"{what}.png")

    def _download(self, content: bytes, name: str) -> None:
        stem = "".join(c if c.isalnum() or c in "-_." else "-" for c in self._name)
        with self._client:
            self._ui.download.content(content, f"{stem}-{name}")

    def _tell(self, python: str) -> None:
        self._python.set_content(html.escape(python))
        self._dialog.open()
        self._call("copy", python)

    def _say(self, text: str) -> None:
        with self._client:
            self._ui.notify(text)

    async def _compute(self, made: Callable[[], Any]) -> Any:
        """What a function gives in the model's thread; None where the zoo refuses it, in words."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, made)
        except ZooError as error:
            self._say(str(error))
            return None

    def _call(self, name: str, *args: Any) -> None:
        """Call a function of ``explore.js``."""
        self._client.run_javascript(f"zoo.{name}({', '.join(map(json.dumps, args))})")


def serve(space: Space, name: str, python: Python, host: str, bound: socket.socket) -> None:
    """Serve the page until the process is interrupted.

    Args:
        space: that is walked.
        name: of the run or pretrained model.
        python: that loads it.
        host: where it is served; anywhere but on loopback, the page answers for any address.
        bound: the socket that it is served on.
    """
    import uvicorn
    from fastapi import FastAPI
    from nicegui import ui

    worker = ThreadPoolExecutor(1, thread_name_prefix="zoo-explore")
    style = (_HERE / "explore.css").read_text(encoding="utf-8")
    script = (_HERE / "explore.js").read_text(encoding="utf-8")

    async def page() -> None:
        ui.add_css(style)
        ui.add_body_html(f"<script>{script}</script>")
        shown = Page(space, name, python, worker)
        await ui.context.client.connected()
        await shown.begin()

    app = FastAPI(openapi_url=None)
    ui.run_with(
        app,
        root=page,
        title=f"{name} - zoo explore",
        favicon=ICON,
        dark=None,
        language="en-US",
        binding_refresh_interval=None,
        message_history_length=HISTORY,
        tailwind=False,
        show_welcome_message=False,
    )
    # NiceGUI looks through all objects of the process, and some of PyTorch's warn when looked at
    warnings.filterwarnings("ignore", category=FutureWarning, module="nicegui")
    names = LOOPBACK if host in LOOPBACK else None
    room = MOST_UPLOADED + (1 << 16)  # the file, and what the form around it takes
    config = uvicorn.Config(
        Guard(app, names, room),
        log_level="warning",
        access_log=False,
        server_header=False,
        ws_max_size=MOST_MESSAGE,
        timeout_graceful_shutdown=1,
    )
    try:
        with contextlib.suppress(KeyboardInterrupt):  # which uvicorn raises once it is shut down
            uvicorn.Server(config).run(sockets=[bound])
    finally:
        worker.shutdown(cancel_futures=True)


ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    '<path d="M2 2h5v5H2zM9 9h5v5H9z" fill="#1f5cbe"/>'
    '<path d="M9 2h5v5H9zM2 9h5v5H2z" fill="#e76300"/></svg>'
)


def _url(*images: np.ndarray, columns: int | None = None, padding: int = 1) -> str:
    """Pictures in a row, or in so many columns, as the source of an ``img``."""
    one = len(images) == 1
    image = pictures.grid(
        np.stack(images), columns or len(images), padding=0 if one else padding, scale=1
    )
    return "data:image/png;base64," + base64.b64encode(pictures.encoded(image)).decode()


def _ranks(space: Space) -> np.ndarray:
    """The entries of a codebook in an order in which neighbours are alike, ``(k,)``."""
    if space.book is None:
        return np.zeros(0, int)
    entries = space.book.entries - space.book.entries.mean(axis=0)
    return np.argsort(entries @ np.linalg.svd(entries, full_matrices=False)[2][0])


def _ignoring() -> contextlib.suppress:
    """What no page of ours sends is passed over."""
    return contextlib.suppress(TypeError, ValueError, IndexError, OverflowError)
