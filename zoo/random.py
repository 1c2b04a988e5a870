"""Random numbers from a counter: the same on every backend.

What the networks and losses draw comes from Threefry-2x32-20 (Salmon et al. 2011,
"Parallel random numbers: as easy as 1, 2, 3") in int32 ``keras.ops``. What is drawn
before a batch reaches the device (data order, binarization, initial weights) comes
from NumPy's Philox, of the same paper, on the host.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import hashlib
import math
import operator
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar

import keras
import numpy as np
from keras import ops, tree

from zoo.errors import ZooError
from zoo.runtime.keras_compat import caller, loop_around

State = TypeVar("State")


def _words(*parts: str | int) -> np.ndarray:
    """Two uint64 words that stand for the parts, told apart by their order and type."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()
    return np.frombuffer(digest, dtype="<u8")


def host(seed: int, *names: str | int) -> np.random.Philox:
    """A bit generator on the host, keyed by the seed and what it is for.

    Its ``random_raw(n)`` gives n uint64, the same in every NumPy release.

    >>> host(0, "order", 1).random_raw() == host(0, "order", 1).random_raw()
    True
    """
    return np.random.Philox(key=_words(int(seed), *names))


def host_permutation(seed: int, n: int, *names: str | int) -> np.ndarray:
    """The numbers 0 to n - 1 in an order fixed by the seed and names, int64 ``(n,)``."""
    return np.argsort(host(seed, *names).random_raw(n), kind="stable")


class HostNumbers:
    """Float64 arrays of a few distributions from one bit generator, alike on every backend.

    Args:
        bits: as ``host`` gives it.
    """

    def __init__(self, bits: np.random.Philox):
        self._bits = bits

    def uniform(self, shape) -> np.ndarray:
        """Uniform in (0, 1)."""
        raw = self._bits.random_raw(int(np.prod(shape)))
        return ((raw >> np.uint64(11)) + 0.5).reshape(shape) * 2.0**-53

    def normal(self, shape) -> np.ndarray:
        """Standard normal (Box & Muller 1958)."""
        radius = np.sqrt(-2 * np.log(self.uniform(shape)))
        return radius * np.cos(2 * np.pi * self.uniform(shape))

    def truncated(self, shape) -> np.ndarray:
        """Standard normal numbers; those beyond two deviations are drawn again."""
        values = self.normal(shape)
        while (far := np.abs(values) > 2).any():
            values[far] = self.normal((int(far.sum()),))
        return values


# --- Threefry-2x32-20 ------------------------------------------------------------------

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA
_COLUMN_BITS = 22  # counters a row may use in one call: 2**22; calls a step: 2**10


def _signed(word: int) -> int:
    """The int32 with the same 32 bits."""
    return (word & 0xFFFFFFFF) - ((word & 0x80000000) << 1)


_INTS = SimpleNamespace(  # as NumPy on one int32, and faster than an array of one
    add=lambda a, b: _signed(a + b),
    left_shift=lambda a, r: _signed(a << r),
    right_shift=operator.rshift,
    bitwise_and=operator.and_,
    bitwise_or=operator.or_,
    bitwise_xor=operator.xor,
)


def _rotate(xp, x, r):
    # int32 shifts right with the sign, so what it smears in is masked away
    low = xp.bitwise_and(xp.right_shift(x, 32 - r), (1 << r) - 1)
    return xp.bitwise_or(xp.left_shift(x, r), low)


def threefry(xp, key: tuple, counter: tuple) -> tuple:
    """Threefry-2x32 with 20 rounds (Salmon et al. 2011).

    Args:
        xp: ``keras.ops`` or ``numpy``, which give the same bits.
        key: two int32 tensors or NumPy arrays.
        counter: two int32 tensors or arrays that broadcast against each other.

    Returns:
        Two int32 tensors or arrays of random bits.
    """
    k0, k1 = key
    keys = (k0, k1, xp.bitwise_xor(xp.bitwise_xor(k0, k1), _PARITY))
    x0, x1 = xp.add(counter[0], k0), xp.add(counter[1], k1)
    for block in range(5):
        for r in _ROTATIONS[block % 2]:
            x0 = xp.add(x0, x1)
            x1 = xp.bitwise_xor(_rotate(xp, x1, r), x0)
        x0 = xp.add(x0, keys[(block + 1) % 3])
        x1 = xp.add(xp.add(x1, keys[(block + 2) % 3]), block + 1)
    return x0, x1


