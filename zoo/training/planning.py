"""What a training on several devices would send and hold, by formula."""

from __future__ import annotations

from collections.abc import Iterator

from zoo.engine.model import GenerativeModel
from zoo.runtime.console import counted, sized

FLOAT = 4  # bytes: gradients are reduced in float32
LINKS = {"10 Gbit/s Ethernet": 1.25e9, "25 GB/s PCIe": 25e9, "300 GB/s NVLink": 300e9}
"""Bytes per second that a device sends and receives, as they are sold."""


def reduced(model: GenerativeModel) -> int:
    """Bytes that a step reduces: each move's gradients, statistics and terms, as often as made."""
    total = 0
    for (move, players), groups in zip(model.described_moves(), model._movers, strict=True):
        variables = model.player_variables()
        trained = sum(_count(variables[player]) for player in groups)
        names = model.updated(move, groups)
        kept = sum(_count(model.networks[name].non_trainable_variables) for name in names)
        terms = len(model.metrics_names) + sum(len(own) + 1 for own in players.values())
        total += move.repeat * (trained + kept + terms)
    return FLOAT * total


def held(model: GenerativeModel) -> int:
    """Bytes that each device holds whole: the state, and gradients twice while they are sent."""
    largest = max(_count(group) for group in model.player_variables().values())
    state = _count([*model.variables, *model.optimizer.variables])
    return FLOAT * (state + 2 * largest)


def planned(model: GenerativeModel, devices: int, batch: int, step: float) -> Iterator[str]:
    """Lines of a plan.

    Args:
        model: compiled.
        devices: how many.
        batch: examples of a move.
        step: seconds that a step takes on one device.
    """
    size, each = reduced(model), -(-batch // devices)
    sent = 2 * (devices - 1) / devices * size
    weights = _count([v for group in model.player_variables().values() for v in group])
    yield f"devices   {devices}: {counted(each, 'example')} of {batch} each at most, in every move"
    yield f"  {weights:,} trained parameters; a step reduces {sized(size)}, of which each device"
    yield f"  sends and receives {sized(int(sent))} (a ring: 2 (N - 1) / N of it)"
    yield f"  each holds {sized(held(model))} of state and gradients, and activations of its part"
    for name, speed in LINKS.items():
        gain = step / (step / devices + sent / speed)
        # from there on sending takes longer than computing
        most = max(1, min(batch, int(step * speed / (2 * size))))
        yield f"  over {name}: at best {gain:.1f} times as fast; no gain beyond about {most:,}"


def _count(variables) -> int:
    found = 0
    for variable in {id(v): v for v in variables}.values():
        size = 1
        for length in variable.shape:
            size *= length
        found += size
    return found
