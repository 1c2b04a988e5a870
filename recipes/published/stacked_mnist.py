"""DCGAN and PacDCGAN on Stacked MNIST, by the protocol of the PacGAN paper.

    zoo run published/stacked_mnist --full
    zoo run published/stacked_mnist model.packing=2 dataset.batch_size=128 dataset.n=256_000 --full

The second command packs in twos, which is PacDCGAN2.

Published: 78.9 of 1,000 modes; packed in twos, 1,000 (Lin et al. 2018, table 2, means of ten runs
of 50 epochs).

Their setting: 128,000 triples of digits, batches of 64 packs, uniform noise of 100 dimensions, Adam
at 2e-4 with beta_1 0.5; four layers of 64 to 512 filters of 5 x 5 in each network, kernels
N(0, 0.02^2). Of 26,000 samples, each channel is read by a classifier of digits.

As in the authors' code (fjxmlzn/PacGAN), the generator moves twice for each move of the
discriminator. These differ: their generator moves with the discriminator's noise, this one with new
noise; their digits are of MNIST's training and test pictures, and in [0, 1], these of its training
pictures, and in [-1, 1]; their generator makes, and its batch norm sees, one member of all packs at
a time.

Measured with TensorFlow, seed 0, after 1,000 steps, a hundredth of the budget: 7 modes (epochs=1
dataset.n=64_000); packed in twos, 946 (epochs=1 dataset.n=128_000). 45 and 36 minutes on one CPU
core beside other work.
"""

from dataclasses import dataclass, field

import keras
from keras import layers

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import distributions
from zoo_gan.pacgan import PacGAN

backends = {  # on a CPU, TensorFlow is ahead of JAX at most networks that convolve
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}

NORMAL = keras.initializers.RandomNormal(stddev=0.02)
SIDES = {"padding": "same", "strides": 2, "kernel_initializer": NORMAL}


def normalized():
    """Batch norm as there."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)


@dataclass(frozen=True)
class PacDCGAN(PacGAN):
    """The game of the authors' code."""

    repeats: int = field(default=1, init=False)
    simultaneous: bool = field(default=False, init=False)

    def moves(self):
        return [self.discriminate, self.generate, self.generate_again]

    def generate_again(self, nets, batch, rng):
        """G's second step, whose term has a name of its own."""
        terms = self.generate(nets, batch, rng)["generator"]
        return {"generator": {f"{name}_again": term for name, term in terms.items()}}


def generator(data, model):
    """Maps of 2 x 2, 4 x 4, 7 x 7, 14 x 14 and 28 x 28."""
    net = [keras.Input(model.prior.shape), layers.Dense(2 * 2 * 512, kernel_initializer=NORMAL)]
    net += [layers.Reshape((2, 2, 512)), normalized(), layers.ReLU()]
    for filters, more in ((256, 1), (128, 0), (64, 1)):  # `more` of 0: from 4 to 7
        net += [layers.Conv2DTranspose(filters, 5, output_padding=more, **SIDES)]
        net += [normalized(), layers.ReLU()]
    return keras.Sequential([*net, layers.Conv2DTranspose(3, 5, activation="tanh", **SIDES)])


def discriminator(data, model):
    """Maps of 14 x 14, 7 x 7, 4 x 4 and 2 x 2, of packs of pictures."""
    net = [keras.Input(zoo.nn.layers.Packed.shape(data.shape, model.packing))]
    net += [layers.Conv2D(64, 5, **SIDES), layers.LeakyReLU(0.2)]
    for filters in (128, 256, 512):
        net += [layers.Conv2D(filters, 5, **SIDES), normalized()]
        net += [layers.LeakyReLU(0.2)]
    net += [layers.Flatten(), layers.Dense(1, kernel_initializer=NORMAL)]
    return zoo.nn.layers.Packed(keras.Sequential(net), model.packing)


def adam():
    """Of each player."""
    return keras.optimizers.Adam(2e-4, beta_1=0.5)


recipe = zoo.Recipe(
    model=PacDCGAN(packing=1, prior=distributions.Uniform(100)),
    networks={"generator": generator, "discriminator": discriminator},
    dataset=datasets.StackedMNIST(batch_size=64),
    optimizers={"discriminator": adam(), "generator": adam()},
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.TensorBoard(),
    ],
    metrics=[metrics.StackedModes()],
    epochs=50,
    seed=0,
)
