"""All samples of a batch come from one draw."""

from dataclasses import dataclass

from tests.broken.sound import Small, ops


@dataclass(frozen=True)
class Uniform(Small):
    """An autoencoder that samples one example many times."""

    def sample(self, nets, n, rng, labels=None):
        z = rng.shared.normal((1, self.latent_dim))
        return nets.decoder(ops.repeat(z, n, axis=0))


plugin = Uniform()
