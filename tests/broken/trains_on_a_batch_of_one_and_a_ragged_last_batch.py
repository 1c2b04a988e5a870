"""A variance is divided by n - 1."""

from dataclasses import dataclass

from tests.broken.sound import Small, ops


@dataclass(frozen=True)
class Unbiased(Small):
    """An autoencoder whose codes are asked for a variance of one."""

    def learn(self, nets, batch, rng):
        terms = super().learn(nets, batch, rng)
        z = nets.encoder(batch.x)
        squares = ops.sum(ops.square(z - ops.mean(z, axis=0)))
        n = ops.cast(ops.shape(z)[0], "float32")
        terms["autoencoder"]["variance"] = ops.square(squares / (n - 1.0) - 1.0)
        return terms


plugin = Unbiased()
