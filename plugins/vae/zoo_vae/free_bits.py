"""VAE with free bits (Kingma et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass

from zoo import ZooError
from zoo.nn import losses
from zoo_vae import VAE


@dataclass(frozen=True)
class FreeBitsVAE(VAE):
    """VAE whose latent dimensions are not penalized below some nats, so that none is pruned early.

    The term ``kl`` is that of equation 15.

    Attributes:
        free_bits: KL in nats below which a dimension is not penalized, lambda in the paper.
    """

    free_bits: float = 0.25

    def __post_init__(self):
        super().__post_init__()
        if self.free_bits < 0:
            raise ZooError(f"FreeBitsVAE: free_bits is at least 0, not {self.free_bits}")

    def latent_terms(self, nets, q, z, rng):
        return {"kl": losses.free_bits(q.kl_per_dimension(self.latent(nets)), self.free_bits)}
