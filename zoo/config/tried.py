"""Which changes a recipe refuses, found in a process of its own, which imports a backend.

    python -m zoo.config.tried RECIPE < changes.json

Standard input is a list of lists of changes. Standard output is ``{"refused": message or null}``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from zoo.errors import CodeFailed, RunFailed, ZooError
from zoo.runtime.backends import ON_CPU


def refuse(recipe: Path, backend: str, changes: Iterable[tuple[str, ...]]) -> None:
    """Refuse the first changes that do not fit a recipe, which is run as Python.

    Raises:
        ZooError: as ``zoo.config.overrides.override`` and ``zoo.config.recipe.load``.
    """
    done = subprocess.run(
        [sys.executable, "-m", "zoo.config.tried", str(recipe)],
        input=json.dumps(list(changes)),
        env={**os.environ, **ON_CPU, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise RunFailed(f"the recipe {recipe} could not be read; why is said above")
    told = json.loads(done.stdout.splitlines()[-1])
    if told["refused"] is not None:
        raise (CodeFailed if told["code"] else ZooError)(told["refused"])


def main() -> None:
    """Try the changes of standard input."""
    from zoo.config import overrides
    from zoo.config import recipe as recipes

    refused, is_code = None, False
    try:
        recipe = recipes.load(Path(sys.argv[1]))
        for changes in json.load(sys.stdin):
            overrides.override(recipe, changes)
    except ZooError as error:
        refused, is_code = str(error), isinstance(error, CodeFailed)
    print(f"\n{json.dumps({'refused': refused, 'code': is_code})}")


if __name__ == "__main__":
    main()
