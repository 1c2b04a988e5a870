"""Pictures of TensorFlow Datasets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from zoo.datasets.assorted import Assorted, Source, parts_of
from zoo.errors import ZooError, unknown
from zoo.plugin.dataset import ANYWHERE, Access, Data
from zoo.runtime.console import printable

_PUBLISHED = re.compile(r"\w+(/[\w-]+)?(:\d+\.\d+\.\d+)?")
"""Names of data whose code is in the package: with a namespace, it would be downloaded."""


@dataclass(frozen=True)
class TFDS(Assorted):
    """Pictures through ``tensorflow-datasets``: ``pip install "keras-zoo[tfds]"``.

    It needs TensorFlow to read its files, whichever backend trains. Encoded pictures are held
    in memory, and decoded batch by batch where they are many.

    Attributes:
        name: such as ``"fashion_mnist"`` or ``"mnist:3.0.1"``.
        image: the feature that holds pictures.
        label: the feature that holds labels, as ``Arrays`` takes them; None for no labels.
    """

    name: str
    image: str = "image"
    label: str | None = "label"

    def load(self, access: Access = ANYWHERE) -> Data:
        """Open the dataset, downloading it if need be, and read every picture once.

        It is looked for in ``--data-dir`` or ``ZOO_DATA``, else where ``tensorflow-datasets``
        keeps its data.

        Raises:
            ZooError: the package is not installed, the dataset cannot be had, or a feature is
                not there or not what it should be; or as ``Assorted.assemble``.
        """
        try:
            import tensorflow_datasets as tfds
        except ImportError:
            raise ZooError(
                "datasets of TensorFlow need packages that are not installed: "
                'pip install "keras-zoo[tfds]"'
            ) from None
        if access.confined and not _PUBLISHED.fullmatch(self.name):
            raise ZooError(
                f"TFDS.name is {printable(self.name)}, and a run may name data of "
                "tensorflow-datasets itself, as mnist or mnist:3.0.1. For others name its recipe: "
                "--recipe FILE"
            )
        chosen = access.folders()[0]
        there = (chosen / self.name.partition(":")[0].partition("/")[0]).is_dir()
        try:
            builder = tfds.builder(self.name, data_dir=str(chosen) if there else None)
            builder.download_and_prepare()
        except Exception as error:  # of the network, of files, of the dataset's own code
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ZooError(f"TensorFlow dataset {self.name!r}: {reason}") from error
        features = builder.info.features
        for kind, feature in (("image", self.image), ("label", self.label)):
            if feature is not None and feature not in features:
                raise unknown("feature", feature, features, f"TFDS.{kind}")
        if not isinstance(features[self.image], tfds.features.Image):
            raise ZooError(f"{self.name}: the feature {self.image!r} is not one of pictures")
        parts = parts_of(builder.info.splits, self.name)
        sources = {part: self._source(tfds, builder, split) for part, split in parts.items()}
        names = () if self.label is None else getattr(features[self.label], "names", ())
        return self.labelled(builder.name, sources, access, names or ())

    def _source(self, tfds: Any, builder: Any, split: str) -> Source:
        examples = builder.as_dataset(
            split=split,
            decoders={self.image: tfds.decode.SkipDecoding()},
            shuffle_files=False,
            read_config=tfds.ReadConfig(interleave_cycle_length=1),  # one order, always
        )
        encoded, labels = [], []
        for example in tfds.as_numpy(examples):
            encoded.append(example[self.image])
            labels.append(None if self.label is None else example[self.label])
        return Source(
            n=len(encoded),
            name=lambda row: f"{self.name} {split} picture {row}",
            read=lambda row: encoded[row],
            labels=None if self.label is None else labels,
        )
