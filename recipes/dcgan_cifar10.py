"""DCGAN on CIFAR-10, 32 x 32 pictures in colour, with DiffAugment (Zhao et al. 2020).

    zoo run recipes/dcgan_cifar10.py
    zoo run recipes/dcgan_cifar10.py model.conditional=True

Shows a colour model and augmentation that the generator's gradient passes through. Meant for
a GPU. Not yet measured.
"""

import keras

import zoo
from zoo import callbacks, datasets

backends = {  # on a CPU, JAX is slower than TensorFlow at these convolutions
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}

recipe = zoo.Recipe(
    model=zoo.model("dcgan", dropout=0.0, spectral=True, augmentation=("translation", "color")),
    dataset=datasets.CIFAR10(batch_size=64),
    optimizers={
        "discriminator": keras.optimizers.Adam(2e-4, beta_1=0.5),
        "generator": keras.optimizers.Adam(2e-4, beta_1=0.5),
    },
    ema=0.999,
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.TensorBoard(),
    ],
    epochs=5,
    seed=0,
)
