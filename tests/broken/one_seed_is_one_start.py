"""Its noise is Python's own, whatever the seed."""

import random
from dataclasses import dataclass

from tests.broken.sound import Small


@dataclass(frozen=True)
class Whimsical(Small):
    """An autoencoder with a mood."""

    def networks(self, data):
        networks = super().networks(data)
        networks["encoder"].layers[-1].bias.assign([random.random()] * self.latent_dim)
        return networks


plugin = Whimsical()
