"""Pure evaluation: what a function computed, and what it would have assigned."""

from __future__ import annotations

from keras import StatelessScope
from keras.src.backend.common.stateless_scope import get_stateless_scope


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
