"""All numbers of a model in training, under names that are the same on every backend."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.engine.model import GenerativeModel

RATE = "learning_rate"


def captured(model: GenerativeModel) -> dict[str, np.ndarray]:
    """Copies of all variables: weights, statistics and seeds, slots, averages, sums of terms.

    What a loss draws is a function of the step, which is among them.
    """
    return {name: _copied(variable) for name, variable in _named(model)}


def weights(model: GenerativeModel) -> dict[str, np.ndarray]:
    """Of ``captured``, what an average swaps: the weights and their averages."""
    swapped = {id(v) for v in model.trainable_variables}
    for optimizer in model.optimizer.optimizers:
        averages = getattr(optimizer, "_model_variables_moving_average", ())
        swapped |= {id(v) for v in averages}
    return {name: _copied(v) for name, v in _named(model) if id(v) in swapped}


def matching(
    model: GenerativeModel, arrays: Mapping[str, np.ndarray], what: str, own: str = ""
) -> dict[str, Any]:
    """Refuse a state that is another model's.

    Args:
        model: compiled, with the same networks, players and kinds of optimizers.
        arrays: as ``captured`` returns them.
        what: the message begins with.
        own: only of variables whose names begin so.

    Returns:
        The variables, by name.

    Raises:
        ZooError: a variable is not among them, or has another shape.
    """
    variables = {
        name: v
        for name, v in _named(model)
        if name.startswith(own) and (name in arrays or not name.endswith(f"/{RATE}"))
    }
    shapes = [
        f"{name} has shape {arrays[name].shape} and not {tuple(v.shape)}"
        for name, v in variables.items()
        if name in arrays and arrays[name].shape != tuple(v.shape)
    ]
    missing = [f"{name} is missing" for name in variables if name not in arrays]
    if different := [*shapes, *missing]:
        more = f" and {len(different) - 3} more" if len(different) > 3 else ""
        raise ZooError(f"{what}: of its state, {'; '.join(different[:3])}{more}")
    return variables


def restore(
    model: GenerativeModel,
    arrays: Mapping[str, np.ndarray],
    new_rates: Collection[str] = (),
    what: str = "",
) -> None:
    """Give a model the state that ``captured`` took, of any backend.

    Args:
        model: as ``matching`` accepts it.
        arrays: as ``captured`` returns them.
        new_rates: players whose optimizers keep their present learning rate.
        what: the message begins with, where the state is another model's.

    Raises:
        ZooError: it is.
    """
    kept = {f"optimizers/{player}/{RATE}" for player in new_rates}
    for name, variable in matching(model, arrays, what or model.where).items():
        if name not in kept:
            _assign(variable, arrays[name])


def networks(model: GenerativeModel) -> dict[str, np.ndarray]:
    """Of ``captured``, the networks: weights, statistics and seeds."""
    return {name: _copied(v) for name, v in _named(model) if name.startswith("networks/")}


def restore_networks(
    model: GenerativeModel, arrays: Mapping[str, np.ndarray], what: str = ""
) -> None:
    """Give a model the variables of its networks, as ``networks`` returns them.

    Raises:
        ZooError: they are another model's; the message begins with ``what``.
    """
    for name, variable in matching(model, arrays, what or model.where, "networks/").items():
        _assign(variable, arrays[name])


def _named(model: GenerativeModel) -> Iterator[tuple[str, Any]]:
    """Every variable once. Its place tells it apart; Keras's own paths drift in a process."""
    players = model.optimizer
    yield "step", players._iterations
    seen: set[int] = set()
    groups = [
        *((f"networks/{name}", network.variables) for name, network in model.networks.items()),
        *((f"optimizers/{player}", o.variables) for player, o in players.by_player.items()),
        *(
            [("average", players.average._model_variables_moving_average)]
            if players.average
            else []
        ),
        ("terms", model.metrics_variables),
    ]
    for group, variables in groups:
        place = 0
        for variable in variables:
            if id(variable) in seen:  # networks may share layers
                continue
            seen.add(id(variable))
            if variable.name == RATE:  # which there is none of under a schedule
                yield f"{group}/{RATE}", variable
                continue
            yield f"{group}/{place:03d}.{_short(group, variable.name)}", variable
            place += 1


def _short(group: str, name: str) -> str:
    """A word for people. Slots are named after layers, whose automatic names drift."""
    return name if group.startswith("networks/") else name.rpartition("_")[2]


def _copied(variable) -> np.ndarray:
    # a copy: a step overwrites the memory that this may be a view of
    return np.array(keras.ops.convert_to_numpy(variable.value))


def _assign(variable, array: np.ndarray) -> None:
    variable.assign(array.astype(keras.backend.standardize_dtype(variable.dtype)))
