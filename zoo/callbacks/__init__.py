"""What happens beside the training of a run: events, pictures, progress.

Any Keras callback works in a recipe too; those here also know the run.
"""

from __future__ import annotations

from zoo.callbacks.base import Callback, Context
from zoo.callbacks.checkpoint import Checkpoint
from zoo.callbacks.grids import (
    Interpolations,
    LatentManifold,
    LatentScatter,
    PosteriorHistograms,
    ReconstructionGrid,
    SampleGrid,
    Traversals,
    ViewGrid,
)
from zoo.callbacks.measure import Measure
from zoo.callbacks.progress import Progress
from zoo.callbacks.tensorboard import TensorBoard

__all__ = [
    "Callback",
    "Checkpoint",
    "Context",
    "Interpolations",
    "LatentManifold",
    "LatentScatter",
    "Measure",
    "PosteriorHistograms",
    "Progress",
    "ReconstructionGrid",
    "SampleGrid",
    "TensorBoard",
    "Traversals",
    "ViewGrid",
]
