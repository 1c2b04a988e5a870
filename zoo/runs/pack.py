"""Packs: small folders with the weights of a run's networks, to share or to ship.

``zoo.load`` takes a pack as it takes a run. A pack holds:

- ``run.json``: the manifest, without optimizers and callbacks, with a section ``pack``
- ``weights.safetensors``: the networks' variables; its bytes depend on them alone
- ``networks.json``: Keras's configs of networks that were the recipe's own, where it had some
- ``sampler.safetensors``: the fitted sampler, where the run has one
- ``codes.safetensors``: codes of some test examples, with labels where there are any
- ``results.json``, ``history.csv``: what was measured, and every term of every epoch
- ``README.md``: the model card

There is no code in it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zoo.engine import state
from zoo.engine.model import GenerativeModel
from zoo.errors import ZooError, unknown
from zoo.plugin.dataset import Access
from zoo.runs import artifact, own_networks, results, safetensors
from zoo.runs.card import card
from zoo.runs.load import load
from zoo.runs.manifest import PACK_FORMAT, Manifest, PackInfo
from zoo.runs.run import MANIFEST, RESULTS, Run, cannot_write
from zoo.runs.sharing import CARD, FILES, refuse_other
from zoo.runtime import files

MOST_CODES = 1000
_NUMBERS = 1 << 17  # in all codes: fewer codes of many dimensions


def pack(
    run: Run,
    to: Path,
    *,
    dtype: Literal["float32", "float16"] = "float32",
    which: Literal["last", "best"] = "last",
    license: str = "",
    without: Collection[str] = (),
    access: Access | None = None,
) -> Run:
    """Make a pack of a run.

    Args:
        run: a run with weights, whose model is a registered one and whose networks are its own
            or kept as configs.
        to: the pack's folder, made now. A pack that is there is replaced.
        dtype: of the weights. An array that float16 cannot hold stays float32.
        which: the last weights, or those of the best epoch.
        license: of the weights, in words, for the card.
        without: networks that training alone needs, such as a GAN's discriminator: their weights
            are left out, and loaded they are as training began with them.
        access: where the data for codes may come from; None leaves codes out.

    Returns:
        The pack.

    Raises:
        ZooError: the run needs code of its recipe, is a pack itself or has no such weights; a
            network to leave out is none, or all are; the folder holds something else; or it cannot
            be written.
    """
    described = run.manifest
    _check(run, described, to)
    model = load(run, which="best" if which == "best" else "final")
    _check_left_out(model, without)
    codes = {}
    if access is not None and model.can("encode"):
        codes = _codes(run, model, access, dtype)  # before anything is written: it may be refused
    made = Run(to)
    try:
        to.mkdir(parents=True, exist_ok=True)
        for name in FILES.keys() - {
            MANIFEST
        }:  # of a pack that was there; the manifest stays until last
            (to / name).unlink(missing_ok=True)
        hashes = _write_numbers(made, run, described, model, dtype, without)
        if configs := own_networks.read(run, described):
            hashes[made.networks.name] = own_networks.write(made, configs)
        if codes:
            safetensors.write(made.codes, codes, to)
        if run.log.is_file():
            made.write(made.log.name, files.read(run.log, FILES[run.log.name]))
    except OSError as error:
        raise cannot_write(to, error) from error
    epoch = described.epoch
    if which == "best":
        epoch = int(artifact.snapshot(run, described, "best").state["epoch"])
    if run.has_ended(described):
        measured = results.kept(run) if epoch == described.epoch else {}  # of the last weights
        told = {**run.read_json(RESULTS), "metrics": measured, "pictures": []}
        made.write_json(RESULTS, told)
    about = PackInfo(PACK_FORMAT, dtype, which, license, sorted(without))
    made.write_manifest(
        {
            **described.json(),
            "status": "finished",
            "epoch": epoch,
            "optimizers": {},
            "callbacks": [],
            "sha256": hashes,
            "pack": dataclasses.asdict(about),
            "seal": "",
        }
    )
    made.write(CARD, card(made, model.count_params()).encode("utf-8", "backslashreplace"))
    return made


def _check(run: Run, described: Manifest, to: Path) -> None:
    if described.pack:
        raise ZooError(f"{run.name} is a pack already: copy its folder")
    own = described.model.code
    if run.needs_recipe(described):
        own = list(dict.fromkeys([*described.networks, *own]))
    if own:
        raise ZooError(
            f"run {run.name}: {', '.join(own)} is its recipe's own, which "
            "is code, and a pack holds none: make a plugin of it first (zoo new plugin NAME), or "
            "share the run's folder together with its recipe"
        )
    refuse_other(to)


def _check_left_out(model: GenerativeModel, without: Collection[str]) -> None:
    for name in without:
        if name not in model.networks:
            raise unknown("network", name, model.networks)
    if set(without) == set(model.networks):
        raise ZooError("a pack without the weights of any network holds nothing: leave out fewer")


def _write_numbers(
    made: Run,
    run: Run,
    described: Manifest,
    model: GenerativeModel,
    dtype: str,
    without: Collection[str],
) -> dict[str, str]:
    """Write weights and sampler; return ``{file: SHA-256}``."""
    weights = {
        name: _as(array, dtype)
        for name, array in sorted(state.networks(model).items())
        if name.split("/")[1] not in without
    }
    path = made.packed_weights
    hashes = {path.name: safetensors.write(path, weights, made.path)}
    sampler = artifact.sampler(run, described)
    if sampler is not None:
        arrays: Mapping[str, np.ndarray] = sampler.arrays()
        if dtype == "float16":  # factors are nearly all of it; a share rounded would add up
            arrays = {
                name: _as(array.astype("float32"), dtype if name == "factors" else "float32")
                for name, array in arrays.items()
            }
        hashes[made.sampler.name] = safetensors.write(made.sampler, arrays, made.path)
    return hashes


def _as(array: np.ndarray, dtype: str) -> np.ndarray:
    """An array in another precision, if it is of floats and all of them fit."""
    if array.dtype.kind != "f" or dtype == "float32":
        return array
    with np.errstate(over="ignore"):
        half = array.astype(dtype)
    return half if np.isfinite(half).all() else array


def _codes(run: Run, model: Any, access: Access, dtype: str) -> dict[str, np.ndarray]:
    """Codes of some test examples ``(n, d)``, and their labels int32 ``(n,)``.

    Of training examples, where there are none for test.
    """
    data = results.data_of(run, access)
    examples = (data.test if len(data.test) else data.train).some(MOST_CODES)
    codes = model.encode(examples.x, labels=examples.y)
    n = min(len(codes), max(_NUMBERS // codes[0].size, 1))
    rows = np.arange(n) * len(codes) // n
    labels = {} if examples.y is None else {"labels": np.asarray(examples.y, "int32")[rows]}
    return {"codes": _as(codes[rows], dtype), **labels}
