"""Several datasets as the named sources of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoo.errors import ZooError
from zoo.plugin import loading
from zoo.plugin.dataset import ANYWHERE, Access, Data, Dataset, Split
from zoo.plugin.model import DataSpec


@dataclass(frozen=True)
class Sources(Dataset):
    """Datasets side by side, such as a folder of photos and one of sketches.

    Labels, factors and the names of both are those of the first. The ``batch_size`` of each has no
    effect.

    Attributes:
        sources: ``{name: dataset}``, the first one first.
        unpaired: names of those, but for the first, whose examples do not belong to those of the
            first row by row: they may be more or fewer.
    """

    sources: Mapping[str, Dataset]
    unpaired: tuple[str, ...] = ()

    def __post_init__(self):
        super().__post_init__()
        for name, value in {
            "sources": dict(self.sources),
            "unpaired": tuple(self.unpaired),
        }.items():
            object.__setattr__(self, name, value)
        DataSpec((1,), 0, dict.fromkeys(self.sources, (1,)), self.unpaired)  # refuses bad names
        for name, dataset in self.sources.items():
            if not isinstance(dataset, Dataset):
                raise ZooError(
                    f"Sources: {name} is a dataset, such as datasets.Folder(PATH), not {dataset!r}"
                )
            if getattr(dataset, "binarize", None):
                raise ZooError(f"Sources: {name} cannot be binarized here: leave binarize out")
        if not self.sources:
            raise ZooError('Sources: give datasets by name, as {"photo": datasets.Folder(PATH)}')

    def load(self, access: Access = ANYWHERE) -> Data:
        """Load every dataset.

        Raises:
            ZooError: one cannot be had, or paired ones differ in their number of examples.
        """
        loaded = {name: loading.load(own, access) for name, own in self.sources.items()}
        first, *others = loaded
        splits = []
        for part in ("train", "validation", "test"):
            given = {name: getattr(data, part) for name, data in loaded.items()}
            own = given[first]
            paired = {name: given[name].x for name in others if name not in self.unpaired}
            unpaired = {name: given[name].x for name in self.unpaired}
            try:
                splits.append(Split(own.x, own.y, own.factors, paired, unpaired))
            except ZooError as error:
                raise ZooError(f"Sources, {part}: {error}") from None
        train, validation, test = splits
        spec = loaded[first].spec
        shapes = {name: data.spec.shape for name, data in loaded.items()}
        return Data(
            " + ".join(data.name for data in loaded.values()),
            DataSpec(spec.shape, spec.classes, shapes, self.unpaired, spec.missing_labels),
            train,
            validation,
            test,
            class_names=loaded[first].class_names,
            factor_names=loaded[first].factor_names,
        )
