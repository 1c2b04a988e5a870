"""One optimizer a player, seen by Keras as a single optimizer."""

from __future__ import annotations

from types import MappingProxyType

import keras
from keras import ops

from zoo.engine.backends.shared import unique
from zoo.errors import ZooError, unknown
from zoo.runtime.keras import copy_of


class PlayerOptimizers(keras.optimizers.Optimizer):
    """Holds the players' optimizers; Keras's callbacks find them in ``optimizers``.

    Args:
        optimizers: ``{player: keras optimizer}``.
        groups: ``{player: variables it trains}``, fixed from here on.
        ema: momentum of the moving average of all weights, or None for no average.
    """

    def __init__(self, optimizers, groups, ema: float | None = None):
        super().__init__(learning_rate=0.0, name="players")
        # not a dict: Keras would save its values once more, named by class and order
        self.by_player = MappingProxyType(dict(sorted(optimizers.items())))
        self.groups = MappingProxyType(dict(groups))
        self.average = MovingAverage(ema) if ema is not None else None
        for player, optimizer in self.by_player.items():
            if not optimizer.built:
                optimizer.build(groups[player])
        if self.average is not None:
            self.average.build(unique(groups))
        self.built = True  # last: Keras tracks what is set after it

    @property
    def optimizers(self):
        """The players' optimizers, then the moving average where there is one."""
        average = [self.average] if self.average is not None else []
        return MappingProxyType(dict(enumerate([*self.by_player.values(), *average]))).values()

    @property
    def variables(self):
        return [self._iterations, *(v for o in self.optimizers for v in o.variables)]

    @property
    def learning_rate(self):
        """The learning rate of the only player; NaN if there are several players."""
        rates = [optimizer.learning_rate for optimizer in self.by_player.values()]
        return rates[0] if len(rates) == 1 else float("nan")

    @learning_rate.setter
    def learning_rate(self, rate):
        if len(self.by_player) > 1:
            raise ZooError("each player has a rate: model.optimizer.by_player[...].learning_rate")
        next(iter(self.by_player.values())).learning_rate = rate

    def build(self, variables):
        pass  # the players' optimizers are built with their own variables

    def end_step(self):
        """Count a step, and let the averages follow the weights."""
        if self.average is not None:
            self.average.follow(first=ops.equal(self._iterations, 0))
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list):
        # as Keras does: where weights are averaged, fit leaves the averages in the model
        averaging = any(getattr(o, "inner_optimizer", o).use_ema for o in self.optimizers)
        if not averaging or int(self._iterations.numpy()) == 0:
            return  # no averages, or none yet: the first step failed
        for player, optimizer in self.by_player.items():
            optimizer.finalize_variable_values(self.groups[player])
        if self.average is not None:
            self.average.finalize_variable_values(unique(self.groups))
        for variable in unique(self.groups):
            # memory of its own: JAX gives a step all weights and averages to overwrite, each once
            variable.assign(ops.copy(variable))

    def save_own_variables(self, store):
        # of the players; Keras finds the moving average by itself
        store["iterations"] = self._iterations.numpy()
        for player, optimizer in self.by_player.items():
            for i, variable in enumerate(optimizer.variables):
                store[f"{player}.{i}"] = variable.numpy()

    def load_own_variables(self, store):
        self._iterations.assign(store["iterations"])
        for player, optimizer in self.by_player.items():
            for i, variable in enumerate(optimizer.variables):
                variable.assign(store[f"{player}.{i}"])


class MovingAverage(keras.optimizers.Optimizer):
    """Moving averages of weights, kept once however many players train a weight.

    An optimizer only in what ``keras.callbacks.SwapEMAWeights`` looks for.
    """

    def __init__(self, momentum: float):
        if not 0 <= momentum < 1:
            raise ZooError(f"ema is a momentum in [0, 1), not {momentum!r}")
        super().__init__(
            learning_rate=0.0, use_ema=True, ema_momentum=momentum, name="moving_average"
        )

    def follow(self, first):
        """Move the averages towards the weights; at the first step they start there."""
        momentum = (1 - ops.cast(first, "float32")) * self.ema_momentum
        for average, weight in zip(
            self._model_variables_moving_average, self._trainable_variables, strict=True
        ):
            average.assign(momentum * average + (1 - momentum) * weight)


def prepared(optimizers, groups, *, scaled: bool, where: str) -> dict:
    """Optimizers as a model needs them: one a player, named after it, checked.

    Args:
        optimizers: ``{player: keras optimizer or its name}``.
        groups: ``{player: variables}``.
        scaled: whether losses are scaled for float16.
        where: whom the messages speak of.
    """
    for player in optimizers:
        if player not in groups:
            raise unknown("player", player, groups, where=f"{where}, optimizers")
    missing = [player for player in groups if player not in optimizers]
    if missing:
        raise ZooError(f"{where}: no optimizer for player {', '.join(map(repr, missing))}")
    ready, seen = {}, set()
    for player, given in optimizers.items():
        try:
            optimizer = keras.optimizers.get(given)
        except (ValueError, TypeError) as error:
            raise ZooError(
                f"{where}: the optimizer of {player!r} is {given!r}; give a Keras optimizer, "
                'such as keras.optimizers.Adam(1e-3), or the name of one, such as "adam"'
            ) from error
        if id(optimizer) in seen:  # one object for two players: each needs its own state
            optimizer = copy_of(optimizer)
        if optimizer.built and _others(optimizer, groups[player]):
            raise ZooError(
                f"{where}: the optimizer of {player!r} has trained other weights; give a new one"
            )
        seen.add(id(optimizer))
        optimizer.name = player
        if scaled and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, name=player)
        ready[player] = optimizer
    averaging = [p for p, o in ready.items() if getattr(o, "use_ema", False)]
    shared = len(unique(groups)) < sum(len(group) for group in groups.values())
    if len(averaging) > 1 and shared:
        raise ZooError(
            f"{where}: {', '.join(averaging)} share weights, so use_ema=True would average them "
            "twice; leave it off and give ema=0.999 instead, which averages each weight once"
        )
    return ready


def _others(optimizer, variables) -> bool:
    return list(map(id, optimizer._trainable_variables)) != list(map(id, variables))
