"""Groups of variables."""

from __future__ import annotations


def unique(groups) -> list:
    """The variables of all groups, each once."""
    return list({id(v): v for group in groups.values() for v in group}.values())
