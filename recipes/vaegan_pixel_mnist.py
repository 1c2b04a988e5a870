"""VAE-GAN on MNIST, errors in pixels: reconstruction + beta KL + lambda adversarial.

    zoo run recipes/vaegan_pixel_mnist.py
    zoo run recipes/vaegan_pixel_mnist.py epochs=1 dataset.limit=5000
    zoo run recipes/vaegan_pixel_mnist.py weights.encoder.kl=2

Shows what the features of recipes/vaegan_mnist.py are for: the same model, compared in pixels.

Measured with TensorFlow, seeds 0, 1 and 2: 86.1%, 85.4% and 87.6% of 1,000 samples are recognized,
of each digit at least 7.5%, where `vaegan_mnist` has 88.3% on average; 96.6% of the test pictures
or more keep their label. Samples are decoded from a mixture fitted to the codes: from the prior,
and without averaged weights, 69.3% are recognized with seed 0, half of all taken for ones. Six to
twelve minutes of a CPU core, by what else it does.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import samplers

backends = {  # on a CPU, TensorFlow is ahead of JAX at most networks that convolve
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}

recipe = zoo.Recipe(
    model=zoo.model(
        "vaegan", latent_dim=16, filters=16, features=False, adversarial="non_saturating"
    ),
    dataset=datasets.MNIST(batch_size=64),
    weights={
        "encoder": {"kl": 1.0},  # beta
        "decoder": {"reconstructed": 10.0, "sampled": 10.0},  # lambda
    },
    optimizers={
        "encoder": keras.optimizers.Adam(2e-3, beta_1=0.5, epsilon=1e-5),
        "decoder": keras.optimizers.Adam(2e-3, beta_1=0.5, epsilon=1e-5),
        "discriminator": keras.optimizers.Adam(5e-4, beta_1=0.5, epsilon=1e-5),
    },
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.ReconstructionGrid(),
        callbacks.TensorBoard(),
    ],
    metrics=[metrics.Recognition(), metrics.LabelKept()],
    sampler=samplers.GaussianMixture(components=10),
    ema=0.99,
    epochs=5,
    seed=0,
)