def key(seed: int, purpose: str) -> np.int32:
    """The part of a generator's key that stands for the seed and what it is for."""
    return np.int32(_signed(int(_words(int(seed), purpose)[0])))


class Share(NamedTuple):
    """The rows of a batch that one of several processes works on.

    Attributes:
        first: place of its first row in the whole batch.
        rows: how many it has, at least 1.
        of: rows of the whole batch.
        weight: of its means in those of the whole batch. 0 where there are fewer rows than
            processes, and this one only looks on, at row 0.
    """

    first: int
    rows: int
    of: int
    weight: float

    @classmethod
    def part(cls, number: int, processes: int, rows: int) -> Share:
        """The share of a process: as many rows as the others, or one more."""
        each, more = divmod(rows, processes)
        own = each + (number < more)
        if not own:
            return cls(0, 1, rows, 0.0)
        return cls(number * each + min(number, more), own, rows, own / rows)

    def places(self, n, xp, local):
        """Places in the whole batch of the rows 0 to n - 1 of a draw, which are ``local``.

        A draw for k examples per row, concatenated as ``[x, made]`` are, has k times as many
        rows as the batch. One whose rows are not those of the batch has the same in every process.
        """
        if isinstance(n, int) and n % self.rows:
            return local
        turn = xp.floor_divide(local, self.rows)
        return local + turn * (self.of - self.rows) + self.first


