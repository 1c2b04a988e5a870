"""Forward and backward pass of a move on PyTorch, traced once into a graph of its operations.

Keras and Python make some thousands of function calls a step, which cost more than the arithmetic
of a small network. The graph has what PyTorch computes and nothing else: the same operations in the
same order, so the numbers are the same, on a CPU bit for bit.

The first step of a shape runs as it comes. It tells which variables are read and which noise is
drawn: they become inputs of the graph. The second step traces it and runs both ways. Where the
numbers differ (the loss reads something that changes outside of its arguments), or Python asks
for the value of a tensor, the move stays untraced.
"""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from keras import StatelessScope
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode

from zoo.engine import distributed
from zoo.engine.accelerate.torch_noise import Draw, Planned, drawn
from zoo.errors import ZooError, shortened
from zoo.plugin.model import Batch
from zoo.random import Generator
from zoo.runtime.console import say

TOLERANCE = {"rtol": 1e-3, "atol": 1e-5}  # of a traced step; on a CPU there is no difference


def install() -> None:
    """There is nothing to make ready: where PyTorch has no ``make_fx``, this is not imported."""


def gradients(passes: Callable, forward: Callable, groups, inputs, kept: dict):
    """What ``passes(forward, groups, inputs)`` gives, from a graph where there is one.

    Args:
        passes: as in ``zoo.engine.backends.torch``.
        forward, groups, inputs: as there.
        kept: the programs of this move, by what they depend on.
    """
    batch, rng, _ = inputs
    parts = [*batch.sources.values(), *([] if batch.labels is None else [batch.labels])]
    trained = [id(v) for group in groups.values() for v in group]
    place = None if rng._on_host else rng.place  # a graph that draws does so from its own place
    key = (place, rng.share, *((x.shape, x.dtype, x.is_contiguous()) for x in parts), *trained)
    program = kept.get(key)
    if program is None:
        program = kept[key] = Program()
    calls, others = rng.place  # the moves of a step share a generator
    found = program.run(passes, forward, groups, inputs)
    rng.place = calls + program.used[0], others + program.used[1]
    return found


class Program:
    """The passes of one move for one shape of its inputs.

    Attributes:
        used: how far the move takes a generator.
    """

    def __init__(self):
        self.used = (0, 0)
        self._example: tuple | None = None  # inputs of the first step
        self._plan: list[Draw] = []
        self._read: dict[int, Any] = {}
        self._graph: Graph | None = None
        self._traced = False

    def run(self, passes: Callable, forward: Callable, groups, inputs):
        """One step."""
        if self._graph is not None:
            return self._graph(*inputs)
        if self._example is None:
            batch, rng, step = inputs
            self._example = batch, copy.copy(rng), step
            planned = Planned(rng, self._plan)
            watched = functools.partial(Watched, self._read)
            found = passes(forward, groups, (batch, planned, step), watched)
            self.used = planned.used
            return found
        start = inputs[1].place
        usual = passes(forward, groups, inputs)
        if not self._traced:
            self._traced = True
            graph = None
            try:
                graph = Graph(passes, forward, groups, self._example, self._plan, self._read)
                inputs[1].place = start
                _expect_same(graph(*inputs), usual)
            except Exception as error:  # whatever tracing raises
                graph = None
                _tell(error)
            # the passes of several processes may ask for each other: all have a graph, or none
            self._graph = graph if distributed.everywhere(graph is not None) else None
            self._example = ()
        return usual


