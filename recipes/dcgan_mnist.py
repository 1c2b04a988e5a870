"""DCGAN on MNIST (Radford et al. 2016).

    zoo run recipes/dcgan_mnist.py
    zoo run recipes/dcgan_mnist.py epochs=1 dataset.limit=5000

At most 15 minutes with TensorFlow on two CPU cores. model.dropout=0.0 dataset.batch_size=64
epochs=12 makes better digits in like time, at the cost of parity (docs/results.md).
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics

backends = {  # on a CPU, JAX is slower than TensorFlow at convolutions
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}

recipe = zoo.Recipe(
    model=zoo.model(
        "dcgan",
        latent_dim=100,
        filters=32,
        hidden=(512,),
        normalization="batch",
        activation="silu",  # smooth: at the kinks of ReLU, rounding drives backends apart
        dropout=0.0,
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
    epochs=5,
    ema=0.99,
    seed=0,
)
