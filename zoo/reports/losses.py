"""Losses and their terms as people read them."""

from __future__ import annotations

from collections.abc import Mapping


def shown(logs: Mapping[str, float], prefix: str = "") -> list[str]:
    """Each term with its value; a player's loss before its terms.

    Several players' losses oppose each other, so that their sum says nothing: it is left out.

    >>> shown({"loss": 3.0, "a/x": 1.0, "a/loss": 1.5, "b/loss": 1.5, "b/y": 1.5, "a/z": 0.5})
    ['a/loss 1.5', 'a/x 1', 'a/z 0.5', 'b/loss 1.5', 'b/y 1.5']
    >>> shown({"a/kl": 24.1, "loss": 105.23}, "val_")
    ['val_loss 105.2', 'val_a/kl 24.1']
    """
    several = any(name.endswith("/loss") for name in logs)

    def place(name):
        player, _, term = name.rpartition("/")
        return player, term != "loss", term

    names = sorted((n for n in logs if not (several and n == "loss")), key=place)
    return [f"{prefix}{name} {number(float(logs[name]))}" for name in names]


def number(value: float) -> str:
    """Four digits, without an exponent for large numbers.

    >>> number(105.23), number(12345.6), number(0.00012345)
    ('105.2', '12,346', '0.0001234')
    """
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e12 else f"{value:.4g}"
