"""The numbers of a run: those of its last checkpoint, or of a pack, and its fitted sampler.

With the configs of its own networks they are what ``run.json`` keeps hashes of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import ZooError
from zoo.runs import safetensors
from zoo.runs.checkpoints import ARRAYS, THIS, Damaged, Snapshot, Store
from zoo.runs.manifest import Manifest
from zoo.runs.run import Run
from zoo.runtime import files
from zoo.runtime.console import say

if TYPE_CHECKING:
    from zoo.nn.samplers import Sampler


def hashes(run: Run) -> dict[str, str]:
    """``{file: SHA-256}`` of what a training ends with, as ``run.json`` keeps them."""
    store = Store(run.checkpoints)
    found = {}
    for name in store.names()[-1:]:
        found[_file(name)] = store.sha256(name)
    if run.sampler.exists():
        _, found[run.sampler.name] = safetensors.read(run.sampler)
    if run.networks.exists():
        found[run.networks.name] = hashlib.sha256(files.read(run.networks)).hexdigest()
    return found


def sha256(run: Run, described: Manifest) -> str:
    """SHA-256 of the file that has the weights of a run or a pack, hexadecimal.

    Raises:
        ZooError: there are none, or they are not those that training ended with.
    """
    if described.pack:
        return described.sha256[run.packed_weights.name]
    return snapshot(run, described, "final").sha256


def check(run: Run, described: Manifest, name: str, sha256: str) -> None:
    """Refuse a file whose SHA-256 is not the manifest's; an unfinished run has no hashes.

    Args:
        run: the run.
        described: its manifest.
        name: of the file in the run.
        sha256: of the file as it is now; empty where it is missing.

    Raises:
        ZooError: another hash, or none of a file that is there.
    """
    has_hashes = bool(described.sha256) or described.pack is not None
    if has_hashes and described.sha256.get(name, "") != sha256:
        raise _changed(run, name)


def arrays(run: Run, described: Manifest, which: str) -> Mapping[str, np.ndarray]:
    """All numbers of a run's state, or of a pack's networks.

    Args:
        run: the run.
        described: its manifest.
        which: ``"final"`` or ``"best"``, as in ``zoo.load``.

    Raises:
        ZooError: there are none, or they are not those that training ended with.
    """
    if described.pack:
        if which == "best" and described.pack.which != "best":
            raise ZooError(f"{run.name} is a pack of the last weights: it holds no best ones")
        return _verified(run, described, run.packed_weights.name)
    return snapshot(run, described, which).arrays


def snapshot(run: Run, described: Manifest, which: str) -> Snapshot:
    """The checkpoint whose weights are asked for; see ``arrays``."""
    store = Store(run.checkpoints)
    if which == "best":
        return _best(run, store)
    final = [name for name in store.names() if _file(name) in described.sha256]
    if described.status == "finished" and described.sha256:
        try:
            found = store.read(final[0]) if final else None
        except Damaged as error:
            raise _changed(run, f"{final[0]} ({error})") from error
        if found is None or found.sha256 != described.sha256[_file(found.name)]:
            raise _changed(run, "its last checkpoint")
        return found
    newest = store.newest(say)
    if newest is None:
        raise ZooError(f"run {run.name} has no weights (status: {run.status_of(described)})")
    return newest


def sampler(run: Run, described: Manifest) -> Sampler | None:
    """The sampler fitted to the codes of a run's model, or None.

    Raises:
        ZooError: it is not the one that training ended with, or holds no mixture.
    """
    name = run.sampler.name
    if name not in described.sha256 and not run.sampler.is_file():
        return None
    from zoo.nn.samplers import Sampler  # imports Keras

    try:
        return Sampler.of(_verified(run, described, name))
    except ZooError as error:
        raise ZooError(f"run {run.name}: {name}: {error}") from error


def codes(run: Run, described: Manifest) -> dict[str, np.ndarray] | None:
    """The sample of codes in a pack: ``codes`` ``(n, d)`` and, where there are any, ``labels``.

    None where there is none, as in a run.

    Raises:
        ZooError: the file holds something else.
    """
    if not (described.pack and run.codes.is_file()):
        return None
    found, _ = safetensors.read(run.codes)
    z = found.get("codes", np.zeros((0, 0)))
    labels = found.get("labels", np.zeros(len(z), "int32"))
    whole = bool(z.ndim == 2 and z.size and z.dtype.kind == "f" and np.isfinite(z).all())
    fits = labels.shape == z.shape[:1] and labels.dtype.kind in "iu"
    if not (whole and fits and -1 <= labels.min() <= labels.max() < max(described.data.classes, 1)):
        raise ZooError(
            f"run {run.name}: {run.codes.name} holds no codes of its model: copy the folder again "
            "from where it came from"
        )
    return found


def _best(run: Run, store: Store) -> Snapshot:
    newest = store.newest(say)
    best = newest.state.get("best") if newest else None
    if newest is None or not isinstance(best, dict) or not isinstance(best.get("name"), str):
        raise ZooError(
            f"run {run.name} keeps no best checkpoint: callbacks.Checkpoint(best=...) has one do so"
        )
    if best["name"] == THIS:
        return newest
    if best["name"] not in store.names():
        raise ZooError(f"run {run.name}: the best checkpoint is missing")
    try:
        return store.read(best["name"])
    except Damaged as error:
        raise ZooError(f"run {run.name}: the best checkpoint is damaged: {error}") from error


def _verified(run: Run, described: Manifest, name: str) -> dict[str, np.ndarray]:
    """The arrays of a file whose hash is the manifest's."""
    try:
        found, sha256 = safetensors.read(run.path / name)
    except FileNotFoundError as error:
        raise ZooError(f"run {run.name} has no {name}") from error
    except ZooError as error:
        raise ZooError(f"run {run.name}: {error}") from error
    check(run, described, name, sha256)
    return found


def _changed(run: Run, what: str) -> ZooError:
    return ZooError(
        f"run {run.name}: {what} is not what training ended with (its SHA-256 is not that of "
        "run.json): copy the folder again from where it came from"
    )


def _file(name: str) -> str:
    return f"checkpoints/{name}/{ARRAYS}"
