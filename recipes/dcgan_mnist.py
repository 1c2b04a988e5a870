"""DCGAN on MNIST (Radford et al. 2016).

    zoo run recipes/dcgan_mnist.py
    zoo run recipes/dcgan_mnist.py epochs=1 dataset.limit=5000

Dense layers between maps and vectors and batch norm in the discriminator, as InfoGAN has them (Chen
et al. 2016).

Its noise is of ten Gaussians: of one, 84.7% of the samples are recognized (docs/problems.md).

Measured with TensorFlow, seeds 0, 1 and 2: 90.3%, 91.2% and 88.4% of 1,000 samples are recognized
with a confidence above 0.9, as 96.5% of real pictures are, and each class has at least 7.6%; 208 s
on two CPU cores.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import distributions

backends = {  # on a CPU, TensorFlow is ahead of JAX at most networks that convolve
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}

recipe = zoo.Recipe(
    model=zoo.model(
        "dcgan",
        prior=distributions.NormalMixture(100, components=10),
        filters=32,
        kernel=4,
        units=(512,),
        activation="silu",  # smooth: near the kinks of ReLU, rounding drives backends apart
    ),
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
