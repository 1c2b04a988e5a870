"""VAE on MNIST with a latent space of two dimensions, to look at.

    zoo run recipes/vae2d_mnist.py
    zoo run recipes/vae2d_mnist.py epochs=3

Two layers of 128 LeakyReLU units. Neighbouring codes make similar digits, and the classes lie
beside each other without gaps, at the cost of blurred digits: two numbers cannot say more.

Test ELBO -148.8 nats, the bound of 100 samples -146.2; 86 s with JAX on two CPU cores that did
other work as well (docs/lab/results.md).
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics

backends = ("jax", "tensorflow", "torch")  # the fastest first

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=2, units=(128, 128), activation="leaky_relu"),
    dataset=datasets.MNIST(batch_size=128, binarize="dynamic"),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    callbacks=[
        callbacks.LatentManifold(),
        callbacks.LatentScatter(),
        callbacks.Traversals(),
        callbacks.Interpolations(),
        callbacks.TensorBoard(),
    ],
    metrics=[metrics.ELBO(), metrics.LogLikelihood(samples=100)],
    epochs=20,
    seed=0,
)
