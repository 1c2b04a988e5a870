"""DCGAN on CIFAR-10, 32 x 32 pictures in colour (Radford et al. 2016).

    zoo run recipes/dcgan_cifar10.py
    zoo run recipes/dcgan_cifar10.py epochs=100  # on a GPU

The generator has twice the discriminator's rate. Kernels have 4 pixels a side, twice the stride:
with 5, some pixels are painted more often than their neighbours. Its budget is what a CPU can do:
samples have the colours, layouts and edges of the data, and no objects that one could name.

Trained on a JPEG copy of all of CIFAR-10, with TensorFlow, seed 0, in 48 minutes on one CPU core:
Frechet distance 12.8 in the features of `classifier_cifar10`, where real training pictures have
1.45, the same blurred 26.4, and samples of `vae_cifar10` 35.8. From a file of arrays:

    zoo run dcgan_cifar10 dataset=arrays dataset.path=cifar10.npz dataset.batch_size=64
"""

import keras

import zoo
from zoo import callbacks, datasets, features, metrics
from zoo.nn import distributions

backends = {  # on a CPU, TensorFlow is ahead of JAX at most networks that convolve
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}


recipe = zoo.Recipe(
    model=zoo.model("dcgan", prior=distributions.StandardNormal(100), kernel=4),
    dataset=datasets.CIFAR10(batch_size=64),
    optimizers={
        "discriminator": keras.optimizers.Adam(2e-4, beta_1=0.5),
        "generator": keras.optimizers.Adam(4e-4, beta_1=0.5),
    },
    ema=0.99,
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.TensorBoard(),
    ],
    metrics=[metrics.Frechet(space=features.Judge("classifier_cifar10"))],
    epochs=13,
    seed=0,
)
