"""Who may talk to the page of ``zoo explore``: nobody but the page itself."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SAFE = ("GET", "HEAD")

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""What the page may load: nothing from elsewhere. Vue makes its templates with ``eval``."""

HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


class Guard:
    """ASGI middleware that refuses what no page of this server sends.

    A page anywhere may have its visitor's browser ask loopback, and open a websocket to it.
    Such a request names another Host, where a name of the attacker's leads to 127.0.0.1, or
    another Origin.

    Args:
        app: the server behind it.
        names: hosts that it answers for; None for any that is an address, which no attacker's
            name is, and those in ``LOOPBACK``.
        most: bytes in the body of a request.
    """

    def __init__(self, app: Any, names: tuple[str, ...] | None, most: int):
        self._app, self._names, self._most = app, names, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if refused := self._refusal(scope):
            await _refuse(scope, send, *refused)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        await self._app(scope, self._bounded(receive), _with_headers(send))

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and reason for which a connection is refused, or None."""
        given: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            given.setdefault(name.lower(), []).append(value)

        def header(name: bytes) -> str | None:
            return given[name][0].decode("latin-1") if name in given else None

        host = header(b"host") or ""
        if len(given.get(b"host", [])) != 1 or not self._answers_for(host):
            return 400, "another Host"
        origin, reads = header(b"origin"), scope.get("method") in SAFE
        own = (f"http://{host}", f"https://{host}")
        if origin not in own and not (origin is None and reads):
            return 403, "another Origin"
        site, mode = header(b"sec-fetch-site"), header(b"sec-fetch-mode")
        if site in ("cross-site", "same-site") and mode != "navigate":
            return 403, "another site"
        length = header(b"content-length") or "0"
        if not length.isdecimal() or int(length) > self._most:
            return 413, f"more than {self._most >> 20} MB"
        return None

    def _answers_for(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in (self._names or LOOPBACK):
            return True
        return self._names is None and _is_address(name)

    def _bounded(self, receive: Receive) -> Receive:
        """What a client sends, which ends as if it had left where it is too much."""
        left = self._most

        async def received() -> MutableMapping[str, Any]:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            return message if left >= 0 else {"type": "http.disconnect"}

        return received


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _with_headers(send: Send) -> Send:
    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *HEADERS]}
        await send(message)

    return sent


async def _refuse(scope: Scope, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    plain = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": plain})
    await send({"type": "http.response.body", "body": f"refused: {why}\n".encode()})
