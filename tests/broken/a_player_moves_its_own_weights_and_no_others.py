"""A player trains a network that its loss does not depend on."""

from dataclasses import dataclass

from tests.broken.sound import Small, ops


@dataclass(frozen=True)
class Detached(Small):
    """An autoencoder whose decoder is cut off from the encoder."""

    def learn(self, nets, batch, rng):
        terms = super().learn(nets, batch, rng)
        made = nets.decoder(ops.stop_gradient(nets.encoder(batch.x)))
        terms["autoencoder"]["error"] = ops.mean(ops.square(made - batch.x))
        return terms


plugin = Detached()
