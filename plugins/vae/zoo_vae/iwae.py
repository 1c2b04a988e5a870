"""Importance-weighted autoencoder (Burda et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass

from zoo_vae import VAE


@dataclass(frozen=True)
class IWAE(VAE):
    """VAE that maximizes a bound of k draws of z, which is tighter than the ELBO.

    L_k = E[log 1/k sum_i p(x, z_i) / q(z_i|x)] (equation 8); L_1 is the ELBO. There is no KL
    term to weigh.

    Attributes:
        samples: draws k of z for each example, in training.
    """

    samples: int = 5

    def __post_init__(self):
        super().__post_init__()
        self.check_count("samples", 1, 1_000_000)

    def elbo(self, nets, batch, rng):
        """-L_k in nats."""
        bound = self.log_likelihood(nets, batch.x, rng, self.samples, batch.labels)
        return {"autoencoder": {"bound": -bound}}
