"""GAN on MNIST with dense networks (Goodfellow et al. 2014).

    zoo run recipes/gan_mnist.py
    zoo run recipes/gan_mnist.py model.adversarial=hinge epochs=5

What a GAN can do without convolutions. Measured with JAX, seed 0: 65.9% of 1,000 samples are
recognized with a confidence above 0.9, as 96.5% of real pictures are, and the rarest class has
4.3%; 198 s on two CPU cores that other work shared.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import distributions

backends = ("jax", "tensorflow", "torch")  # the fastest first

recipe = zoo.Recipe(
    model=zoo.model("gan", prior=distributions.StandardNormal(64), units=(256, 512)),
    dataset=datasets.MNIST(batch_size=128),
    optimizers={
        "discriminator": keras.optimizers.Adam(2e-4, beta_1=0.5),
        "generator": keras.optimizers.Adam(2e-4, beta_1=0.5),
    },
    callbacks=[
        callbacks.SampleGrid(every=5),
        callbacks.TensorBoard(),
    ],
    metrics=[metrics.Recognition()],
    epochs=40,
    seed=0,
)
