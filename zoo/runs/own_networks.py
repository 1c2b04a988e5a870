"""Networks of a recipe's own, kept in its run as Keras's configs: no code, and no recipe needed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from zoo.engine import accelerate
from zoo.engine.model import GenerativeModel
from zoo.errors import ZooError
from zoo.plugin import network_configs
from zoo.runs import artifact
from zoo.runs.manifest import Manifest
from zoo.runs.run import Run
from zoo.runtime import files, jsons

_MOST_BYTES = 4 << 20


def keep(run: Run, model: GenerativeModel, say: Callable[[str], None]) -> None:
    """Write the configs of the networks that a recipe gave; say why where it cannot be."""
    if not model.given_networks:
        return
    try:
        with accelerate.initial_values():  # the networks are rebuilt, to see that they can be
            configs = network_configs.kept(dict(model.networks.items()), model.given_networks)
        write(run, configs)
    except ZooError as error:
        say(f"later commands on this run need its recipe (--recipe FILE): {error}")


def write(run: Run, configs: dict[str, Any]) -> str:
    """Write configs that ``network_configs`` gave or read; return the file's SHA-256."""
    content = json.dumps(configs, indent=1).encode()
    if len(content) > _MOST_BYTES:
        raise ZooError(f"configs of networks are larger than {_MOST_BYTES >> 20} MB")
    run.write(run.networks.name, content)
    return hashlib.sha256(content).hexdigest()


def read(run: Run, described: Manifest) -> dict[str, Any]:
    """``{network: config}`` of the recipe's own, unchecked; empty where the run keeps none.

    Raises:
        ZooError: the file is damaged, is not what training ended with, or is not of these networks.
    """
    if not described.networks:
        return {}
    try:
        content = files.read(run.networks, _MOST_BYTES)
    except FileNotFoundError:
        artifact.check(run, described, run.networks.name, "")
        return {}
    artifact.check(run, described, run.networks.name, hashlib.sha256(content).hexdigest())
    try:
        configs = jsons.parsed(content)
    except ValueError as error:
        raise ZooError(f"cannot read {run.networks.name}: {error}") from error
    if not isinstance(configs, dict) or sorted(configs) != sorted(described.networks):
        names = ", ".join(described.networks)
        raise ZooError(f"{run.networks.name} is not of its networks {names}")
    return configs
