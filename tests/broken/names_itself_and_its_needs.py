"""It needs what no model can do."""

from dataclasses import dataclass
from typing import ClassVar

from tests.broken.sound import Share


@dataclass(frozen=True)
class Demanding(Share):
    """A metric of models that sing."""

    needs: ClassVar[tuple[str, ...]] = ("sing",)


plugin = Demanding()
