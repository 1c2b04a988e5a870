"""The manifest of a run that was never trained, for tests of what reads one."""

from __future__ import annotations

from typing import Any

PART: dict[str, Any] = {"name": "vae", "class": "zoo_vae:VAE", "settings": {}}
DATA: dict[str, Any] = {
    "name": "digits",
    "shape": [8, 8, 1],
    "classes": 10,
    "fingerprint": "0" * 64,
    "examples": {"train": 200, "validation": 100, "test": 100},
}


def fields(**changes: Any) -> dict[str, Any]:
    """All fields that ``folders.create`` does not fill in itself."""
    described = {
        "backend": "jax",
        "device": "cpu",
        "seed": 0,
        "precision": "float32",
        "epochs": 1,
        "epoch": 0,
        "ema": None,
        "model": PART,
        "abilities": ["sample"],
        "dataset": {"name": "digits", "class": "zoo.datasets.digits:Digits", "settings": {}},
        "weights": {},
        "networks": [],
        "augment": [],
        "sampler": None,
        "optimizers": {},
        "callbacks": [],
        "metrics": [],
        "data": DATA,
        "versions": {},
    }
    return {**described, **changes}


def manifest(**changes: Any) -> dict[str, Any]:
    """A whole manifest of a finished run."""
    about = {"format": 2, "recipe": "r", "status": "finished", "created": "2026-01-01T00:00:00"}
    return {**about, **fields(), **changes}
