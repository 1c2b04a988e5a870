"""DCGAN on MNIST (Radford et al. 2016).

    zoo run recipes/dcgan_mnist.py
    zoo run recipes/dcgan_mnist.py epochs=1 dataset.limit=5000

Its networks are InfoGAN's (Chen et al. 2016, table 1): 4 x 4 kernels, and a dense layer between
maps and vectors. The paper's own are those of `recipes/published/dcgan_mnist.py`.

Its noise is of ten Gaussians: with one, 84.7% of the samples are recognized
(docs/how-to/problems.md).

Measured with TensorFlow, seeds 0, 1 and 2: 89.7%, 91.2% and 89.9% of 1,000 samples are recognized
with a confidence above 0.9, as 96.6% of real pictures are, and each class has at least 8.5%; 208 s
on two CPU cores at rest, and up to 16 minutes of one on a slower and busy machine.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import distributions, networks

backends = {  # on a CPU, TensorFlow is ahead of JAX at most networks that convolve
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}

STYLE = networks.Style(
    "silu",  # smooth: near the kinks of ReLU, rounding drives backends apart
    "batch",
    initializer=keras.initializers.RandomNormal(stddev=0.02),
)


def generator(data, model):
    """The dense layer shows it the whole: the smallest maps are of 7 x 7."""
    return networks.generator(
        shape=model.prior.shape, units=(512,), filters=(64, 32), outputs=data.shape, style=STYLE
    )


def discriminator(data, model):
    """The generator's mirror image."""
    return networks.discriminator(shape=data.shape, filters=(32, 64), units=(512,), style=STYLE)


recipe = zoo.Recipe(
    model=zoo.model("dcgan", prior=distributions.NormalMixture(100, components=10)),
    networks={"generator": generator, "discriminator": discriminator},
    dataset=datasets.MNIST(batch_size=64),
    # epsilon: with Adam's usual 1e-7, weights whose gradient is mere rounding move as far as
    # the others, and the backends drift apart five times faster
    optimizers={
        "discriminator": keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-5),
        "generator": keras.optimizers.Adam(1e-3, beta_1=0.5, epsilon=1e-5),
    },
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.TensorBoard(),
    ],
    metrics=[metrics.Recognition()],
    epochs=6,
    ema=0.99,
    seed=0,
)
