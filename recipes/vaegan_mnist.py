"""VAE-GAN on MNIST: errors in the features of a discriminator (Larsen et al. 2016).

    zoo run recipes/vaegan_mnist.py
    zoo run recipes/vaegan_mnist.py epochs=1 dataset.limit=5000
    zoo run recipes/vaegan_mnist.py model.margin=0.4  # the gate of the authors' code

Shows one model that samples like a GAN and encodes like a VAE: three players that move at once.
The discriminator holds its own against samples, so the decoder's loss is the non-saturating one.

Measured with TensorFlow, seeds 0, 1 and 2: 89.6%, 87.9% and 87.4% of 1,000 samples are recognized
with a confidence above 0.9, as 96.6% of real pictures are; each class has at least 6.5%; 96.0% of
the test pictures' reconstructions or more keep their label. 8 to 20 minutes of a CPU core, by what
else it does.
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
    model=zoo.model("vaegan", latent_dim=16, filters=32, adversarial="non_saturating"),
    dataset=datasets.MNIST(batch_size=64),
    weights={
        "encoder": {"kl": 4.0},  # the features of a narrow network are many, and far apart
        "decoder": {"reconstruction": 0.01},  # gamma
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
    # the codes fill the prior unevenly: a mixture fitted to them samples better than the prior
    sampler=samplers.GaussianMixture(components=10),
    ema=0.99,
    epochs=4,
    seed=0,
)
