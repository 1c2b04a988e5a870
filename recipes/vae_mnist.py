"""VAE on MNIST, dense, dynamically binarized (Kingma & Welling 2014).

    zoo run recipes/vae_mnist.py
    zoo run recipes/vae_mnist.py epochs=3 model.latent_dim=8

About two minutes with JAX on two CPU cores that do other work as well. Test ELBO -95.9 nats,
the bound of 100 samples -92.0 (docs/lab/results.md).
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics

backends = ("jax", "tensorflow", "torch")  # the fastest first

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=16, units=(512, 256)),
    dataset=datasets.MNIST(batch_size=128, binarize="dynamic"),
    weights={"autoencoder": {"reconstruction": 1.0, "kl": 1.0}},  # kl above 1: a beta-VAE
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.ReconstructionGrid(),
        callbacks.TensorBoard(),
    ],
    metrics=[metrics.ELBO(), metrics.LogLikelihood(samples=100)],
    epochs=20,
    seed=0,
)
