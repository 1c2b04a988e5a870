"""Autoencoder on vectors: 100 numbers in 50, ReLU codes and sigmoid outputs.

    zoo run recipes/ae_vectors.py
    zoo run recipes/ae_vectors.py model.latent_dim=10

The smallest autoencoder, on data of its own, which show how to write a dataset in a recipe: 100
numbers in [0, 1] that depend on 10 others. The error is the sum over the 100.

Measured with JAX, seeds 0, 1 and 2: a squared error of 0.144 a test vector, in 9 s on a CPU core.
"""

from dataclasses import dataclass

import keras
import numpy as np

import zoo
from zoo import callbacks, datasets, metrics

backends = ("jax", "tensorflow", "torch")  # the fastest first


@dataclass(frozen=True)
class Vectors(zoo.Dataset):
    """100 sigmoids of random mixtures of 10 normal numbers."""

    n: int = 20_000

    def load(self, access=None):
        numbers = np.random.RandomState(0)  # whose numbers no release of NumPy changes
        mixing = numbers.normal(size=(10, 100))

        def split(n):
            values = 1 / (1 + np.exp(-numbers.normal(size=(n, 10)) @ mixing))
            return datasets.Split(values.astype("float32"))

        spec = zoo.DataSpec((100,))
        return datasets.Data("vectors", spec, split(self.n), split(2_000), split(2_000))


recipe = zoo.Recipe(
    model=zoo.model(
        "ae", latent_dim=50, units=(), code_activation="relu", output_activation="sigmoid"
    ),
    dataset=Vectors(batch_size=128),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    callbacks=[callbacks.TensorBoard()],
    metrics=[metrics.MSE()],
    epochs=20,
    seed=0,
)
