"""VAE on CIFAR-10, convolutional, with a discretized logistic likelihood.

    zoo run recipes/vae_cifar10.py
    zoo run recipes/vae_cifar10.py model.likelihood=normal

Colour pictures of 256 levels, whose probability has to be that of a level rather than a density:
nats divided by 3,072 log 2 are bits a dimension. Samples are blurred: the model knows colours and
layouts, and no objects.

Not measured on CIFAR-10 itself. On JPEG copies of 5,000 of its training pictures, with TensorFlow,
seed 0: a test ELBO of -15,591 nats after a tenth of the steps, which is 7.3 bits a dimension; 1,200
pictures/s on one CPU core, so six minutes for the whole.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics

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
    metrics=[metrics.ELBO(), metrics.LogLikelihood(samples=100)],
    epochs=8,
    seed=0,
)
