"""An ability looks at numbers, which a traced tensor does not have."""

from dataclasses import dataclass

from tests.broken.sound import Small, ops


@dataclass(frozen=True)
class Curious(Small):
    """An autoencoder that decides by what it sees."""

    def reconstruct(self, nets, x, labels=None):
        made = super().reconstruct(nets, x)
        return made if ops.convert_to_numpy(x).max() > 0.0 else made + 1.0


plugin = Curious()
