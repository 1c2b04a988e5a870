"""Wasserstein GAN with a gradient penalty on MNIST (Gulrajani et al. 2017).

    zoo run recipes/wgan_gp_mnist.py
    zoo run recipes/wgan_gp_mnist.py model.repeats=5

Three moves of the critic, each on a batch of its own, for one of the generator. Not yet measured.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics

backends = {  # on a CPU, JAX is slower than TensorFlow at convolutions
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}

recipe = zoo.Recipe(
    model=zoo.model("wgan_gp", latent_dim=64, filters=32, repeats=3),
    dataset=datasets.MNIST(batch_size=64),
    optimizers={
        "critic": keras.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.9),
        "generator": keras.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.9),
    },
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.TensorBoard(),
    ],
    metrics=[metrics.Recognition()],
    epochs=12,
    seed=0,
)
