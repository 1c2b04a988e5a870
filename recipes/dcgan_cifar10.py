"""DCGAN on CIFAR-10, 32 x 32 pictures in colour, with DiffAugment (Zhao et al. 2020).

    zoo run recipes/dcgan_cifar10.py
    zoo run recipes/dcgan_cifar10.py epochs=100  # on a GPU

Shows a colour model and augmentation that the generator's gradient passes through. Its budget is
what a CPU can do, which is too short for objects.

Not measured on CIFAR-10 itself. On JPEG copies of 5,000 of its training pictures, with TensorFlow:
173 pictures/s on one CPU core beside other work, so 14 minutes for the whole.
"""

import keras

import zoo
from zoo import callbacks, datasets
from zoo.nn import distributions
from zoo.nn.layers import DiffAugment

backends = {  # on a CPU, TensorFlow is ahead of JAX at most networks that convolve
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}


def discriminator(data, model):
    """The paper's, behind augmentation that the generator's gradient passes through."""
    augmented = DiffAugment(("translation", "color"))
    return keras.Sequential([keras.Input(data.shape), augmented, model.discriminator(data)])


recipe = zoo.Recipe(
    model=zoo.model("dcgan", prior=distributions.StandardNormal(100)),
    networks={"discriminator": discriminator},
    dataset=datasets.CIFAR10(batch_size=64),
    optimizers={
        "discriminator": keras.optimizers.Adam(2e-4, beta_1=0.5),
        "generator": keras.optimizers.Adam(2e-4, beta_1=0.5),
    },
    ema=0.999,
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.TensorBoard(),
    ],
    epochs=3,
    seed=0,
)
