"""What every feature space is: settings that load into a function from pictures to vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from zoo.errors import ZooError
from zoo.plugin.checked import Checked

if TYPE_CHECKING:
    import numpy as np

    from zoo.plugin.dataset import Access, Data


@dataclass(frozen=True, eq=False)
class Extractor:
    """A feature space, loaded.

    Attributes:
        name: what protocols call it, with what tells it from others, as in
            ``"inception (weights 6726825d)"``.
        sha256: of everything that decides its features, hexadecimal. Two spaces with one
            hash give the same features, up to rounding.
        dimension: of the features, d.
        features: pictures ``(n, height, width, channels)``, uint8 or float in [0, 1], to float32
            ``(n, d)``. The row of a picture depends on no other picture.
        probabilities: features ``(n, d)`` to probabilities of classes, float32
            ``(n, classes)``; None where the space has no classes.
        facts: what results keep besides, ``{name: text or number}``.
    """

    name: str
    sha256: str
    dimension: int
    features: Callable[[np.ndarray], np.ndarray]
    probabilities: Callable[[np.ndarray], np.ndarray] | None = None
    facts: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True)
class FeatureSpace(Checked):
    """Base of feature spaces: a frozen dataclass of settings.

    Attributes:
        has_classes: whether its extractor gives probabilities.
        paths: names of settings that may lead to files. A run's manifest, which may be a
            stranger's, may only name recipes in them that come with the zoo.
    """

    has_classes: ClassVar[bool] = False
    paths: ClassVar[tuple[str, ...]] = ()

    def check(self, data: Data) -> None:
        """Refuse data that the space is not for, before anything is trained.

        Raises:
            ZooError: by default for data that are no pictures.
        """
        if not data.spec.is_image:
            raise ZooError(
                f"the feature space {type(self).__name__} is of pictures, and {data.name} has none"
            )

    def prepare(self, data: Data, access: Access, runs_folder: str | None) -> FeatureSpace:
        """Get what the space needs, such as a trained classifier; see ``zoo.Metric.prepare``.

        Raises:
            ZooError: it cannot be had.
        """
        return self

    def load(self, data: Data) -> Extractor:
        """The function from pictures to features.

        Raises:
            ZooError: what it needs is not there, or is for other data.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define load(data)")
