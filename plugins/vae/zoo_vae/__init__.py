"""Variational autoencoder (Kingma & Welling 2014), dense or convolutional, and conditional."""

from __future__ import annotations

import math
from dataclasses import dataclass

from keras import ops

import zoo
from zoo.nn import distributions, networks


@dataclass(frozen=True)
class VAE(zoo.Model):
    """VAE with a normal posterior of independent dimensions and a standard normal prior.

    For pictures one learned number is the scale of all pixels: a scale for each pixel would let
    the density grow without bound where pixels are constant (Rybkin et al. 2021; Mattei &
    Frellsen 2018). Other data have a scale for each output, from z, as in appendix C.2.

    Attributes:
        latent_dim: dimension of the latent z.
        units: of the encoder's dense layers, mirrored in the decoder.
        convolutional: whether the layers are 4 x 4 convolutions of stride 2 instead, for pictures
            whose sides halve evenly once for each.
        filters: of these convolutions, mirrored in the decoder.
        activation: of the hidden layers, by its Keras name. A smooth one keeps the backends
            together: near a kink, rounding decides which slope a gradient takes.
        likelihood: p(x|z): ``"bernoulli"`` for data in [0, 1], ``"normal"``, or
            ``"discretized_logistic"`` for pictures of 256 levels (Kingma et al. 2016).
        conditional: whether both networks are shown the labels (Sohn et al. 2015).
    """

    latent_dim: int = 16
    units: tuple[int, ...] = (512, 256)
    convolutional: bool = False
    filters: tuple[int, ...] = (32, 64)
    activation: str = "silu"
    likelihood: str = "bernoulli"
    conditional: bool = False

    value_range = (0.0, 1.0)

    def __post_init__(self):
        distributions.likelihood(self.likelihood)

    def networks(self, data):
        if self.likelihood == "discretized_logistic" and not data.is_image:
            raise zoo.ZooError(f"VAE: discretized_logistic is for pictures, not {data.shape}")
        p = distributions.likelihood(self.likelihood)
        filters, units = (self.filters, ()) if self.convolutional else ((), self.units)
        given = {
            "num_classes": data.classes if self.conditional else 0,
            "style": networks.Style(self.activation),
        }
        return {
            "encoder": networks.encoder(
                shape=data.shape,
                filters=filters,
                units=units,
                outputs=distributions.Normal.parameters((self.latent_dim,)),
                **given,
            ),
            "decoder": networks.decoder(
                shape=(self.latent_dim,),
                filters=filters[::-1],
                units=units[::-1],
                outputs=p.parameters(data.shape, shared_scale=data.is_image),
                **given,
            ),
        }

    @property
    def likelihood_support(self):
        return distributions.likelihood(self.likelihood).support

    def players(self):
        return {"autoencoder": ("encoder", "decoder")}

    def moves(self):
        return [self.elbo]

    def posterior(self, nets, x, labels=None):
        """q(z|x)."""
        return distributions.Normal.of(nets.encoder(x, labels=labels))

    def likelihood_of(self, nets, z, labels=None):
        """p(x|z)."""
        return distributions.likelihood(self.likelihood).of(nets.decoder(z, labels=labels))

    def latent(self, nets):
        return distributions.StandardNormal(self.latent_dim)

    def elbo(self, nets, batch, rng):
        """The negative ELBO in two terms, in nats (equation 10, with one draw of z)."""
        q = self.posterior(nets, batch.x, batch.labels)
        z = q.sample(rng)
        p = self.likelihood_of(nets, z, batch.labels)
        return {
            "autoencoder": {
                "reconstruction": -p.log_prob(batch.x),
                **self.latent_terms(nets, q, z, rng),
            }
        }

    def latent_terms(self, nets, q, z, rng):
        """The terms of the posterior q, of which z was drawn: ``{term: value}``."""
        return {"kl": q.kl(self.latent(nets))}

    def encode(self, nets, x, labels=None):
        return self.posterior(nets, x, labels).mean

    def decode(self, nets, z, labels=None):
        """The mean of p(x|z)."""
        return self.likelihood_of(nets, z, labels).mean

    def sample(self, nets, n, rng, labels=None):
        """For pictures the mean of p(x|z), as is usual; for other data a sample of it."""
        p = self.likelihood_of(nets, self.latent(nets).sample(rng, n), labels)
        return p.mean if nets.data.is_image or self.likelihood == "bernoulli" else p.sample(rng)

    def log_likelihood(self, nets, x, rng, samples=1, labels=None):
        """Importance-weighted bound (Burda et al. 2016, equation 8); the ELBO for one sample.

        Of log p(x|y) where conditional.
        """
        q, prior = self.posterior(nets, x, labels), self.latent(nets)
        z, q = q.samples(rng, samples), q.repeated(samples)
        x = ops.repeat(x, samples, axis=0)
        labels = None if labels is None else ops.repeat(labels, samples, axis=0)
        p = self.likelihood_of(nets, z, labels)
        log_weight = p.log_prob(x) + prior.log_prob(z) - q.log_prob(z)
        return ops.logsumexp(ops.reshape(log_weight, (-1, samples)), axis=1) - math.log(samples)
