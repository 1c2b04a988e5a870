"""VAE-GAN (Larsen et al. 2016), for pictures, vectors and points."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import ops

import zoo
from zoo.nn import distributions, losses, networks


@dataclass(frozen=True)
class VAEGAN(zoo.Model):
    """VAE whose decoder is a GAN's generator and whose errors are a discriminator's features.

    Encoder, decoder and discriminator move at once, from one forward pass (algorithm 1). In it
    the decoder sees the codes and the draws from the prior as one batch, and the discriminator
    the pictures, their reconstructions and the samples as one batch: so batch norm has the
    statistics of them together, which move once a step.

    The weight of ``decoder/reconstruction`` is the paper's gamma. In the pixel variant, that of
    ``encoder/kl`` is a beta and those of ``decoder/reconstructed`` and ``decoder/sampled`` a
    lambda.

    Attributes:
        latent_dim: dimension of the latent z, standard normal.
        filters: of the convolutions at the largest map; they double as the maps halve.
        units: of the dense layers: all of them for data that are no pictures; for pictures those
            between the smallest maps and the vectors.
        features: whether reconstructions are compared in the discriminator's last convolution,
            for data that are no pictures in its last hidden layer; else in pixels.
        adversarial: the paper's ``"minimax"``, or another adversarial loss of the zoo.
        margin: of the gate in the authors' code, which is 0.4 there: the discriminator sits a
            move out when its loss on real or on made examples is below the equilibrium by more
            than this, the decoder when one is above by more, and neither when both is so. None
            for no gate.
        equilibrium: the loss, in nats, of a discriminator that is as good as its opponent.
        conditional: whether all three networks are shown the labels.
    """

    latent_dim: int = 64
    filters: int = 32
    units: tuple[int, ...] = (512,)
    features: bool = True
    adversarial: str = "minimax"
    margin: float | None = None
    equilibrium: float = 0.68
    conditional: bool = False

    value_range = (-1.0, 1.0)

    def __post_init__(self):
        losses.adversarial(self.adversarial)

    def networks(self, data):
        filters = networks.doubled(self.filters, data.shape)
        style = networks.Style("relu", "batch")
        num_classes = data.classes if self.conditional else 0
        judge = networks.discriminator(
            shape=data.shape,
            filters=filters,
            units=self.units,
            num_classes=num_classes,
            style=networks.Style("leaky_relu", "batch"),
        )
        features = judge.get_layer("maps" if data.is_image else "features")
        return {
            "encoder": networks.encoder(
                shape=data.shape,
                filters=filters,
                units=self.units,
                outputs=distributions.Normal.parameters((self.latent_dim,)),
                num_classes=num_classes,
                style=style,
            ),
            "decoder": networks.generator(
                shape=(self.latent_dim,),
                filters=filters[::-1],
                units=self.units[::-1],
                outputs=data.shape,
                num_classes=num_classes,
                style=style,
            ),
            "discriminator": keras.Model(judge.input, [judge.output, features.output]),
        }

    def players(self):
        return {name: (name,) for name in ("encoder", "decoder", "discriminator")}

    def weights(self):
        # as in the authors' code, both kinds of fakes together count as much as what is real
        fakes = {"reconstructed": 0.5, "sampled": 0.5}
        gamma = 0.02 if self.features else 1.0
        return {"decoder": {"reconstruction": gamma}, "discriminator": fakes}

    def moves(self):
        return [zoo.Move(self.together, when=None if self.margin is None else self.gate)]

    def together(self, nets, batch, rng):
        """All terms of algorithm 1, of pictures x, reconstructions and samples."""
        x, labels, loss = batch.x, batch.labels, losses.adversarial(self.adversarial)
        q, prior = self.posterior(nets, x, labels), self.latent(nets)
        z = ops.concatenate([q.sample(rng), prior.sample(rng, batch.size)])
        made = nets.decoder(z, labels=_times(labels, 2))
        logits, features = nets.discriminator(ops.concatenate([x, made]), labels=_times(labels, 3))
        real, reconstructed, sampled = ops.split(logits, 3)
        if self.features:
            x, again, _ = ops.split(features, 3)
        else:
            again, _ = ops.split(made, 2)
        reconstruction = losses.normal(x, again)  # equations 7 and 8
        return {
            "encoder": {
                "kl": q.kl(prior),
                "reconstruction": reconstruction,
            },
            "decoder": {
                "reconstruction": reconstruction,
                "reconstructed": loss.generator(reconstructed),
                "sampled": loss.generator(sampled),
            },
            "discriminator": {
                "real": loss.real(real),
                "reconstructed": loss.fake(reconstructed),
                "sampled": loss.fake(sampled),
            },
        }

    def gate(self, step, terms):
        """Who moves: the one who is behind, if only one is; the encoder always."""
        judged = terms["discriminator"]
        real, fake = judged["real"], 0.5 * (judged["reconstructed"] + judged["sampled"])
        low, high = self.equilibrium - self.margin, self.equilibrium + self.margin
        ahead = ops.logical_or(real < low, fake < low)
        behind = ops.logical_or(real > high, fake > high)
        return {
            "discriminator": ops.logical_or(ops.logical_not(ahead), behind),
            "decoder": ops.logical_or(ops.logical_not(behind), ahead),
        }

    def posterior(self, nets, x, labels=None):
        """q(z|x)."""
        return distributions.Normal.of(nets.encoder(x, labels=labels))

    def latent(self, nets):
        return distributions.StandardNormal(self.latent_dim)

    def encode(self, nets, x, labels=None):
        return self.posterior(nets, x, labels).mean

    def decode(self, nets, z, labels=None):
        return nets.decoder(z, labels=labels)


def _times(labels, n):
    return None if labels is None else ops.tile(labels, n)
