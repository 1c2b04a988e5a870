"""MMD-VAE (Zhao et al. 2019), the WAE-MMD of Tolstikhin et al. 2018 with a random encoder."""

from __future__ import annotations

from dataclasses import dataclass

from keras import ops

from zoo.nn import losses
from zoo_vae import VAE


@dataclass(frozen=True)
class MMDVAE(VAE):
    """VAE whose codes as a whole, rather than those of each example, are to follow the prior.

    -E[log p(x|z)] + (1 - alpha) KL(q(z|x) || p(z)) + (alpha + lambda - 1) MMD^2(q(z), p(z)),
    InfoVAE's objective (Zhao et al. 2019, equation 6). The weights are those of alpha = 1, so
    ``kl`` is only logged, and a lambda that suits likelihoods in nats.
    """

    def weights(self):
        return {"autoencoder": {"kl": 0.0, "mmd": 100.0}}

    def latent_terms(self, nets, q, z, rng):
        prior = self.latent(nets).sample(rng, ops.shape(z)[0])
        return super().latent_terms(nets, q, z, rng) | {"mmd": losses.mmd(z, prior)}
