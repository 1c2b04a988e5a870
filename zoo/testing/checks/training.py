"""What training steps do."""

from __future__ import annotations

import sys

import numpy as np

from zoo.engine.backends.shared import unique
from zoo.runtime.keras import precision
from zoo.testing.checks.bench import Bench, N, numbers
from zoo.testing.checks.listing import check
from zoo.testing.checks.outcomes import Skipped, expect


@check()
def a_player_moves_its_own_weights_and_no_others(bench: Bench):
    """Each player's loss moves all networks that it trains; nothing else moves."""
    model = bench.model
    bench.step(model)  # after which constraints, which hold at any learning rate, are met
    everything = unique({n: net.trainable_variables for n, net in model.networks.items()})
    for mover in model.players:
        for player, optimizer in model.optimizer.by_player.items():
            optimizer.learning_rate = 0.05 if player == mover else 0.0
        before = {id(v): numbers(v) for v in everything}
        bench.step(model)
        moved = {id(v) for v in everything if not _same(before[id(v)], numbers(v))}
        own = {id(v) for v in model.player_variables()[mover]}
        for name in model.players[mover]:
            weights = {id(v) for v in model.networks[name].trainable_variables}
            expect(
                moved & weights or not weights,
                f"player {mover!r} trains {name}, and its loss does not move it",
            )
        strangers = [v.path for v in everything if id(v) in moved - own]
        expect(not strangers, f"player {mover!r} moves what it does not train: {strangers}")


@check()
def trains_on_a_batch_of_one_and_a_ragged_last_batch(bench: Bench):
    """Batches of one example, and a last one with fewer than the others, leave all finite."""
    bench.require_finite_terms()
    model = bench.model
    n = N * model.repeats
    x, y = bench.given(n + 1)
    logs = model.fit(x, y, batch_size=n, shuffle=False, verbose=0).history
    for term, [value] in logs.items():
        expect(np.isfinite(value), f"{term} is {value} after batches of {n} and of 1")
    for name, network in model.networks.items():
        finite = all(np.isfinite(numbers(v)).all() for v in network.trainable_variables)
        expect(finite, f"weights of {name} are not finite after batches of {n} and of 1")


@check()
def evaluation_changes_nothing(bench: Bench):
    """Evaluating leaves weights and statistics as they are."""
    model = bench.model
    assigned = bench.evaluated(model, N, training=False)[1]
    for name, network in model.networks.items():
        for variable in network.variables:
            after = assigned.get(id(variable))
            expect(
                after is None or _same(numbers(after), numbers(variable)),
                f"evaluating changes {variable.path} of {name}, which only training may",
            )


@check()
def trains_in_mixed_precision(bench: Bench):
    """Under mixed_bfloat16 terms stay finite, and abilities give finite float32."""
    bench.require_finite_terms()
    with precision("mixed_bfloat16"):
        model = bench.build()
        for term, value in bench.step(model).items():
            expect(np.isfinite(value), f"{term} is {value} under mixed_bfloat16")
        for ability, given in bench.abilities(model).items():
            expect(
                given.dtype == np.float32 and np.isfinite(given).all(),
                f"{ability} gives {given.dtype}, or numbers that are not finite, "
                "under mixed_bfloat16",
            )


@check()
def keeps_nothing_outside_its_networks(bench: Bench):
    """A build and a pass through the losses leave plugin, class and module as they are."""
    before = _kept(bench.plugin)
    bench.terms(bench.built())
    after = _kept(bench.plugin)
    changed = [name for name in after if name not in before or not _is(before[name], after[name])]
    expect(not changed, f"training changes {', '.join(changed)}: state belongs to layers")


@check()
def first_steps_are_the_same_everywhere(bench: Bench):
    """The losses of three steps are those recorded, or those of the other backends."""
    bench.require_built()
    if not bench.case.first_steps:
        raise Skipped("no losses are recorded; zoo check --backend all compares the backends")
    try:
        found = bench.compiled_losses
    except Exception as error:
        raise Skipped("steps do not compile: another check says why") from error
    expect(
        np.allclose(found, bench.case.first_steps, rtol=1e-5),
        f"the losses of the first steps are {found}, and were {list(bench.case.first_steps)}",
    )


def _same(a, b) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _kept(plugin) -> dict:
    """All that a plugin, its classes and their modules hold, by name."""
    found = {f"self.{name}": value for name, value in getattr(plugin, "__dict__", {}).items()}
    for cls in type(plugin).__mro__:
        if cls.__module__.partition(".")[0] in ("zoo", "builtins", "keras", "typing", "abc"):
            continue
        for name, value in vars(cls).items():
            found[f"{cls.__name__}.{name}"] = value
        for name, value in vars(sys.modules.get(cls.__module__, cls)).items():
            found[f"{cls.__module__}.{name}"] = value
    # containers are copied, so that what is put into them shows
    return {
        name: type(value)(value) if type(value) in (dict, list, set) else value
        for name, value in found.items()
        if not name.rpartition(".")[2].startswith("__")
    }


def _is(before, after) -> bool:
    if type(before) is not type(after) or type(before) not in (dict, list, set):
        return before is after
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(before[k] is after[k] for k in before)
    return len(before) == len(after) and all(a is b for a, b in zip(before, after, strict=True))
