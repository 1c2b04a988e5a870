"""beta-TCVAE (Chen et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass

from keras import ops

from zoo.nn import losses
from zoo_vae import VAE


@dataclass(frozen=True)
class BetaTCVAE(VAE):
    """VAE that pays more for dependence among its latent dimensions, their total correlation.

    Equation 4 with alpha = gamma = 1, which is -ELBO + (beta - 1) KL(q(z) || prod_j q(z_j)).
    So the weight of ``total_correlation`` is beta - 1: 5 for the paper's beta = 6.

    Attributes:
        dataset_size: training examples N of the estimator, equation 3. It shifts the term by a
            constant and leaves its gradient as it is.
    """

    dataset_size: int = 50_000

    def weights(self):
        return {"autoencoder": {"total_correlation": 5.0}}

    def latent_terms(self, nets, q, z, rng):
        parts = losses.total_correlation(z, q.mean, q.log_var, self.dataset_size)
        terms = super().latent_terms(nets, q, z, rng)
        return terms | {"total_correlation": ops.mean(parts.total_correlation)}  # of the batch
