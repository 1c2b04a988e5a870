"""The whole state of a training on disk: written as one unit, verified when read.

A checkpoint is a folder, which no process changes once it is there:

- ``arrays.safetensors``: every number, under names that are the same on every backend
- ``state.json``: the position, the terms of past epochs, what callbacks remember
- ``SHA256SUMS``: of both, as ``sha256sum -c`` reads it

Folders are numbered in the order of writing, so that no clock decides which is the newest.
"""

from __future__ import annotations

from zoo.checkpoints.store import THIS, Checkpoint, Damaged, Store

__all__ = ["THIS", "Checkpoint", "Damaged", "Store"]
