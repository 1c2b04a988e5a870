"""Loops of ``keras.ops`` as Python's own, which trace nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from unittest import mock

import numpy as np
from keras import ops, tree


@contextlib.contextmanager
def python_loops() -> Iterator[None]:
    """Run ``ops.fori_loop``, ``while_loop``, ``scan`` and ``map`` iteration by iteration.

    JAX traces the body of a loop even where nothing is compiled. What depends on how often
    the body's Python runs, such as a counter of its own, shows only against this.
    """
    with mock.patch.multiple(
        ops, fori_loop=_fori_loop, while_loop=_while_loop, scan=_scan, map=_map
    ):
        yield


def _fori_loop(lower, upper, body_fun, init_val):
    state = init_val
    for i in range(int(lower), int(upper)):
        state = body_fun(ops.convert_to_tensor(np.int32(i)), state)
    return state


def _while_loop(cond, body, loop_vars, maximum_iterations=None):
    several = isinstance(loop_vars, tuple | list)
    state = tree.map_structure(ops.convert_to_tensor, tuple(loop_vars) if several else (loop_vars,))
    done = 0
    while bool(cond(*state)) and (maximum_iterations is None or done < maximum_iterations):
        after = body(*state)
        state = tuple(after) if isinstance(after, tuple | list) else (after,)
        done += 1
    return state if several else state[0]


def _scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    n = int(length) if xs is None else tree.flatten(xs)[0].shape[0]
    carry, ys = init, []
    for k in reversed(range(n)) if reverse else range(n):
        carry, y = f(carry, None if xs is None else tree.map_structure(lambda x, k=k: x[k], xs))
        ys.append(y)
    if reverse:
        ys.reverse()
    if ys[0] is None:
        return carry, None
    return carry, tree.map_structure(lambda *parts: ops.stack(parts), *ys)


def _map(f, xs):
    return _scan(lambda _, x: ((), f(x)), (), xs)[1]
