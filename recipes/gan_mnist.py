"""GAN on MNIST with dense networks (Goodfellow et al. 2014).

    zoo run recipes/gan_mnist.py
    zoo run recipes/gan_mnist.py model.adversarial=hinge epochs=5

What a GAN can do without convolutions. Its generator has batch normalization and noise of ten
Gaussians, rates fall to nothing, and samples are of averaged weights.

Measured with JAX, seed 0: 85.9% of 1,000 samples are recognized with a confidence above 0.9, as
96.6% of real pictures are, and the rarest class has 3.4%. Ten minutes on one CPU core. With 256
and 512 units, one Gaussian, constant rates of 2e-4, 40 epochs and nothing normalized or averaged it
was 65.9%; with ten Gaussians and averages 75.1%; with batch normalization too, 74.9% after 30
epochs.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import distributions

backends = ("jax", "tensorflow", "torch")  # the fastest first

EPOCHS = 60


def falling():
    """From 4e-4 to nothing over 430 steps an epoch: a dense network leaves grain."""
    return keras.optimizers.schedules.CosineDecay(4e-4, EPOCHS * 430)


recipe = zoo.Recipe(
    model=zoo.model(
        "gan",
        prior=distributions.NormalMixture(64, components=10),
        units=(512, 512),
        normalization="batch",
    ),
    dataset=datasets.MNIST(batch_size=128),
    optimizers={
        "discriminator": keras.optimizers.Adam(falling(), beta_1=0.5),
        "generator": keras.optimizers.Adam(falling(), beta_1=0.5),
    },
    callbacks=[
        callbacks.SampleGrid(every=5),
        callbacks.TensorBoard(),
    ],
    metrics=[metrics.Recognition()],
    ema=0.999,
    epochs=EPOCHS,
    seed=0,
)
