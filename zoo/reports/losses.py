"""Losses and their terms as people read them."""

from __future__ import annotations

from collections.abc import Mapping

from zoo.runtime.console import number


def shown(logs: Mapping[str, float], prefix: str = "") -> list[str]:
    """The loss and its terms; of several players each one's loss alone; and whatever else is there.

    Several players have so many terms that nobody would read them, and their losses oppose each
    other, so that the sum says nothing. The history and TensorBoard have all of them.

    >>> shown({"loss": 105.23, "a/kl": 24.1}, "val_")
    ['val_loss 105.2', 'val_a/kl 24.1']
    >>> shown({"loss": 3.0, "a/loss": 1.5, "b/loss": 1.5, "b/y": 1.5, "a/x": 1.0, "skipped": 2.0})
    ['skipped 2', 'a/loss 1.5', 'b/loss 1.5']
    """
    players = {name.rpartition("/")[0] for name in logs if name.endswith("/loss")}

    def place(name):
        player, _, term = name.rpartition("/")
        return player, term != "loss", term

    names = sorted(logs, key=place)
    if players:
        names = [n for n in names if n != "loss" and not (place(n)[0] in players and place(n)[1])]
    return [f"{prefix}{name} {number(float(logs[name]))}" for name in names]
