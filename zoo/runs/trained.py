"""What ``zoo.train`` and ``zoo.resume`` return: a run, and what came of it, in Python."""

from __future__ import annotations

import csv
import io
from html import escape
from typing import Any

import numpy as np

from zoo.engine.model import GenerativeModel
from zoo.errors import ZooError
from zoo.runs.load import load
from zoo.runs.run import RESULTS, Run
from zoo.runtime import files

_MOST_BYTES = 64 << 20  # of the table
_SHOWN = 12  # rows of a table


class TrainedRun(Run):
    """A run that this process has trained.

    Attributes:
        path: its folder.
        pictures: the folder of its pictures.
    """

    @property
    def results(self) -> dict[str, Any]:
        """What ``results.json`` says: losses, metrics with their protocols, time.

        Raises:
            ZooError: the file cannot be read.
        """
        return self.read_json(RESULTS)

    @property
    def history(self) -> History:
        """Every term of every epoch, a column each: ``run.history["loss"]``.

        Raises:
            ZooError: the file cannot be read.
        """
        try:
            text = files.read(self.log, _MOST_BYTES).decode()
            head, *rows = list(csv.reader(io.StringIO(text)))
            columns = zip(*([float(cell or "nan") for cell in row] for row in rows), strict=True)
            values = dict(zip(head, map(np.array, columns), strict=True))
        except (OSError, ValueError) as error:
            raise ZooError(f"run {self.name}: cannot read {self.log.name}: {error}") from error
        return History({**values, "epoch": values["epoch"].astype("int64")})

    def load(self, **options: Any) -> GenerativeModel:
        """The trained model; options are those of ``zoo.load``."""
        return load(Run(self.path), **options)

    def __repr__(self) -> str:
        described = self.manifest
        return (
            f"run {self.name}: {described.model.title} on {described.data.name}, "
            f"{described.status}, epoch {described.epoch} of {described.epochs}\n  {self.path}"
        )


class History(dict):
    """A table ``{column: array (epochs,)}``, which is shown as one; ``pandas.DataFrame`` takes it.

    >>> History(epoch=np.array([1, 2]), loss=np.array([0.5, 0.25]))
    epoch  loss
        1   0.5
        2  0.25
    """

    def _rows(self) -> list[list[str]]:
        """The heading and the rows, in the middle left out where there are many."""
        rows = [[f"{value:.5g}" for value in row] for row in zip(*self.values(), strict=True)]
        if len(rows) > _SHOWN:
            half = _SHOWN // 2
            rows = [*rows[:half], ["..."] * len(self), *rows[-half:]]
        return [list(self), *rows]

    def __repr__(self) -> str:
        rows = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        )

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        head, *rows = self._rows()
        cells = [f"<th>{escape(name)}</th>" for name in head]
        lines = ["".join(cells), *("".join(f"<td>{cell}</td>" for cell in row) for row in rows)]
        return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
