"""Variational autoencoder (Kingma & Welling 2014), dense or convolutional, and conditional."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
from keras import ops

import zoo
from zoo.errors import unknown
from zoo.nn import losses, networks
from zoo_vae.scale import SharedScale

LIKELIHOODS = {
    "bernoulli": losses.bernoulli,
    "normal": losses.normal,
    "discretized_logistic": losses.discretized_logistic,
}
"""``{name: -log p(x|z) of x and the decoder's outputs}``"""


@dataclass(frozen=True)
class VAE(zoo.Model):
    """VAE with a diagonal normal posterior and a standard normal prior.

    The decoder gives logits for Bernoulli pixels, and a mean and a logarithmic scale for the
    other likelihoods. For pictures one learned number is the scale of all pixels: a scale a
    pixel would let the density grow without bound where pixels are constant (Rybkin et al.
    2021; Mattei & Frellsen 2018). Other data have a scale an output, from z, as in the paper's
    appendix C.2.

    Attributes:
        latent_dim: dimension of the latent z.
        hidden: units of the encoder's layers, mirrored in the decoder; the filters of
            4 x 4 convolutions of stride 2 where ``convolutional``.
        convolutional: for pictures whose sides halve evenly once for each layer.
        activation: of the hidden layers, by its Keras name. A smooth one has no units that
            die, which Adam would turn into differences between backends.
        likelihood: p(x|z): ``"bernoulli"`` for data in [0, 1], ``"normal"``, or
            ``"discretized_logistic"`` for pictures of 256 levels (Kingma et al. 2016).
        free_bits: nats of each dimension of z that cost as much as none, so that none is given
            up early (Kingma et al. 2016); the term ``kl`` is then that of their equation 15.
        conditional: whether both networks are shown the labels (Sohn et al. 2015).
    """

    latent_dim: int = 16
    hidden: tuple[int, ...] = (512, 256)
    convolutional: bool = False
    activation: str = "silu"
    likelihood: str = "bernoulli"
    free_bits: float = 0.0
    conditional: bool = False

    value_range = (0.0, 1.0)

    def __post_init__(self):
        if self.likelihood not in LIKELIHOODS:
            raise unknown("likelihood", self.likelihood, LIKELIHOODS)
        if self.free_bits < 0:
            raise zoo.ZooError(f"{type(self).__name__}: free_bits is at least 0")

    def networks(self, data):
        style = networks.Style(self.activation)
        classes = data.classes if self.conditional else 0
        moments = {"mean": self.latent_dim, "log_var": self.latent_dim}
        encoder, decoder = networks.dense_encoder, networks.dense_decoder
        mirrored = self.hidden[::-1]
        if self.convolutional:
            encoder, decoder = networks.conv_encoder, networks.conv_decoder
            mirrored = self.hidden
        if self.likelihood == "discretized_logistic" and not data.is_image:
            raise zoo.ZooError(f"VAE: discretized_logistic is for pictures, not {data.shape}")
        scaled = self.likelihood != "bernoulli"
        outputs = 2 if scaled and not data.is_image else 1
        recognition = encoder(data.shape, self.hidden, moments, style, classes)
        decoded = decoder(self.latent_dim, mirrored, data.shape, style, classes, None, outputs)
        if scaled and data.is_image:
            mean = decoded.output
            decoded = keras.Model(decoded.input, [mean, SharedScale()(mean)])
        return {"encoder": recognition, "decoder": decoded}

    def players(self):
        return {"autoencoder": ("encoder", "decoder")}

    def moves(self):
        return [self.elbo]

    def elbo(self, nets, batch, rng):
        """The negative ELBO in two terms, in nats (equation 10, with one draw of z)."""
        mean, log_var = nets.encoder(batch.x, labels=batch.labels)
        z = mean + ops.exp(0.5 * log_var) * rng.normal(ops.shape(mean))
        reconstruction = self.distortion(nets, batch.x, z, batch.labels)
        asked = self.latent_terms(z, mean, log_var, rng)
        return {"autoencoder": {"reconstruction": reconstruction, **asked}}

    def distortion(self, nets, x, z, labels):
        """-log p(x|z) in nats, ``(n,)``."""
        outputs = keras.tree.flatten(nets.decoder(z, labels=labels))
        return LIKELIHOODS[self.likelihood](x, *outputs)

    def latent_terms(self, z, mean, log_var, rng):
        """What is asked of the posterior: ``{term: value}``. Variants ask for more."""
        if self.free_bits:
            return {"kl": losses.free_bits(losses.kl_per_dimension(mean, log_var), self.free_bits)}
        return {"kl": losses.kl_standard_normal(mean, log_var)}

    def encode(self, nets, x, labels=None):
        return nets.encoder(x, labels=labels)[0]

    def decode(self, nets, z, labels=None):
        """The mean of p(x|z)."""
        first = keras.tree.flatten(nets.decoder(z, labels=labels))[0]
        return ops.sigmoid(first) if self.likelihood == "bernoulli" else first

    def sample(self, nets, n, rng, labels=None):
        """Means of p(x|z), as is usual for pictures; of Gaussian vectors draws from it."""
        z = rng.normal((n, self.latent_dim))
        outputs = keras.tree.flatten(nets.decoder(z, labels=labels))
        if self.likelihood == "normal" and len(outputs[0].shape) == 2:
            mean, log_var = outputs
            return mean + ops.exp(0.5 * log_var) * rng.normal(ops.shape(mean))
        return self.decode(nets, z, labels)

    def reconstruct(self, nets, x, labels=None):
        return self.decode(nets, self.encode(nets, x, labels), labels)

    def log_likelihood(self, nets, x, rng, samples=1, labels=None):
        """Importance-weighted bound (Burda et al. 2016, equation 8); the ELBO for one sample.

        Of log p(x|y) where conditional.
        """
        n, moments = ops.shape(x)[0], nets.encoder(x, labels=labels)
        noise = rng.normal((n, samples * self.latent_dim))
        x, mean, log_var = (ops.repeat(t, samples, axis=0) for t in (x, *moments))
        labels = None if labels is None else ops.repeat(labels, samples, axis=0)
        z = mean + ops.exp(0.5 * log_var) * ops.reshape(noise, ops.shape(mean))
        log_weight = (
            losses.normal(z, mean, log_var)  # -log q(z|x)
            - losses.normal(z, ops.zeros_like(z))  # log p(z)
            - self.distortion(nets, x, z, labels)  # log p(x|z)
        )
        return ops.logsumexp(ops.reshape(log_weight, (-1, samples)), axis=1) - math.log(samples)
