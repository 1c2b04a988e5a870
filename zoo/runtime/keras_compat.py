"""What the engine needs of Keras's insides, each with a substitute in case Keras changes."""

from __future__ import annotations

from keras import StatelessScope, ops

__all__ = ["get_stateless_scope", "pure", "tensorflow", "torch_device"]

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


def torch_device() -> str:
    """Where Keras on PyTorch puts new tensors, such as ``"cuda:0"``."""
    try:  # here, since it imports PyTorch
        from keras.src.backend.torch.core import get_device
    except ImportError:
        return str(ops.convert_to_tensor(0.0).device)
    return get_device()


def pure(fn, values=()):
    """Evaluate ``fn()`` without side effects on Keras variables.

    Keras gives a scope no way to inherit the values of the one around it, so they are
    copied in: a gradient within a training step has to see that step's weights.

    Args:
        fn: function without arguments.
        values: pairs ``(variable, value)`` that hold inside.

    Returns:
        ``fn()``, and ``{id(variable): value}`` for what it assigned.
    """
    scope = StatelessScope(values)
    outer = get_stateless_scope()
    if outer is not None:
        scope.state_mapping = {**outer.state_mapping, **scope.state_mapping}
    before = dict(scope.state_mapping)
    with scope:
        result = fn()
    assigned = scope.state_mapping.items()
    return result, {key: value for key, value in assigned if value is not before.get(key)}
