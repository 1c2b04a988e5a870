"""VAE on CIFAR-10, convolutional, with a discretized logistic likelihood.

    zoo run recipes/vae_cifar10.py
    zoo run recipes/vae_cifar10.py model.likelihood=normal

Colour pictures of 256 levels, whose probability has to be that of a level rather than a density:
nats divided by 3,072 log 2 are bits a dimension. Samples are blurred: the model knows colours and
layouts, and no objects.

Not measured on CIFAR-10 itself. On a JPEG copy of all its pictures, with TensorFlow, seed 0: a test
ELBO of -13,116 nats, which is 6.16 bits a dimension, and a bound of 100 samples of -13,078. The 16
epochs take 13 minutes on one CPU core. That copy is smoother than the data, so these figures
compare with no published ones. From a file of arrays:

    zoo run vae_cifar10 dataset=arrays dataset.path=cifar10.npz dataset.batch_size=128
"""

import keras

import zoo
from zoo import callbacks, datasets, features, metrics

backends = {  # on a CPU, TensorFlow is ahead of JAX at most networks that convolve
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}

recipe = zoo.Recipe(
    model=zoo.model(
        "vae",
        latent_dim=128,
        convolutional=True,
        filters=(32, 64, 128),
        likelihood="discretized_logistic",
    ),
    dataset=datasets.CIFAR10(batch_size=128),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.ReconstructionGrid(),
        callbacks.TensorBoard(),
    ],
    metrics=[
        metrics.ELBO(),
        metrics.LogLikelihood(samples=100),
        metrics.Frechet(space=features.Judge("classifier_cifar10")),
    ],
    epochs=16,
    seed=0,
)
