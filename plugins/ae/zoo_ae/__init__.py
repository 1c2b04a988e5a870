"""Autoencoder (Rumelhart et al. 1986; Hinton & Salakhutdinov 2006), dense or convolutional."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import ops

import zoo
from zoo.errors import unknown
from zoo.nn import losses, networks

RECONSTRUCTIONS = ("squared_error", "bernoulli")


@dataclass(frozen=True)
class AE(zoo.Model):
    """Encoder and decoder that are trained to give back what went in.

    The term ``reconstruction`` is summed over the numbers of an example, ``||x - x'||^2`` for
    the squared error, and averaged over the batch: its size does not depend on the batch, and
    that of a penalty beside it does not depend on the number of pixels.

    The network ``corruption`` is for denoising: a recipe may put Keras layers of its own in its
    place, ``networks={"corruption": lambda data, model: keras.layers.RandomErasing(...)}``.
    The model has no prior: to sample, give the recipe a ``sampler``.

    Attributes:
        latent_dim: dimension of the codes.
        units: of the encoder's dense layers, mirrored in the decoder.
        convolutional: whether the layers are 4 x 4 convolutions of stride 2 instead, for pictures
            whose sides halve evenly once for each.
        filters: of these convolutions, mirrored in the decoder.
        activation: of the hidden layers, by its Keras name. A smooth one keeps the backends
            together: near a kink, rounding decides which slope a gradient takes.
        code_activation: of the codes, by its Keras name; None for linear ones.
        output_activation: of the decoder under the squared error, likewise.
        reconstruction: ``"squared_error"``, or ``"bernoulli"``, the negative log-likelihood
            in nats of numbers in [0, 1] (Vincent et al. 2008, equation 2).
    """

    latent_dim: int = 32
    units: tuple[int, ...] = (512, 256)
    convolutional: bool = False
    filters: tuple[int, ...] = (32, 64)
    activation: str = "silu"
    code_activation: str | None = None
    output_activation: str | None = None
    reconstruction: str = "squared_error"

    value_range = (0.0, 1.0)

    def __post_init__(self):
        if self.reconstruction not in RECONSTRUCTIONS:
            raise unknown("reconstruction", self.reconstruction, RECONSTRUCTIONS)
        if self.reconstruction == "bernoulli" and self.output_activation is not None:
            raise zoo.ZooError(
                f"{type(self).__name__}: output_activation is for the squared error; "
                "Bernoulli reconstructions end in a sigmoid"
            )

    def networks(self, data):
        filters, units = (self.filters, ()) if self.convolutional else ((), self.units)
        style = networks.Style(self.activation)
        return {
            "encoder": networks.encoder(
                shape=data.shape,
                filters=filters,
                units=units,
                outputs=self.latent_dim,
                style=style,
            ),
            "decoder": networks.decoder(
                shape=(self.latent_dim,),
                filters=filters[::-1],
                units=units[::-1],
                outputs=data.shape,
                style=style,
                activation=self.output_activation,
            ),
            "corruption": self.corruption(data),
        }

    def corruption(self, data):
        """What an example goes through before it is encoded, in training: nothing."""
        return keras.layers.Identity()

    def players(self):
        return {"autoencoder": ("encoder", "decoder")}

    def moves(self):
        # nobody trains the corruption, but it may have random generators that go on
        return [zoo.Move(self.autoencode, updates=("encoder", "decoder", "corruption"))]

    def autoencode(self, nets, batch, rng):
        """The error of the reconstruction, and a variant's penalties beside it."""
        code = self.encode(nets, nets.corruption(batch.x))
        error = getattr(losses, self.reconstruction)(batch.x, nets.decoder(code))
        penalties = self.penalties(nets, batch.x, code, rng)
        return {"autoencoder": {"reconstruction": error, **penalties}}

    def penalties(self, nets, x, code, rng):
        """Terms beside the reconstruction, ``{term: (n,)}``."""
        return {}

    def encode(self, nets, x):
        return keras.activations.get(self.code_activation)(nets.encoder(x))

    def decode(self, nets, z):
        output = nets.decoder(z)
        return ops.sigmoid(output) if self.reconstruction == "bernoulli" else output
