"""DCGAN on a folder of your pictures, with networks that fit their size.

    zoo run dcgan_folder dataset.path=photos
    zoo run dcgan_folder dataset.path=photos dataset.size=32 epochs=100

Its samples have sharper edges than those of `vae_folder`, and more faults; it needs more pictures
and longer, and does not encode. Real and generated pictures are augmented alike on their way into
the discriminator (Zhao et al. 2020), as a discriminator learns a small folder by heart.

On 980 landscapes that `python -m benchmarks.photos` draws, with TensorFlow, seed 0: 434 s of
processor time.
"""

import keras

import zoo
from zoo import callbacks, datasets
from zoo.nn import distributions
from zoo.nn.layers import DiffAugment

backends = {  # on a CPU, TensorFlow is ahead of JAX at most networks that convolve
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}


def discriminator(data, model):
    """The paper's, behind augmentation that the generator's gradient passes through."""
    augmented = DiffAugment(("translation", "color"))
    return keras.Sequential([keras.Input(data.shape), augmented, model.discriminator(data)])


recipe = zoo.Recipe(
    model=zoo.model("dcgan", prior=distributions.StandardNormal(64), filters=32),
    networks={"discriminator": discriminator},
    dataset=datasets.Folder("photos", size=64, batch_size=32),
    optimizers={
        "discriminator": keras.optimizers.Adam(2e-4, beta_1=0.5),
        "generator": keras.optimizers.Adam(2e-4, beta_1=0.5),
    },
    ema=0.99,
    callbacks=[callbacks.SampleGrid(), callbacks.TensorBoard()],
    epochs=60,
    seed=0,
)
