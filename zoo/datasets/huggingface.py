"""Pictures of the Hugging Face Hub, or in its formats on disk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.datasets.assorted import Assorted, Source, parts_of
from zoo.datasets.files import read_file
from zoo.errors import ZooError, unknown
from zoo.plugin.dataset import ANYWHERE, Access, Data

_HUB = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
"""Names of the Hub."""


@dataclass(frozen=True)
class HuggingFace(Assorted):
    """Pictures through Hugging Face ``datasets``: ``pip install "keras-zoo[huggingface]"``.

    Needs ``datasets`` 4 or later, which runs no code from the Hub. What is downloaded goes to
    its own cache, and is read from there batch by batch where it is large.

    Attributes:
        path: a dataset of the Hub, such as ``"zalando-datasets/fashion_mnist"``; or a folder
            in one of its formats (Parquet, ``save_to_disk``), looked for first, in
            ``--data-dir`` or ``ZOO_DATA``, then in the current folder.
        name: which of the dataset's configurations, where it has several.
        revision: a commit or tag of the Hub, so that the data stay the same.
        image: the column of pictures.
        label: the column of labels, as ``Arrays`` takes them; None for no labels.
    """

    path: str
    name: str | None = None
    revision: str | None = None
    image: str = "image"
    label: str | None = "label"

    def load(self, access: Access = ANYWHERE) -> Data:
        """Open the dataset, downloading it if need be, and read every picture once.

        Raises:
            ZooError: ``datasets`` is not installed, the dataset cannot be had, or a column is
                not there or not what it should be; or as ``Assorted.assemble``.
        """
        try:
            import datasets
        except ImportError:
            raise ZooError(
                "datasets of Hugging Face need a package that is not installed: "
                'pip install "keras-zoo[huggingface]"'
            ) from None
        splits = self._opened(datasets, access)
        parts = parts_of(splits, self.path)
        sources = {
            part: self._source(datasets, splits[name], f"{self.path} {name}")
            for part, name in parts.items()
        }
        feature = None if self.label is None else splits[parts["train"]].features[self.label]
        return self.labelled(self.path, sources, access, getattr(feature, "names", None) or ())

    def _opened(self, datasets: Any, access: Access) -> Any:
        """``{name of split: datasets.Dataset}``."""
        try:
            folder: Path | None = access.locate(self.path)
        except ZooError:
            folder = None
            if access.confined and not _HUB.fullmatch(self.path):
                raise
        try:
            if folder and (folder / "dataset_dict.json").exists():
                return datasets.load_from_disk(str(folder))
            return datasets.load_dataset(
                str(folder or self.path), self.name, revision=self.revision
            )
        except Exception as error:  # of the network, of the Hub, of files: many kinds
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ZooError(f"Hugging Face dataset {self.path!r}: {reason}") from error

    def _source(self, datasets: Any, split: Any, where: str) -> Source:
        for kind, column in (("image", self.image), ("label", self.label)):
            if column is not None and column not in split.column_names:
                raise unknown("column", column, split.column_names, f"HuggingFace.{kind}")
        if not isinstance(split.features[self.image], datasets.Image):
            raise ZooError(f"{where}: the column {self.image!r} is not one of pictures")
        encoded = split.select_columns([self.image]).cast_column(
            self.image, datasets.Image(decode=False)
        )

        def read(row: int) -> bytes:
            stored = encoded[row][self.image]
            return stored["bytes"] or read_file(Path(stored["path"]))

        labels = None if self.label is None else list(split[self.label])
        return Source(len(split), lambda row: f"{where} picture {row}", read, labels)
