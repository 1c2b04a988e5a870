"""Finds plugins through entry points, from their metadata, importing none of them.

A package adds to the zoo by entry points in the groups ``zoo.models``,
``zoo.datasets``, ``zoo.metrics`` and ``zoo.features``; those that come with the zoo are
found the same way. Only what is asked for by name is imported.

In the group ``zoo.plugin_api`` it says which versions of the plugin API it is written
for, by entry points named ``2``, ``3``, ...; without any it is taken for version 2, the first
that was released.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError, unknown

if TYPE_CHECKING:
    from zoo import Dataset
    from zoo.plugin.features import FeatureSpace
    from zoo.plugin.model import Model

GROUPS = ("models", "datasets", "metrics", "features")

PRETRAINED = "pretrained"
"""The group of trained models, ``name = "package:folder"``: folders of data, not of code."""

OWN = "keras-zoo"
"""The distribution whose names nobody can take from it."""

PLUGIN_API = 2
"""The version of what a plugin sees of the zoo; docs/reference/plugin-api.md has the promise
that goes with it."""


@dataclass(frozen=True)
class Record:
    """What the metadata says of one model, dataset, metric or feature space.

    Attributes:
        kind: one of ``GROUPS``, or ``PRETRAINED``.
        name: the name that recipes use.
        target: where it is, as ``"module:attribute"``.
        distribution: the installed distribution that provides it.
        version: the version of that distribution.
        rivals: other distributions that claim the same name.
        plugin_api: the versions of the plugin API that it is written for.
    """

    kind: str
    name: str
    target: str
    distribution: str
    version: str
    rivals: tuple[str, ...] = ()
    plugin_api: tuple[str, ...] = ("2",)

    @property
    def full_name(self) -> str:
        """``"distribution/name"``, which no rival can claim."""
        return f"{self.distribution}/{self.name}"

    @property
    def typed(self) -> str:
        """The shortest name that finds this record."""
        return self.full_name if self.rivals and self.distribution != OWN else self.name


def natural(text: str) -> list[tuple[str, int]]:
    """A sorting key that puts ``vae2`` before ``vae10``.

    >>> sorted(["vae10", "vae2", "gan"], key=natural)
    ['gan', 'vae2', 'vae10']
    """
    parts = re.findall(r"(\D*)(\d*)", text.lower())
    return [(word, int(number or -1)) for word, number in parts]


def records(kind: str) -> list[Record]:
    """All that installed plugins declare of one kind, sorted by name.

    A plugin whose metadata cannot be read is left out; one that cannot be
    imported is listed, since nothing is imported here.
    """
    found: dict[tuple[str, str], Record] = {}
    for record in _declared(_kind(kind)):
        # The first on the path wins, as it would for an import.
        found.setdefault((record.name, _normal(record.distribution)), record)
    claims: dict[str, list[str]] = {}
    for record in found.values():
        claims.setdefault(record.name, []).append(record.distribution)
    listed = [
        dataclasses.replace(
            record,
            rivals=tuple(sorted(d for d in claims[record.name] if d != record.distribution)),
        )
        for record in found.values()
    ]
    return sorted(listed, key=lambda record: (natural(record.name), record.distribution))


def find(kind: str, name: str) -> Record:
    """The record of a name, or of ``"distribution/name"``.

    A name of the zoo's own stays its own, whoever claims it too.

    Raises:
        ZooError: the name is not known, or two other distributions claim it.
    """
    known = records(kind)
    distribution, _, short = name.rpartition("/")
    matching = [
        record
        for record in known
        if record.name == short
        and (not distribution or _normal(record.distribution) == _normal(distribution))
    ]
    if not matching:
        raise unknown(noun(kind), name, {record.typed for record in known})
    own = [record for record in matching if record.distribution == OWN]
    if len(matching) > 1 and not own:
        owners = " and ".join(f"{record.distribution} {record.version}" for record in matching)
        choices = " or ".join(repr(record.full_name) for record in matching)
        raise ZooError(
            f"{noun(kind)} {name!r} is claimed by {owners}: "
            f"write {choices}, or uninstall the one you do not need."
        )
    return (own or matching)[0]


def load(kind: str, name: str) -> Any:
    """Import what a name stands for.

    Raises:
        ZooError: the name is not known or claimed twice, or its plugin is written for another
            version of the plugin API or does not import.
    """
    record = find(kind, name)
    if str(PLUGIN_API) not in record.plugin_api:
        raise ZooError(
            f"{noun(kind)} {name!r}: {record.distribution} {record.version} is written for version "
            f"{' or '.join(record.plugin_api)} of the plugin API, and this zoo has version "
            f"{PLUGIN_API}: {_advice(record)}"
        )
    try:
        return importlib.metadata.EntryPoint(name, record.target, f"zoo.{kind}").load()
    except (Exception, SystemExit) as error:
        raise ZooError(
            f"{noun(kind)} {name!r}: {record.target}, from {record.distribution} {record.version}, "
            f"does not import: {type(error).__name__}: {error}"
        ) from error


def _advice(record: Record) -> str:
    """What to do about a plugin for another version."""
    if record.plugin_api == ("1",):
        return (
            "builders of networks now take keywords, and latent(nets) stands for noise and "
            'latent_dim; CHANGELOG.md, "Plugin API 2", has the list. Then declare in its '
            'pyproject.toml: [project.entry-points."zoo.plugin_api"] 2 = "zoo.plugin"'
        )
    return f"install a keras-zoo, or a {record.distribution}, that fits the other"


def create(kind: str, name: str, /, **settings: Any) -> Any:
    """Import what a name stands for and make one with these settings.

    Raises:
        ZooError: as ``load``, or a setting is unknown, missing or of a wrong type.
    """
    from zoo.plugin.settings import check_settings

    made = load(kind, name)
    where = f"{noun(kind)} {name!r}"
    if not (isinstance(made, type) and dataclasses.is_dataclass(made)):
        raise ZooError(f"{where}: {find(kind, name).target} is not a dataclass, as plugins are.")
    checked = check_settings(made, settings, where=where)
    try:
        return made(**checked)
    except (TypeError, ValueError) as error:
        raise ZooError(f"{where}: {error}") from error


def model(name: str, /, **settings: Any) -> Model:
    """The registered model of this name, with these settings.

    Args:
        name: ``"vae"``, or ``"package/vae"`` where several packages have one.
        **settings: fields of the model's class, such as ``latent_dim=2``.

    Raises:
        ZooError: the name is unknown or claimed twice, its plugin does not import, or a setting
            is unknown, missing or of a wrong type.
    """
    return create("models", name, **settings)


def dataset(name: str, /, **settings: Any) -> Dataset:
    """The registered dataset of this name; arguments and errors are those of ``zoo.model``."""
    return create("datasets", name, **settings)


def metric(name: str, /, **settings: Any) -> Any:
    """The registered metric of this name; arguments and errors are those of ``zoo.model``."""
    return create("metrics", name, **settings)


def feature_space(name: str, /, **settings: Any) -> FeatureSpace:
    """The registered feature space of this name; arguments and errors as of ``zoo.model``."""
    return create("features", name, **settings)


def noun(kind: str) -> str:
    """What messages call one of a kind: ``"model"`` for ``"models"``."""
    return "feature space" if kind == "features" else kind[:-1]


def _kind(kind: str) -> str:
    if kind not in (*GROUPS, PRETRAINED):
        raise unknown("kind", kind, GROUPS)
    return kind


def _declared(kind: str) -> list[Record]:
    """Every declaration of a kind, read again where a folder of the path has changed."""
    found = _read(tuple((place, _changed_at(place)) for place in sys.path))
    return [record for record in found if record.kind == kind]


def _changed_at(place: str) -> int:
    try:
        return os.stat(place or os.curdir).st_mtime_ns
    except (OSError, ValueError):
        return 0


@functools.lru_cache(maxsize=1)
def _read(path: tuple[tuple[str, int], ...]) -> tuple[Record, ...]:
    """Declarations of all kinds as metadata has them. Others write it: none of it may raise."""
    kinds, found = {f"zoo.{kind}": kind for kind in (*GROUPS, PRETRAINED)}, list[Record]()
    for distribution in importlib.metadata.distributions():
        try:
            # Looking for a group in the text first spares parsing every METADATA file.
            if "[zoo." not in (distribution.read_text("entry_points.txt") or ""):
                continue
            points = distribution.entry_points
            api = points.select(group="zoo.plugin_api")
            versions = tuple(sorted(point.name for point in api)) or ("2",)
            owner, version = distribution.metadata["Name"], distribution.version
            found += [
                Record(kinds[p.group], p.name, p.value, str(owner), str(version), (), versions)
                for p in points
                if p.group in kinds
            ]
        except Exception:
            continue
    return tuple(found)


def _normal(distribution: str) -> str:
    """A distribution's name as packaging compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
