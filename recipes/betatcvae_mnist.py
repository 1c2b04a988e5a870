"""beta-TCVAE on MNIST: dimensions of z that are independent (Chen et al. 2018).

    zoo run recipes/betatcvae_mnist.py
    zoo run recipes/betatcvae_mnist.py weights.autoencoder.total_correlation=0

The paper's beta = 6 is a weight of 5 here. With a weight of 0 it is a VAE that reports its total
correlation.

Measured with JAX, three seeds: a test ELBO of -123.2 nats, a bound of -112.8 with 100 samples; the
KL of seed 0 is 7.3. `total_correlation` ends at 100: its estimator is biased upwards by a constant
(equation 3), so only its changes mean something. Three minutes on one CPU core.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics

backends = ("jax", "tensorflow", "torch")  # the fastest first

recipe = zoo.Recipe(
    model=zoo.model("beta_tc_vae", latent_dim=10, units=(512, 256), dataset_size=55_000),
    dataset=datasets.MNIST(batch_size=128, binarize="dynamic"),
    weights={"autoencoder": {"total_correlation": 5.0}},  # beta - 1
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.ReconstructionGrid(),
        callbacks.TensorBoard(),
    ],
    metrics=[metrics.ELBO(), metrics.LogLikelihood(samples=100)],
    epochs=20,
    seed=0,
)
