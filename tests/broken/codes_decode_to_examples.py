"""``decode`` wants more than ``encode`` gives."""

from dataclasses import dataclass

from tests.broken.sound import Small, ops


@dataclass(frozen=True)
class Mismatched(Small):
    """An autoencoder that decodes pairs of codes."""

    def decode(self, nets, z, labels=None):
        return nets.decoder(ops.reshape(z, (-1, 2 * self.latent_dim))[:, : self.latent_dim])

    def sample(self, nets, n, rng):
        return nets.decoder(self.latent(nets).sample(rng, n))

    def reconstruct(self, nets, x):
        return nets.decoder(nets.encoder(x))


plugin = Mismatched()
