"""A sum over the wrong axis gives a value a feature; ``zoo.build`` tries 3 rows, as many."""

from dataclasses import dataclass

from tests.broken.sound import Small, ops


@dataclass(frozen=True)
class Sideways(Small):
    """An autoencoder that sums over examples in place of features."""

    def learn(self, nets, batch, rng):
        terms = super().learn(nets, batch, rng)
        terms["autoencoder"]["size"] = ops.sum(ops.square(nets.encoder(batch.x)), axis=0)
        return terms


plugin = Sideways(latent_dim=3)
