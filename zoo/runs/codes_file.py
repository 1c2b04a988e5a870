"""Files of compressed pictures: the codes of a run's model, rounded and entropy coded.

A file is ``MAGIC``, the first 16 bytes of the SHA-256 of all that follows, the length of the header
(4 bytes, little-endian), the header (JSON, deflated) and the words of the entropy coder. All that
decoding depends on is integers, but for one step or a table of vectors: every backend reads the
same codes. A file may be a stranger's: nothing in it is believed before it is checked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import ZooError
from zoo.plugin.limits import MOST_CLASSES, MOST_NUMBERS
from zoo.runtime import files, jsons, memory
from zoo.runtime.console import counted, sized

MAGIC = b"\x89ZOOcodes\r\n1"
_DIGEST = 16
MOST_EXAMPLES = 1_000_000
MOST_HEADER = 1 << 26  # bytes, inflated
MOST_LEVELS = 1 << 16  # of one dimension
MOST_SYMBOLS = 1 << 28  # decoded in some seconds
_MOST_SYMBOL = 1 << 30  # and least
_BAD = frozenset('\\:*?"<>|')  # in names of files, on one system or another
_MODEL = re.compile(r"\w[\w.:+-]*(/\w[\w.:+-]*)*")


class _Wrong(ValueError):
    """What a file says that no such file does."""


@dataclass(frozen=True, eq=False)
class CodesFile:
    """Codes of examples, as whole numbers.

    Attributes:
        run: name of the run or pack whose codes they are.
        weights: what tells its weights from others, hexadecimal.
        names: of the examples; none for examples without.
        symbols: int32 ``(n, m)``.
        step: a code is ``step * symbols``, where ``vectors`` is None.
        vectors: else float32 ``(k, g)``: a code is the vectors of m symbols, one after the other.
        labels: int32 ``(n,)`` for a conditional model, or None.
    """

    run: str
    weights: str
    names: list[str]
    symbols: np.ndarray
    step: float = 1.0
    vectors: np.ndarray | None = None
    labels: np.ndarray | None = None

    def codes(self) -> np.ndarray:
        """Float32 ``(n, d)``."""
        if self.vectors is None:
            return (self.symbols * np.float64(self.step)).astype("float32")
        return self.vectors[self.symbols].reshape(len(self.symbols), -1)


def rounded(z: np.ndarray, step: float) -> np.ndarray:
    """The nearest multiples of a step, as int32, of codes ``(n, d)``.

    Raises:
        ZooError: a code is not finite, or too many steps from 0.
    """
    symbols = np.rint(np.asarray(z, "float64") / step)
    wrong = int((~(np.abs(symbols) < _MOST_SYMBOL)).any(axis=1).sum())  # NaN among them
    if wrong:
        raise ZooError(
            f"codes of {counted(wrong, 'picture')} are not finite or too large to be rounded: the "
            "model is near NaN, as zoo diagnose may tell, or these pictures are unlike its own: "
            "zoo score names them"
        )
    return symbols.astype(np.int32)


def as_vectors(z: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Codes that are made of few vectors, as those of a codebook: ``(symbols, vectors)``, or None.

    Vectors are as long as they can be for at most 4,096 of them to be repeated eight times each.
    """
    size = z.shape[1]
    if not np.isfinite(z).all():
        return None
    for length in (g for g in range(size // 2, 0, -1) if size % g == 0):
        parts = z.reshape(-1, length)
        if len(np.unique(parts[:4096], axis=0)) > min(4096, len(parts[:4096]) // 2):
            continue  # dear to find out of all
        vectors, symbols = np.unique(parts, axis=0, return_inverse=True)
        if len(vectors) <= min(4096, len(parts) // 8):
            return symbols.reshape(len(z), -1).astype(np.int32), vectors.astype("float32")
    return None


def _columns(file: CodesFile) -> list[np.ndarray]:
    """Symbols that share a table: each dimension has its own, vectors have one for all."""
    return [file.symbols.ravel()] if file.vectors is not None else list(file.symbols.T)


def encoded(file: CodesFile) -> bytes:
    """The content of a file.

    Raises:
        ZooError: ``constriction`` is not installed, a dimension has too many levels, or there is
            more than ``read`` accepts.
    """
    n, width = file.symbols.shape
    if n > (most := min(MOST_EXAMPLES, MOST_SYMBOLS // width)):
        raise ZooError(
            f"{n:,} pictures are too many for one file, up to {most:,} fit: compress parts of them"
        )
    coder, tables = require_constriction().stream.stack.AnsCoder(), []
    for column in _columns(file):
        low = int(column.min())
        if int(column.max()) - low >= MOST_LEVELS:
            raise ZooError(
                f"a dimension of the codes has {int(column.max()) - low + 1:,} levels; up to "
                f"{MOST_LEVELS:,} are coded: allow a larger --loss"
            )
        tables.append((low, np.bincount(column - low)))
    for column, (low, counts) in reversed(list(zip(_columns(file), tables, strict=True))):
        if len(counts) > 1:
            coder.encode_reverse((column - low).astype(np.int32), _table(counts))
    header = {
        "run": file.run,
        "weights": file.weights,
        "n": n,
        "names": file.names,
        "step": file.step,
        "low": [low for low, _ in tables],
        "counts": [counts.tolist() for _, counts in tables],
    }
    if file.vectors is not None:
        content = base64.b64encode(file.vectors.astype("<f4").tobytes()).decode()
        header["vectors"] = {"shape": list(file.vectors.shape), "float32": content}
        header["columns"] = width
    if file.labels is not None:
        header["labels"] = file.labels.tolist()
    told = json.dumps(header, separators=(",", ":")).encode()
    if len(told) > MOST_HEADER:
        raise ZooError(
            f"the names of {n:,} pictures take more than the {sized(MOST_HEADER)} of a file's "
            "header: compress parts of them"
        )
    packed = zlib.compress(told, 9)
    body = len(packed).to_bytes(4, "little") + packed
    body += coder.get_compressed().astype("<u4").tobytes()
    return MAGIC + hashlib.sha256(body).digest()[:_DIGEST] + body


def read(path: Path) -> CodesFile:
    """A file of codes.

    Raises:
        ZooError: it cannot be read, is none, or is damaged; or ``constriction`` is not installed.
    """
    try:
        content = files.read(path, links=True)
    except FileNotFoundError:
        raise ZooError(f"there is no {path}") from None
    coding = require_constriction()
    try:
        return _decoded(content, coding)
    except (_Wrong, KeyError, TypeError, ValueError, OverflowError, zlib.error) as error:
        reason = error if isinstance(error, _Wrong) else "its header or its codes are damaged"
        raise ZooError(f"{path} is not read: {reason}. zoo compress writes such files") from None


def _decoded(content: bytes, coding: Any) -> CodesFile:
    start = len(MAGIC) + _DIGEST
    if content[: len(MAGIC)] != MAGIC:
        raise _Wrong("it is no file of codes")
    body = content[start:]
    if len(body) < 4 or hashlib.sha256(body).digest()[:_DIGEST] != content[len(MAGIC) : start]:
        raise _Wrong("it is damaged or cut off (SHA-256 differs)")
    length = int.from_bytes(body[:4], "little")
    inflate = zlib.decompressobj()
    raw = inflate.decompress(body[4 : 4 + length], MOST_HEADER)
    if not inflate.eof:
        raise _Wrong(f"its header is cut off or larger than {MOST_HEADER >> 20} MB")
    header = jsons.parsed(raw)
    n, names, tables = _checked(header)
    words = np.frombuffer(body[4 + length :], "<u4")
    vectors, width = None, len(tables)
    if "vectors" in header:
        vectors, width = _vectors(header)
    if n * width > MOST_SYMBOLS or n * width * 16 > memory.most():
        raise _Wrong(f"{n:,} codes of {width:,} numbers are too many to decode at once")
    many = n if vectors is None else n * width  # symbols that share a table
    _need(all(int(counts.sum()) == many for _, counts in tables), "counts are of all symbols")
    coder = coding.stream.stack.AnsCoder(words.astype(np.uint32))
    columns = []
    for low, counts in tables:
        told = len(counts) > 1  # else there is one symbol, which takes no bits
        own = coder.decode(_table(counts), many) if told else np.zeros(many, np.int32)
        columns.append(own + np.int32(low))
    symbols = np.stack(columns, axis=1) if vectors is None else columns[0].reshape(n, width)
    if vectors is not None and not 0 <= symbols.min() <= symbols.max() < len(vectors):
        raise _Wrong("a symbol of it has no vector")
    labels = header.get("labels")
    return CodesFile(
        run=header["run"],
        weights=header["weights"],
        names=names,
        symbols=symbols,
        step=float(header["step"]),
        vectors=vectors,
        labels=None if labels is None else np.array(labels, np.int32),
    )


def _checked(header: Any) -> tuple[int, list[str], list[tuple[int, np.ndarray]]]:
    """The number of examples, their names and the tables of a header, each field looked at."""
    n, names, run, step = (header[key] for key in ("n", "names", "run", "step"))
    _need(type(n) is int and 1 <= n <= MOST_EXAMPLES, f"n is 1 to {MOST_EXAMPLES:,}")
    _need(isinstance(names, list) and len(names) in (0, n), "names are none, or one per example")
    _need(all(map(is_name, names)) and len(set(names)) == len(names), "names are different paths")
    _need(isinstance(run, str) and len(run) < 300 and bool(_MODEL.fullmatch(run)), "run is a name")
    _need(bool(re.fullmatch("[0-9a-f]{64}", header["weights"])), "weights are 64 digits")
    finite = type(step) in (int, float) and math.isfinite(step) and 0 < step < 1e6
    _need(finite, "step is a positive number")
    lows, counts, labels = header["low"], header["counts"], header.get("labels")
    listed = isinstance(lows, list) and isinstance(counts, list) and len(lows) == len(counts)
    _need(listed and 1 <= len(lows) <= MOST_NUMBERS, "low and counts have one entry per table")
    bound = _MOST_SYMBOL
    _need(all(type(low) is int and -bound < low < bound for low in lows), "low is whole numbers")
    for own in counts:
        whole = isinstance(own, list) and all(type(c) is int and 0 <= c < bound for c in own)
        _need(whole and 1 <= len(own) <= MOST_LEVELS and any(own), "counts are whole numbers")
    if labels is not None:
        whole = all(type(y) is int and 0 <= y < MOST_CLASSES for y in labels)
        _need(whole and len(labels) == n, "labels are whole numbers, one per example")
    return n, names, [(low, np.array(own)) for low, own in zip(lows, counts, strict=True)]


def _vectors(header: Any) -> tuple[np.ndarray, int]:
    (k, g), width = header["vectors"]["shape"], header["columns"]
    whole = all(type(count) is int and count >= 1 for count in (k, g, width))
    _need(whole and k <= MOST_LEVELS and g * width <= MOST_NUMBERS, "vectors have a shape")
    _need(len(header["counts"]) == 1, "vectors have one table")
    raw = base64.b64decode(header["vectors"]["float32"], validate=True)
    _need(len(raw) == 4 * k * g, "vectors are as many as their shape says")
    vectors = np.frombuffer(raw, "<f4").reshape(k, g).astype("float32")
    _need(bool(np.isfinite(vectors).all()), "vectors are finite")
    return vectors, width


def _need(holds: bool, words: str) -> None:
    if not holds:
        raise _Wrong(f"its header is no such header ({words})")


def is_name(name: Any) -> bool:
    """Whether a name is a relative path that leads nowhere else, on any system."""
    if not isinstance(name, str) or len(name) > 1000 or not name.isprintable():
        return False
    parts = name.split("/")
    return len(parts) <= 8 and all(
        part and part == part.strip(". ") and len(part.encode()) <= 200 and not _BAD & set(part)
        for part in parts
    )


def _table(counts: np.ndarray) -> Any:
    """The model of symbols with these counts; a quotient of whole numbers is alike everywhere."""
    shares = counts / np.float64(counts.sum())
    return require_constriction().stream.model.Categorical(shares, perfect=False)


def require_constriction() -> Any:
    """The package; ``ZooError`` says how to install it."""
    try:
        import constriction
    except ImportError:
        raise ZooError(
            "compressing needs the package constriction: pip install 'keras-zoo[compress]'"
        ) from None
    return constriction
