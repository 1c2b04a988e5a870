"""DCGAN on MNIST with the networks and settings of its paper (Radford et al. 2016, section 4).

    zoo run published/dcgan_mnist --full

Uniform noise of 100 dimensions, 128 and 64 filters, 5 x 5 kernels, batches of 128, Adam at 2e-4
with beta_1 0.5 for both players. The paper trains on pictures of 64 x 64 and gives no number for
MNIST.

Measured with TensorFlow, seed 0: 66.6% of 1,000 samples are recognized, of each digit at least 6.0%
(docs/lab/results.md). Some 70 minutes on two CPU cores beside other work.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics

backends = {  # on a CPU, TensorFlow is ahead of JAX at most networks that convolve
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}

recipe = zoo.Recipe(
    model=zoo.model("dcgan"),
    dataset=datasets.MNIST(batch_size=128),
    optimizers={
        "discriminator": keras.optimizers.Adam(2e-4, beta_1=0.5),
        "generator": keras.optimizers.Adam(2e-4, beta_1=0.5),
    },
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.TensorBoard(),
    ],
    metrics=[metrics.Recognition()],
    epochs=10,
    seed=0,
)
