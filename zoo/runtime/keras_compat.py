"""What the engine needs of insides, each with a substitute in case they change.

Of Keras's insides, but for one barrier of JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from keras import StatelessScope, ops

from zoo.runtime.backends import BACKENDS

__all__ = [
    "caller",
    "get_stateless_scope",
    "jax_barrier",
    "loop_around",
    "moments_by",
    "outputs",
    "pure",
    "tensorflow",
    "torch_device",
]

try:
    from keras.src.backend.common.stateless_scope import get_stateless_scope
except ImportError:

    def get_stateless_scope():
        """The scope around this call, or None."""
        with StatelessScope(initialize_variables=False) as probe:
            return probe.original_scope


try:
    from keras.src.utils.module_utils import tensorflow
except ImportError:
    tensorflow = None  # then Keras imports TensorFlow to serialize optimizers, and no more

_LOOPS = [ops.fori_loop, ops.while_loop, ops.scan, ops.map]
try:  # what these call, and what the operations of a functional model call
    from keras.src.backend import core

    _LOOPS += [core.fori_loop, core.while_loop, core.scan, core.map]
except (ImportError, AttributeError):
    pass
_LOOP_CODE = {id(function.__code__) for function in _LOOPS if hasattr(function, "__code__")}


def loop_around(frame: FrameType) -> FrameType | None:
    """The frame of the innermost loop of ``keras.ops`` that runs a frame, or None.

    The frame of ``ops.fori_loop`` is on the stack while its body runs (PyTorch) and while its
    body is traced (JAX, TensorFlow): the stack tells a loop's body from a jitted step,
    ``zoo.gradient`` and ``vmap``, alike on every backend. JAX's and TensorFlow's own
    loops, which no plugin may call, are not seen.
    """
    around: FrameType | None = frame
    while around is not None and id(around.f_code) not in _LOOP_CODE:
        around = around.f_back
    return around


def caller(frame: FrameType) -> str:
    """``"FILE, line N"`` of the code that called the zoo, a framework or both, for a message."""
    around: FrameType | None = frame
    while around is not None:
        name = str(around.f_globals.get("__name__"))
        if name.partition(".")[0] not in ("zoo", "keras", *BACKENDS):
            return f"{Path(around.f_code.co_filename).name}, line {around.f_lineno}"
        around = around.f_back
    return "zoo"


def torch_device() -> str:
    """Where Keras on PyTorch puts new tensors, such as ``"cuda:0"``."""
    try:  # here, since it imports PyTorch
        from keras.src.backend.torch.core import get_device
    except ImportError:
        return str(ops.convert_to_tensor(0.0).device)
    return get_device()


def outputs(network: Any) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """Every operation of a network and of those in it, and the shape that it gives one example."""
    for layer in network._flatten_layers():
        for operation in getattr(getattr(layer, "_functional", layer), "operations", ()):
            for node in operation._inbound_nodes:
                for tensor in node.output_tensors:
                    yield operation, tuple(size or 1 for size in tensor.shape)


def moments_by(layer: Any, moments: Callable) -> None:
    """Have a layer of batch normalization take its moments from ``moments(layer, inputs, mask)``.

    It gives mean and variance, ``(channels,)`` each; or None for those of the inputs, as usual.

    Raises:
        AttributeError: Keras takes them in another way.
    """
    usual = type(layer)._moments

    def own(inputs, mask):
        found = moments(layer, inputs, mask)
        return usual(layer, inputs, mask) if found is None else found

    layer._moments = own


def pure(fn, values=(), scope=StatelessScope):
    """Evaluate ``fn()`` without side effects on Keras variables.

    Keras gives a scope no way to inherit the values of the one around it, so they are
    copied in: a gradient within a training step has to see that step's weights.

    Args:
        fn: function without arguments.
        values: pairs ``(variable, value)`` that hold inside.
        scope: the class of the scope.

    Returns:
        ``fn()``, and ``{id(variable): value}`` for what it assigned.
    """
    scope = scope(values)
    outer = get_stateless_scope()
    if outer is not None:
        scope.state_mapping = {**outer.state_mapping, **scope.state_mapping}
    before = dict(scope.state_mapping)
    with scope:
        result = fn()
    assigned = scope.state_mapping.items()
    return result, {key: value for key, value in assigned if value is not before.get(key)}


def jax_barrier(jax: Any, name: str, seconds: int) -> None:
    """Wait until all processes of JAX are here; its collectives alone would wait half a minute.

    Where this JAX has no such barrier, nothing waits.
    """
    try:
        client = jax._src.distributed.global_state.client
    except AttributeError:
        return
    client.wait_at_barrier(name, seconds * 1000)
