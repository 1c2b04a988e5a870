"""TensorFlow lets go of the graphs of functions that nobody uses any more.

``tf.custom_gradient``, which activations and optimizers of Keras are made with, enters a function
in a registry of the process for each use in a graph. The function holds tensors of the graph, so
no graph of a training step was ever given up: some megabytes for every training in a process.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from tensorflow.python.framework import ops

_OWN = "CustomGradient-"  # how ``tf.custom_gradient`` begins the names that it makes up
_before: type | None = None


class _Register(ops.RegisterGradient):
    """Enters a gradient of one graph for as long as there is the graph, which holds it."""

    def __call__(self, gradient: Callable) -> Callable:
        name, graph = self._op_type, ops.get_default_graph()
        if not name.startswith(_OWN):
            return super().__call__(gradient)
        held = getattr(graph, "_zoo_gradients", None)
        if held is None:
            held = graph._zoo_gradients = []
        held.append(gradient)
        weak = weakref.ref(gradient)

        def called(*args: Any) -> Any:
            own = weak()
            assert own is not None  # it lives as long as its graph
            return own(*args)

        ops.gradient_registry.register(called, name)
        weakref.finalize(graph, ops.gradient_registry._registry.pop, name, None)
        return gradient


def install() -> None:
    """Have gradients entered that way.

    Raises:
        ImportError, AttributeError: TensorFlow keeps them in another way.
    """
    global _before
    for name in ("register", "_registry"):
        getattr(ops.gradient_registry, name)
    if _before is None:
        _before, ops.RegisterGradient = ops.RegisterGradient, _Register


def undo() -> None:
    """Have them entered for good again; those that are there go with their graphs."""
    global _before
    if _before is not None:
        ops.RegisterGradient, _before = _before, None
