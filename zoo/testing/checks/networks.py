"""How a model builds, and whose weights are whose."""

from __future__ import annotations

import dataclasses
import itertools

from zoo.engine.model import build
from zoo.errors import CodeFailed, ZooError
from zoo.plugin import declared
from zoo.testing.checks.bench import Bench
from zoo.testing.checks.cases import SHAPES, data_for, declared_shapes
from zoo.testing.checks.listing import check
from zoo.testing.checks.outcomes import expect


@check()
def builds(bench: Bench):
    """``zoo.build`` makes the networks, and finds terms in every loss."""
    try:
        bench.build()
    except CodeFailed:
        raise
    except ZooError as error:
        if bench.case.data or declared_shapes(bench.plugin):
            raise
        where = f"check_shapes = ((64, 64, 3),) in {type(bench.plugin).__name__}"
        hint = f"if it is for examples of another shape, say which: {where}, or --shape 64,64,3"
        raise ZooError(f"{error}; {hint}") from error


@check()
def builds_for_other_shapes(bench: Bench):
    """It builds for pictures of several sizes and for vectors, or refuses with a ``ZooError``."""
    bench.built()
    wanted = bench.case.shapes
    if wanted is None:
        wanted = declared_shapes(bench.plugin) or None
    for shape in SHAPES if wanted is None else wanted:
        try:
            build(bench.plugin, data_for(bench.plugin, shape))
        except CodeFailed as error:
            refusal = "raise zoo.ZooError with the reason where a shape cannot be"
            raise ZooError(f"{error}; {refusal}") from error
        except ZooError as error:
            expect(wanted is None, f"it refuses {shape}: {error}")


@check(when=lambda case: not case.plugin.conditional)
def builds_without_labels(bench: Bench):
    """A model that is not conditional builds for data without labels, or refuses them."""
    bench.built()
    try:
        build(bench.plugin, dataclasses.replace(bench.data, classes=0, missing_labels=False))
    except CodeFailed as error:
        refusal = "batch.labels is None where the data have none"
        raise ZooError(f"{error}; {refusal}") from error
    except ZooError:
        pass


@check()
def networks_are_apart(bench: Bench):
    """Networks share no weights, unless ``shared`` says which do."""
    model = bench.model
    meant = [set(group) for group in bench.plugin.shared]
    for (a, first), (b, second) in itertools.combinations(model.networks.items(), 2):
        both = {id(v) for v in first.variables} & {id(v) for v in second.variables}
        names = [v.path for v in first.variables if id(v) in both]
        expect(
            not both or any({a, b} <= group for group in meant),
            f"networks {a!r} and {b!r} share {', '.join(names)}: if that is meant, "
            f"say shared = (({a!r}, {b!r}),)",
        )


@check()
def every_network_is_trained(bench: Bench):
    """A player trains each network that has trainable weights; others say ``trainable = False``."""
    model = bench.model
    for name, count in declared.idle(dict(model.networks.items()), model.players).items():
        raise ZooError(
            f"no player trains {name!r}, which has {count:,} trainable numbers: "
            "name it in players(), or set trainable = False on it"
        )


@check()
def every_player_has_weights(bench: Bench):
    """Each player has something to train."""
    for player, variables in bench.model.player_variables().items():
        names = ", ".join(bench.model.players[player])
        expect(variables, f"player {player!r} trains {names}, which has no trainable weights")


@check()
def builds_share_nothing(bench: Bench):
    """Each build makes networks of its own."""
    first, second = bench.model, bench.built()
    both = {id(v) for v in first.variables} & {id(v) for v in second.variables}
    shared = [name for name, net in first.networks.items() if {id(v) for v in net.variables} & both]
    expect(not shared, f"two builds have one network in common: {', '.join(shared)}")
