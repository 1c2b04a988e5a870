"""DCGAN on MNIST (Radford et al. 2016).

    zoo run recipes/dcgan_mnist.py
    zoo run recipes/dcgan_mnist.py epochs=1 dataset.limit=5000

Some twelve minutes with TensorFlow on two CPU cores (docs/results.md). The discriminator has to
stay ahead of the generator only a little: its loss settles near 1.25, chance being 1.39.
"""

import keras

import zoo
from zoo import callbacks, datasets

backends = {  # on a CPU, JAX is far slower than the others at convolutions
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}

recipe = zoo.Recipe(
    # no dropout, as in the paper. silu and not its leaky_relu: a kink lets rounding decide, for
    # the whole of a flat background at once, and the backends drift apart (docs/randomness.md)
    model=zoo.model("dcgan", latent_dim=100, filters=64, dropout=0.0, activation="silu"),
    dataset=datasets.MNIST(batch_size=64),
    optimizers={
        "discriminator": keras.optimizers.Adam(2e-4, beta_1=0.5),
        "generator": keras.optimizers.Adam(2e-4, beta_1=0.5),
    },
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.TensorBoard(),
    ],
    epochs=12,
    seed=0,
)
