"""The server of the page of ``zoo explore``."""

from __future__ import annotations

import contextlib
import socket
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from zoo.datasets.images import MOST_UPLOADED
from zoo.reports.explore import Space
from zoo.reports.explore_guard import LOOPBACK, Guard
from zoo.reports.explore_page import Page
from zoo.reports.explore_python import Python
from zoo.reports.explore_visit import Visit

MOST_MESSAGE = 1 << 20  # bytes that a page sends through its websocket at once
HISTORY = 50  # messages kept for a page whose connection breaks
_HERE = Path(__file__).parent


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
        shown = Page(Visit(space, name, python, worker))
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
