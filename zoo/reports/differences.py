"""The settings of runs, flat, and those in which runs of one recipe differ."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from zoo.errors import ZooError
from zoo.runs.manifest import Manifest
from zoo.runs.run import Run
from zoo.runtime.console import printable

_WRAPPED = ("config", "settings")  # levels of the JSON that a path does without
_NAMED = ("class_name", "name", "class", "object")  # what a part is called
_UNSAID = ("module", "registered_name")  # of Keras's JSON
_FIELDS = (
    *("backend", "device", "epochs", "precision", "ema", "model", "dataset", "optimizers"),
    *("weights", "networks", "augment", "sampler", "callbacks", "on_nan", "weights_from"),
)
"""Of a manifest: what an experiment consists of, without its seed."""

_TOGETHER = ("devices", "batch_norm")  # likewise, of a training on several devices

WATCHING = (
    *("Checkpoint", "Interpolations", "LatentManifold", "LatentScatter", "Measure"),
    *("PosteriorHistograms", "Progress", "ReconstructionGrid", "SampleGrid", "TensorBoard"),
    *("Traversals", "ViewGrid"),
)
"""The zoo's own callbacks: with them and without, a training ends with the same weights. What
``Measure`` adds to the logs may move another callback, so beside others it counts."""

SOURCE = "recipe.py"
"""The setting that tells recipes with code of their own apart."""

DATA = "data.sha256"
"""The setting that tells data of one name and of the same settings apart."""


def settings(run: Run, described: Manifest) -> dict[str, str]:
    """What a run's weights depend on, but its seed, ``{"model.latent_dim": "16"}``, for people.

    Code, which a manifest has no form for, is told by a hash of the recipe.
    """
    manifest = described.json()
    callbacks = dict(enumerate(manifest["callbacks"]))
    counting = {i for i, callback in callbacks.items() if _called(callback) not in WATCHING}
    if counting:
        counting |= {i for i, callback in callbacks.items() if _called(callback) == "Measure"}
    others = [callback for i, callback in callbacks.items() if i in counting]
    found: dict[str, str] = {}
    manifest["callbacks"] = others
    # Keras names layers by counting those of the process
    manifest["augment"] = [{**layer, "name": None} for layer in manifest["augment"]]
    for name in (*_FIELDS, *(_TOGETHER if described.devices > 1 else ())):
        found |= dict(_flat(name, manifest[name]))
    # settings of Keras's callbacks are not in the manifest: a change tells them
    for key, _, value in (change.partition("=") for change in described.changes):
        part, _, rest = key.partition(".")
        which, _, setting = rest.partition(".")
        if part != "callbacks" or not setting:
            continue
        if which.isdecimal() and len(which) < 4:
            if int(which) in counting:
                found[f"callbacks.{sorted(counting).index(int(which))}.{setting}"] = _text(value)
        elif which not in WATCHING or (counting and which == "Measure"):
            found[key] = _text(value)
    for place, words in enumerate(described.resumed):
        found[f"resumed.{place}"] = printable(words)
    found[DATA] = described.data.fingerprint[:8]
    parts = (described.model, described.dataset)
    if described.networks or any(part.code for part in parts):
        try:
            source = code(run.source)
        except (ZooError, SyntaxError, ValueError, RecursionError, MemoryError):
            source = ""
        found[SOURCE] = hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:8]
    return {printable(path): text for path, text in found.items()}


def code(source: str) -> str:
    """A recipe without comments and without its docstring, which tells of results.

    Raises:
        SyntaxError: it is no Python.
    """
    tree = ast.parse(source)
    if ast.get_docstring(tree) is not None:
        del tree.body[0]
    return ast.unparse(tree)


def _called(callback: Any) -> str:
    """The class of a callback, as a manifest has it."""
    if isinstance(callback, Mapping):
        callback = next((callback[key] for key in _NAMED if isinstance(callback.get(key), str)), "")
    return re.sub(r"^<zoo\.callbacks\.[\w.]*\b(\w+) object at 0x[0-9a-f]+>$", r"\1", str(callback))


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        title = next((value[key] for key in _NAMED if isinstance(value.get(key), str)), None)
        if title is not None and path != "optimizers":
            yield path, _text(title)
        for key, inner in value.items():
            if key in _WRAPPED and isinstance(inner, Mapping):
                # in a config, Keras's own name of a layer; among settings, one called so
                inside = {k: v for k, v in inner.items() if key == "settings" or k != "name"}
                yield from (pair for k, v in inside.items() for pair in _flat(f"{path}.{k}", v))
            elif key not in (*_NAMED, *_UNSAID):
                yield from _flat(f"{path}.{key}", inner)
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for place, item in enumerate(value):
            yield from _flat(f"{path}.{place}", item)
    else:
        yield path, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"  # a float32 of 1e-2 is no 0.01 in JSON
    if isinstance(value, list):
        inner = ", ".join(map(_text, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    text = str(value)
    text = re.sub(r"^<([\w.]+) object at 0x[0-9a-f]+>$", r"\1", text)
    return printable(text)


def differing(groups: Iterable[Sequence[Mapping[str, str]]]) -> list[str]:
    """The settings that differ within a group, in the order in which they are first met.

    Args:
        groups: settings of runs, those of one recipe and model together. What distinguishes two
            recipes is told by their names.
    """
    found: dict[str, None] = {}
    for group in groups:
        paths = dict.fromkeys(path for settings in group for path in settings)
        found |= {p: None for p in paths if len({settings.get(p) for settings in group}) > 1}
    return list(found)


def short(paths: Sequence[str]) -> dict[str, str]:
    """Each path with the shortest ending that no other one has.

    >>> short(["model.latent_dim", "optimizers.a.learning_rate", "optimizers.b.learning_rate"])
    {'model.latent_dim': 'latent_dim', 'optimizers.a.learning_rate': 'a.learning_rate',\
 'optimizers.b.learning_rate': 'b.learning_rate'}
    """
    found = {}
    for path in paths:
        parts = path.split(".")
        endings = [".".join(parts[-count:]) for count in range(1, len(parts) + 1)]
        found[path] = next(
            (e for e in endings if sum(p == e or p.endswith(f".{e}") for p in paths) == 1), path
        )
    return found
