"""Autoencoder with discrete codes, VQ-VAE (van den Oord et al. 2017), for pictures."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import layers, ops

import zoo
from zoo.nn import losses, networks
from zoo_vqvae.quantizer import VectorQuantizer


@dataclass(frozen=True)
class VQVAE(zoo.Model):
    """VQ-VAE with a codebook that follows moving averages.

    The encoder makes of a picture a small map of vectors, each of which is replaced by the
    nearest of the codebook. A code of the zoo's, as ``encode`` gives it, is the whole map
    quantized, flattened. It has no prior: to sample, give the recipe a ``sampler``, whose
    draws are quantized before they are decoded.

    The codebook is nobody's to train: it moves with the batches that the autoencoder is
    trained on.

    Attributes:
        filters: of the 4 x 4 convolutions of stride 2, mirrored in the decoder; the sides of
            pictures halve evenly once for each.
        residuals: blocks of two convolutions at the smallest map, in encoder and decoder.
        codes: vectors in the codebook, K in the paper.
        dimension: of each, D in the paper.
        decay: of the codebook's moving averages, in [0, 1).
        activation: of the hidden layers, by its Keras name.
    """

    filters: tuple[int, ...] = (32, 64)
    residuals: int = 2
    codes: int = 512
    dimension: int = 8
    decay: float = 0.99
    activation: str = "silu"

    value_range = (0.0, 1.0)

    def networks(self, data):
        style = networks.Style(self.activation)
        small = networks.maps(data.shape, len(self.filters))[-1]
        double = {"kernel_size": 4, "strides": 2, "padding": "same"}

        x = inputs = keras.Input(data.shape)
        for count in self.filters:
            x = style.hidden(x, layers.Conv2D, count, **double)
        x = layers.Conv2D(self.dimension, 1)(self._residuals(x, style))
        encoder = keras.Model(inputs, layers.Flatten()(x))

        x = quantized = keras.Input(encoder.output_shape[1:])
        x = layers.Reshape((*small, self.dimension))(x)
        x = self._residuals(style.hidden(x, layers.Conv2D, self.filters[-1], 1), style)
        for count in self.filters[-2::-1]:
            x = style.hidden(x, layers.Conv2DTranspose, count, **double)
        decoder = keras.Model(quantized, layers.Conv2DTranspose(data.shape[-1], **double)(x))

        quantizer = VectorQuantizer(self.codes, self.dimension, self.decay)
        return {"encoder": encoder, "quantizer": quantizer, "decoder": decoder}

    def _residuals(self, x, style):
        for _ in range(self.residuals):
            y = style.hidden(x, layers.Conv2D, x.shape[-1], 3, padding="same")
            x = style.normalize_activate_dropout(x + layers.Conv2D(x.shape[-1], 1)(y))
        return x

    def players(self):
        return {"autoencoder": ("encoder", "decoder")}

    def moves(self):
        return [zoo.Move(self.autoencode, updates=("encoder", "quantizer", "decoder"))]

    def weights(self):
        return {"autoencoder": {"commitment": 0.25, "perplexity": 0.0}}  # beta in the paper

    def autoencode(self, nets, batch, rng):
        """Equation 3 with moving averages in place of its second term, squares summed.

        The term ``perplexity`` is for the log alone: its weight is 0.
        """
        z = nets.encoder(batch.x)
        quantized, perplexity = nets.quantizer(z)
        return {
            "autoencoder": {
                "reconstruction": losses.squared_error(batch.x, nets.decoder(quantized)),
                "commitment": losses.squared_error(z, ops.stop_gradient(quantized)),
                "perplexity": perplexity,
            }
        }

    def encode(self, nets, x):
        return nets.quantizer(nets.encoder(x))[0]

    def decode(self, nets, z):
        return nets.decoder(nets.quantizer(z)[0])

    def reconstruct(self, nets, x):
        return self.decode(nets, nets.encoder(x))
