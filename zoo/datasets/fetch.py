"""Downloading: from the first mirror that sends the right thing, or not at all."""

from __future__ import annotations

import http.client
import os
import queue
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from zoo.runtime.files import FULL, unwritable

ANSWER_SECONDS = 4.0
"""How long a mirror may take to answer: without a network, time is lost here."""

STALL_SECONDS = 15.0
"""How long a transfer that has begun may stand still."""

_CHUNK = 1 << 16


class NotFetched(Exception):
    """No mirror had it; the text says why, mirror by mirror."""


def fetch(
    mirrors: Sequence[tuple[str, Sequence[str]]],
    folder: Path,
    verify: Callable[[list[Path]], object],
    say: Callable[[str], None],
) -> list[Path]:
    """Download files into ``folder``, where they appear verified or not at all.

    Args:
        mirrors: ``(address ending in "/", file names there)``, tried in order.
        folder: created if need be.
        verify: given the paths of one mirror's files; raises ``ValueError`` to refuse them.
        say: told what is downloaded, and how far it is.

    Returns:
        The files, in the order of the mirror that had them.

    Raises:
        NotFetched: no mirror had them, or the folder cannot be written.
    """
    reasons = []
    for address, names in mirrors:
        host = urlsplit(address).hostname
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Within the folder, hence on its disk: moving out of it is atomic.
            with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as temporary:
                arrived = [Path(temporary, name) for name in names]
                for path in arrived:
                    _download(address + path.name, path, say)
                verify(arrived)
                for path in arrived:
                    os.replace(path, folder / path.name)
                return [folder / name for name in names]
        except (OSError, http.client.HTTPException) as error:
            if getattr(error, "errno", None) in FULL:  # no stand-in for data that have no room
                raise unwritable(folder, error) from error  # type: ignore[arg-type]  # an OSError
            reasons.append(f"{host}: {_why(error)}")
        except ValueError as error:
            reasons.append(f"{host} sent something else: {error}")
            say(f"refused: {reasons[-1]}")
    raise NotFetched("; ".join(reasons))


def _download(url: str, path: Path, say: Callable[[str], None]) -> None:
    with _open(url) as response, path.open("wb") as file:
        total = int(response.headers.get("Content-Length") or 0)
        size = f"{total / 1e6:.1f} MB" if total else "unknown size"
        say(f"downloading {url} ({size})")
        done, told = 0, time.monotonic()
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            if time.monotonic() - told >= 1:
                told = time.monotonic()
                say(f"  {path.name}: {done / 1e6:.1f} MB of {size}")
    if total and done != total:
        raise OSError(f"the connection closed after {done:,} of {total:,} bytes of {path.name}")


def _open(url: str):
    """Open an address, giving up after ``ANSWER_SECONDS``.

    In a thread, since the time-out of a socket does not cover looking up its host.
    """
    answers: queue.SimpleQueue = queue.SimpleQueue()

    def ask():
        try:
            answers.put(urllib.request.urlopen(url, timeout=STALL_SECONDS))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        raise TimeoutError(f"no answer within {ANSWER_SECONDS:g} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _why(error: Exception) -> str:
    """The reason within an error of urllib, without its wrapping."""
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
