"""The prior has a dimension that the codes have not."""

from dataclasses import dataclass

from tests.broken.sound import Small
from zoo.nn import distributions


@dataclass(frozen=True)
class Longer(Small):
    """An autoencoder with a prior of its own, which it does not sample from."""

    def latent(self, nets):
        return distributions.StandardNormal(self.latent_dim + 1)

    def sample(self, nets, n, rng):
        return nets.decoder(rng.normal((n, self.latent_dim)))


plugin = Longer()
