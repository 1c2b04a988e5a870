"""beta-VAE on MNIST with networks of the recipe's own (Higgins et al. 2017).

    zoo run recipes/betavae_mnist.py
    zoo run recipes/betavae_mnist.py weights.autoencoder.kl=1

A KL that costs four times as much leaves fewer of the 100 dimensions of z in use, each with
more of a meaning, and blurs what is reconstructed. The decoder is a Keras network that is
written here: so commands on its runs need --recipe recipes/betavae_mnist.py.

Measured with TensorFlow, three seeds: a test ELBO of -118.3 nats, a bound of -107.4 with 100
samples. Six minutes on one CPU core beside other work.
"""

import keras
from keras import layers

import zoo
from zoo import callbacks, datasets, metrics

backends = {  # on a CPU, TensorFlow is ahead of JAX at most networks that convolve
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}


def decoder(data, model):
    """From z to 256, 512 and 7 x 7, and transposed convolutions from there."""
    height, width, channels = data.shape
    small = (height // 4, width // 4, 32)
    return keras.Sequential(
        [
            keras.Input((model.latent_dim,)),
            layers.Dense(256, "silu"),
            layers.Dense(512, "silu"),
            layers.Dense(small[0] * small[1] * small[2], "silu"),
            layers.Reshape(small),
            layers.Conv2DTranspose(16, 4, 2, "same", activation="silu"),
            layers.Conv2DTranspose(channels, 4, 2, "same"),
        ]
    )


recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=100, units=(512, 256)),
    dataset=datasets.MNIST(batch_size=128, binarize="dynamic"),
    networks={"decoder": decoder},
    weights={"autoencoder": {"kl": 4.0}},  # beta
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.ReconstructionGrid(),
        callbacks.TensorBoard(),
    ],
    metrics=[metrics.ELBO(), metrics.LogLikelihood(samples=100)],
    epochs=10,
    seed=0,
)
