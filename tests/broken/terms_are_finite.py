"""A term is the logarithm of nothing."""

from dataclasses import dataclass

from tests.broken.sound import Small, ops


@dataclass(frozen=True)
class Infinite(Small):
    """An autoencoder that watches a number which is infinite."""

    def learn(self, nets, batch, rng):
        terms = super().learn(nets, batch, rng)
        nothing = ops.stop_gradient(batch.x - batch.x)
        terms["classifier"]["watched"] = ops.log(ops.sum(nothing))
        return terms


plugin = Infinite()