class Generator:
    """The ``rng`` of a loss: every number is a function of its place, not of history.

    The key is (seed and purpose, step); the counter is (row, call and column). A row
    is an example's place in the whole batch, so the noise of an example does not
    depend on the batch size or on how many devices share the batch. Draws within a
    step are told apart by the order of the calls. In a loop of ``keras.ops``, whose body
    JAX and TensorFlow trace once, order tells nothing: there ``rng.at(i)`` draws.

    Args:
        seed: the experiment's seed.
        purpose: what the numbers are for, such as ``"train"``.
        step: int or int32 scalar tensor.
        first_row: row of the first example, int or int32 scalar tensor; or a ``Share``.
        on_host: draw with NumPy; the numbers are the same, and on PyTorch's CPU
            backend this is several times faster.
    """

    def __init__(self, seed: int, purpose: str, step=0, first_row=0, on_host: bool = False):
        self._start(key(seed, purpose), step, first_row, on_host)

    def _start(self, key, step, first_row, on_host):
        self._key, self._step = key, step
        self._first_row, self._on_host = first_row, on_host
        self._calls = 0  # draws
        self._others = 0  # forks, and scopes that ended
        self._before: tuple[Any, Any] = (0, 0)  # as many of another, which it draws after
        self._loop = id(loop_around(sys._getframe()))

    @classmethod
    def of_key(cls, key, step=0, first_row=0, on_host: bool = False) -> Generator:
        """As the constructor, from ``key(seed, purpose)``, which may be a tensor."""
        rng = cls.__new__(cls)
        rng._start(key, step, first_row, on_host)
        return rng

    def at(self, i) -> Generator:
        """The generator of index i, such as the iteration of a loop.

        What it draws depends on i and on how many draws this generator made before, and not
        on the trace or the order in which indices come: it is the same on every backend
        within ``ops.fori_loop``, ``ops.while_loop``, ``ops.scan``, ``ops.map`` and
        Python's loops. Rows keep their noise, as they do without an index. Within a loop in
        a loop, write ``rng.at(i).at(j)``.

        Asked twice for one i, it gives the same numbers twice: call it once per iteration
        and draw from the result. A second loop over the same indices takes a
        ``rng.fork()``; ``zoo.random.loop`` does both by itself.

        Args:
            i: int, or an integer scalar tensor, which may be traced; its low 32 bits count.

        Raises:
            ZooError: i is not an integer.

        >>> def body(i, z):
        ...     return z + rng.at(i).normal((4, 2))
        >>> z = ops.fori_loop(0, 10, body, ops.zeros((4, 2)))
        """
        dtype = keras.backend.standardize_dtype(i.dtype) if hasattr(i, "dtype") else None
        if not (isinstance(i, int) if dtype is None else "int" in dtype):
            raise ZooError(f"rng.at({i!r}): an index is an int or an int32 scalar tensor")
        # rows are never negative: no draw has such a counter, nor any other key made here
        return self._of(-1 - self._made, i)

    def fork(self) -> Generator:
        """A generator whose draws, and indices of ``at``, are none of this one's.

        Each fork is another one. A function that loops over ``at`` forks first, so that two
        calls of it with one generator draw different numbers.
        """
        self._refuse_in_a_loop()
        self._others += 1
        return self._of(-(2**31), self._made)

    @property
    def _made(self):
        return self._calls + self._others + self._before[0] + self._before[1]

    def _after(self, calls, others) -> Generator:
        """The generator that draws as this one will when its ``place`` is so much further.

        In a loop whose body is traced once, the loop carries how far it has come.

        Args:
            calls, others: int32 scalar tensors.
        """
        rng = Generator.of_key(self._key, self._step, self._first_row, self._on_host)
        rng._before = self._calls + calls, self._others + others
        return rng

    def _of(self, first: int, second) -> Generator:
        """The generator whose key is what Threefry gives for a counter that no draw has."""
        if self._on_host:
            words = [_signed(int(word)) for word in (self._key, self._step, first, second)]
            made = threefry(_INTS, tuple(words[:2]), tuple(words[2:]))
        else:
            second = _signed(second) if isinstance(second, int) else second
            words = [ops.cast(word, "int32") for word in (self._key, self._step, first, second)]
            made = threefry(ops, tuple(words[:2]), tuple(words[2:]))
        return Generator.of_key(made[0], made[1], self._first_row, self._on_host)

    def _refuse_in_a_loop(self):
        """An order of calls means nothing where a body runs, or is traced, more often than once."""
        frame = sys._getframe(1)
        loop = loop_around(frame)
        if loop is None or id(loop) == self._loop:
            return
        raise ZooError(
            f"{caller(frame)}: noise without an index in ops.{loop.f_code.co_name}, which would "
            "repeat it in every iteration on JAX and TensorFlow. Draw from rng.at(i), where i "
            "counts the iterations; around layers that draw, such as Dropout, write "
            "`with zoo.random.scope(rng.at(i)):`. zoo.random.loop(steps, step, state, rng) "
            "makes the loop and does both"
        )

    @property
    def place(self) -> tuple[int, int]:
        """How far it has come: what it draws next follows from its key and this."""
        return self._calls, self._others

    @place.setter
    def place(self, place: tuple[int, int]) -> None:
        self._refuse_more_than_fit(place[0])
        self._calls, self._others = place

    @staticmethod
    def _refuse_more_than_fit(calls: int):
        if calls > 1 << (32 - _COLUMN_BITS):
            raise ValueError("more than 1024 draws in one step: draw larger shapes at once")

    @property
    def share(self) -> Share | None:
        """The rows of the whole batch that it draws for; None for all."""
        return self._first_row if isinstance(self._first_row, Share) else None

    @property
    def shared(self) -> Shared:
        """The same draws without rows: one value for the whole batch, on every device."""
        return Shared(self)

    def uniform(self, shape, low: float = 0.0, high: float = 1.0):
        """Float32 numbers in the open interval (low, high), rows on axis 0."""
        unit = self._drawn("unit", shape)
        return unit if (low, high) == (0.0, 1.0) else unit * (high - low) + low

    def normal(self, shape, mean: float = 0.0, stddev: float = 1.0):
        """Float32 normal numbers by Box-Muller, rows on axis 0; at most 5.8 deviations out."""
        normal = self._drawn("standard_normal", shape)
        return normal if (mean, stddev) == (0.0, 1.0) else normal * stddev + mean

    def integers(self, shape, low: int, high: int):
        """Int32 numbers from low to high - 1, rows on axis 0; high - low at most ``2**23``."""
        if not 0 < high - low <= 2**23:
            raise ValueError(f"integers needs low < high <= low + 2**23, not {low} and {high}")
        offset = ops.floor(self.uniform(shape) * float(high - low))
        # u * (high - low) may round up to high - low
        return ops.cast(ops.minimum(offset, float(high - low - 1)), "int32") + low

    def bernoulli(self, shape, p: float):
        """Booleans, true with probability p to the nearest 1 / 65,536, rows on axis 0.

        Half as many bits as the other draws take: a mask is the most that a network draws.
        """
        return self._drawn("mask", shape, round(p * 65536) - 32768)

    def permutation(self, n):
        """The int32 numbers 0 to n - 1 in random order; n may be a scalar tensor."""
        return ops.cast(ops.argsort(self._drawn("column", (n,))), "int32")

    # --- what is drawn, each kind in one draw

    def _drawn(self, kind: str, shape, *args):
        """A draw of a kind below: all numbers come through here."""
        return getattr(self, f"_{kind}")(shape, *args)

    def _unit(self, shape):
        return self._lay_out(map(self._in_unit, self._bits(shape)), shape)

    def _standard_normal(self, shape):
        xp = self._xp
        first, second = map(self._in_unit, self._bits(shape))
        radius = xp.sqrt(-2.0 * xp.log(first))
        angle = second * (2.0 * np.float32(np.pi))
        return self._lay_out([radius * xp.cos(angle), radius * xp.sin(angle)], shape)

    def _mask(self, shape, below: int):
        xp, halves = self._xp, []
        for bits in self._bits(shape, 4):  # each of a counter's two words has two halves
            high, low = xp.right_shift(bits, 16), xp.right_shift(xp.left_shift(bits, 16), 16)
            halves += [xp.less(high, below), xp.less(low, below)]
        return self._lay_out(halves, shape)

    def _column(self, shape):
        return ops.convert_to_tensor(self._bits(shape)[0][:, 0])

    @property
    def _xp(self):
        return np if self._on_host else ops

    def _bits(self, shape, numbers: int = 2):
        """Two int32 arrays ``(rows, counters)``, a counter for so many numbers of a row."""
        self._refuse_in_a_loop()
        self._refuse_more_than_fit(self._calls + 1)
        rows, columns = (shape[0], math.prod(shape[1:])) if len(shape) else (1, 1)
        counters = -(-columns // numbers)
        if counters > 1 << _COLUMN_BITS:
            raise ValueError(f"more than {numbers << _COLUMN_BITS:,} numbers a row in one draw")
        call, self._calls = self._calls, self._calls + 1
        start = _signed(call << _COLUMN_BITS) + self._before[0] * (1 << _COLUMN_BITS)
        if self._on_host:
            key = tuple(np.asarray(int(word), "int32") for word in (self._key, self._step))
            row = self._places(int(rows), np.arange(int(rows), dtype="int32"), len(shape))
            column = np.arange(counters, dtype="int32") + np.int32(start)
            return threefry(np, key, (row[:, None], column[None, :]))
        key = (ops.cast(self._key, "int32"), ops.cast(self._step, "int32"))
        row = self._places(rows, ops.arange(rows, dtype="int32"), len(shape))
        column = ops.arange(counters, dtype="int32") + start
        return threefry(ops, key, (row[:, None], column[None, :]))

    def _places(self, n, local, axes: int):
        """The numbers of the rows of a draw, int32 ``(n,)``; a scalar is the whole batch's."""
        first = self._first_row
        if isinstance(first, Share):
            return first.places(n, self._xp, local) if axes else local
        return local + (np.int32(int(first)) if self._on_host else ops.cast(first, "int32"))

    def _in_unit(self, bits):
        # 23 bits and a half: exact in float32, and never 0 or 1
        xp = self._xp
        top = xp.bitwise_and(xp.right_shift(bits, 9), 0x7FFFFF)
        top = top.astype("float32") if self._on_host else ops.cast(top, "float32")
        return (top + np.float32(0.5)) * np.float32(2.0**-23)

    def _lay_out(self, parts, shape):
        columns = math.prod(shape[1:]) if len(shape) else 1
        flat = self._xp.concatenate(list(parts), axis=1)[:, :columns]
        return ops.reshape(ops.convert_to_tensor(flat), tuple(shape))


class Shared:
    """Draws that belong to the batch rather than to its rows.

    It has the methods of ``zoo.random.Generator``: ``rng.shared.normal((8,))``.
    """

    def __init__(self, generator: Generator):
        self._generator = generator

    def __getattr__(self, name):
        draw = getattr(self._generator, name)

        @functools.wraps(draw)
        def without_rows(*args, **kwargs):
            first_row, self._generator._first_row = self._generator._first_row, 0
            try:
                return draw(*args, **kwargs)
            finally:
                self._generator._first_row = first_row

        return without_rows


# --- the generator that layers draw from -----------------------------------------------

_current: contextvars.ContextVar[Generator | None] = contextvars.ContextVar("rng", default=None)


@contextlib.contextmanager
def scope(rng: Generator) -> Iterator[Generator]:
    """Let layers such as ``zoo.nn.layers.Dropout`` draw from this generator.

    A training step does so by itself. Elsewhere, and within loops of ``keras.ops``, call layers
    under ``with zoo.random.scope(rng):``.
    """
    token = _current.set(rng)
    try:
        yield rng
    finally:
        _current.reset(token)
        if _current.get() is not rng:  # the moves of a step share a generator, not its indices
            rng._others += 1


def current() -> Generator:
    """The generator of the step being made; ``RuntimeError`` outside of one."""
    rng = _current.get()
    if rng is None:
        raise RuntimeError(
            "this layer draws its noise from the training step of a zoo model; elsewhere, "
            "call it within `zoo.random.scope(zoo.random.Generator(seed, 'name', step))`"
        )
    return rng


def share() -> Share | None:
    """The rows of the batch that this process makes the step of; None where it has all of them."""
    rng = _current.get()
    return None if rng is None else rng.share


# --- loops -----------------------------------------------------------------------------


def loop(
    steps, step: Callable[[Any, State, Generator], State], state: State, rng: Generator
) -> State:
    """``state = step(i, state, rng)`` for i = 0 to steps - 1, each with noise of its own.

    One program with bounded memory on JAX and TensorFlow (``ops.fori_loop``), a Python loop
    on PyTorch; the numbers are the same. Layers that draw noise, such as
    ``zoo.nn.layers.Dropout``, draw from the generator of their iteration.

    The result can be differentiated where ``steps`` is an int; memory then grows with it.
    Where it is a tensor, only PyTorch, and TensorFlow without XLA, can.

    Args:
        steps: int, or an int32 scalar tensor.
        step: function ``(i, state, rng)`` that gives the next state; i is an int32 scalar
            tensor. JAX and TensorFlow trace it once. It may call networks, and not
            change variables: batch normalization that trains does.
        state: a tensor, or a nested tuple, list or dict of tensors, of any shapes and
            dtypes, which stay as they are.
        rng: draws one ``fork``, however many steps there are.

    Returns:
        The last state, with the structure of ``state``.

    Raises:
        ZooError: ``step`` gives a state of another structure, shape or dtype.

    Example, Langevin dynamics on ``(n, d)``:

    >>> def step(i, z, rng):
    ...     return z + 0.01 * score(z) + ops.sqrt(0.02) * rng.normal(ops.shape(z))
    >>> z = zoo.random.loop(100, step, rng.normal((n, d)), rng)
    """
    own = rng.fork()
    state = tree.map_structure(ops.convert_to_tensor, state)

    def body(i, state):
        i = ops.cast(i, "int32")
        with scope(own.at(i)) as each:
            after = tree.map_structure(ops.convert_to_tensor, step(i, state, each))
        _expect_alike(state, after)
        return after

    if isinstance(steps, int) and keras.backend.backend() == "tensorflow":
        # XLA differentiates no loop whose greatest length it is not told
        return ops.while_loop(
            lambda i, _: i < steps,
            lambda i, state: (i + 1, body(i, state)),
            (0, state),
            maximum_iterations=steps,
        )[1]
    return ops.fori_loop(0, steps, body, state)


def _expect_alike(before, after):
    def described(state):
        return tree.map_structure(
            lambda x: f"{keras.backend.standardize_dtype(x.dtype)} {tuple(x.shape)}", state
        )

    ours, theirs = described(before), described(after)
    if ours != theirs:
        raise ZooError(
            f"zoo.random.loop: step was given the state {ours} and returned {theirs}; "
            "structure, shapes and dtypes stay the same"
        )