class Graph:
    """What PyTorch computes in the passes of a move; call it with the inputs of a step.

    Args:
        passes, forward, groups: as in ``gradients``.
        example: inputs to trace with.
        plan: the draws of a step.
        read: the variables that a step reads, by their id.
    """

    def __init__(self, passes, forward, groups, example, plan, read):
        self._plan = plan if example[1]._on_host else ()  # elsewhere noise is part of the graph
        moved = {id(v): v for group in groups.values() for v in group}
        self._variables = [*(moved | read).values()]
        self._like: Any = None
        seen: dict[int, Any] = {}

        def function(*tensors):
            left = iter(tensors)
            values = [next(left).detach() for _ in self._variables]
            for value in values[: len(moved)]:
                value.requires_grad_()
            batch, rng, _ = example
            sources = {name: next(left) for name in batch.sources}
            own = Batch.of(sources, None if batch.labels is None else next(left))
            step = next(left)
            if rng._on_host:
                noise: Generator = Planned(rng, plan, zip(plan, left, strict=True))
            else:
                noise = Generator.of_key(rng._key, step, rng._first_row)
                noise.place = rng.place
            inputs = own, noise, step
            scope = functools.partial(Watched, seen)
            pairs = list(zip(self._variables, values, strict=True))
            self._like = passes(forward, groups, inputs, scope, pairs)
            return [x.detach() for x in _tensors(self._like)]

        with Untested():
            module = make_fx(function, tracing_mode="fake")(*self._inputs(*example))
        if not seen.keys() <= {id(v) for v in self._variables}:
            raise ZooError("the variables that it reads differ from step to step")
        self._like = _filled(self._like, itertools.repeat(torch.empty(0)))  # keep nothing alive
        self._run = _simplified(module).forward

    def __call__(self, *inputs):
        with torch.no_grad():
            return _filled(self._like, iter(self._run(*self._inputs(*inputs))))

    def _inputs(self, batch, rng, step) -> list[torch.Tensor]:
        """All inputs of the graph, in order."""
        labels = [] if batch.labels is None else [batch.labels]
        noise = drawn(self._plan, rng)
        return [*(v.value for v in self._variables), *batch.sources.values(), *labels, step, *noise]


class Watched(StatelessScope):
    """Keeps which variables are read."""

    def __init__(self, read: dict[int, Any], *args):
        super().__init__(*args)
        self._read = read

    def get_current_value(self, variable):
        self._read[id(variable)] = variable
        return super().get_current_value(variable)


class Untested(TorchFunctionMode):
    """Without tests of tensors' values on the way to what PyTorch computes."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is torch.nn.functional.one_hot:
            labels, classes = args
            return (labels[..., None] == torch.arange(classes, device=labels.device)).long()
        return function(*args, **(kwargs or {}))


def _simplified(module):
    """The graph without what makes only another name for a tensor."""
    for node in list(module.graph.nodes):
        if node.target in (torch.ops.aten.detach.default, torch.ops.aten.alias.default):
            node.replace_all_uses_with(node.args[0])
            module.graph.erase_node(node)
    module.graph.eliminate_dead_code()
    module.recompile()
    return module


def _tensors(structure) -> Iterator[torch.Tensor]:
    """The tensors in nested dicts, tuples and lists."""
    if isinstance(structure, torch.Tensor):
        yield structure
    elif isinstance(structure, (dict, tuple, list)):
        for part in structure.values() if isinstance(structure, dict) else structure:
            yield from _tensors(part)


def _filled(structure, tensors: Iterator[torch.Tensor]):
    """The same structure with other tensors."""
    if isinstance(structure, torch.Tensor):
        return next(tensors)
    if isinstance(structure, dict):
        return {key: _filled(part, tensors) for key, part in structure.items()}
    if isinstance(structure, (tuple, list)):
        return type(structure)([_filled(part, tensors) for part in structure])
    return structure


def _expect_same(found, usual) -> None:
    for ours, theirs in zip(_tensors(found), _tensors(usual), strict=True):
        if ours.dtype != theirs.dtype or not torch.allclose(
            ours, theirs, **TOLERANCE, equal_nan=True
        ):
            raise ZooError("its numbers depend on more than its arguments and variables")


def _tell(error: Exception) -> None:
    """One line for each reason, once in a process."""
    why = shortened(" ".join(str(error).split()), 200)
    if any(word in str(error) for word in ("data-dependent", "_local_scalar_dense")):
        why = "its code asks for the value of a tensor"
    if why not in _told:
        _told.add(why)
        say(f"slower than it could be: a move is not traced ({why})")


_told: set[str] = set()
