"""The panel of ``zoo explore`` with samples."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from zoo.reports.explore import SAMPLES, newest
from zoo.reports.explore_visit import Visit, url

COLUMNS = math.isqrt(SAMPLES)


class Samples:
    """A grid of samples; of a model without a prior, of codes of data.

    Args:
        visit: whose.

    Attributes:
        z: their codes.
        labels: of the samples, or None.
    """

    def __init__(self, visit: Visit):
        self._visit = visit
        self.z: np.ndarray = visit.space.found.z[:0]
        self.labels: np.ndarray | None = None
        self.show = newest(self._show)

    def lay_out(self) -> None:
        """The grid."""
        visit, model = self._visit, self._visit.space.model
        drawn = model.can("latent") or model.sampler is not None
        title = "Samples" if drawn else "Codes of data, decoded"
        actions: dict[str, Callable] = {"Others": self._on_others}
        if model.can("sample"):
            actions["Python"] = lambda: visit.tell(visit.python.samples(visit.walk))
        actions["PNG"] = lambda: visit.save("samples", self._decoded, COLUMNS)
        with visit.panel(title, "Click a picture to go there."):
            visit.html(f'<img id="grid" alt="samples" data-cells="{COLUMNS} {COLUMNS}" hidden>')
            visit.buttons(**actions)

    def _decoded(self) -> np.ndarray:
        labels = self.labels if self._visit.space.conditional else None
        return self._visit.space.model.decode(self.z, labels=labels)

    async def _show(self) -> None:
        def made() -> dict[str, str]:
            self.z, self.labels = self._visit.space.samples(self._visit.walk.seed, SAMPLES)
            return {"grid": url(*self._decoded(), columns=COLUMNS)}

        await self._visit.images(made)

    async def _on_others(self) -> None:
        self._visit.walk.seed += 1
        await self.show()
