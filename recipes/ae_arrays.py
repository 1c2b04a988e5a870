"""Autoencoder on your arrays, pictures or vectors, with networks that fit their size.

    zoo run ae_arrays dataset.path=examples.npz
    zoo run ae_arrays dataset.path=examples.npy model.latent_dim=8

An `.npz` archive holds `x` and perhaps `y`, an `.npy` file is the `x`: uint8 pictures, or floats.
Pictures whose sides halve evenly are convolved; all else goes through dense layers. A code has
`latent_dim` numbers, or half as many as an example where that is fewer. Samples are decoded from a
mixture of Gaussians fitted to the codes.

The squared error is of the numbers as they are: scale the columns of a table alike before.
"""

import math

import keras

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import networks, samplers

backends = {  # on a CPU, TensorFlow is ahead of JAX at most networks that convolve
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}


def code(data, model):
    """Numbers in a code."""
    return min(model.latent_dim, max(1, math.prod(data.shape) // 2))


def encoder(data, model):
    """Examples to codes."""
    filters, units = networks.fitted(data.shape, units=model.units)
    return networks.encoder(
        shape=data.shape,
        filters=filters,
        units=units,
        outputs=code(data, model),
        style=networks.Style(model.activation),
    )


def decoder(data, model):
    """The encoder's mirror image."""
    filters, units = networks.fitted(data.shape, units=model.units)
    return networks.decoder(
        shape=(code(data, model),),
        filters=filters[::-1],
        units=units[::-1],
        outputs=data.shape,
        style=networks.Style(model.activation),
        activation=model.output_activation,
    )


recipe = zoo.Recipe(
    model=zoo.model("ae", latent_dim=32, units=(256, 128)),
    networks={"encoder": encoder, "decoder": decoder},
    dataset=datasets.Arrays("examples.npz", batch_size=64),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    callbacks=[callbacks.ReconstructionGrid(), callbacks.TensorBoard()],
    metrics=[metrics.MSE()],
    sampler=samplers.GaussianMixture(components=10),
    epochs=30,
    seed=0,
)
