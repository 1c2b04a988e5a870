"""GAN on a grid of 25 Gaussians: how mode collapse looks.

    zoo run recipes/gan_grid.py

16.7 of 25 modes and 79.6% of high quality, the mean of three seeds; a minute each on one CPU core
(docs/lab/results.md).
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import distributions

backends = ("jax", "tensorflow", "torch")

recipe = zoo.Recipe(
    model=zoo.model("gan", prior=distributions.StandardNormal(2), units=(128, 128, 128)),
    dataset=datasets.Grid(batch_size=256, n=100_000),
    optimizers={
        "discriminator": keras.optimizers.Adam(1e-3, beta_1=0.5),
        "generator": keras.optimizers.Adam(1e-3, beta_1=0.5),
    },
    ema=0.999,
    callbacks=[
        callbacks.SampleGrid(every=5),
        callbacks.TensorBoard(every=5),
    ],
    metrics=[metrics.ModeCoverage()],
    epochs=40,
    seed=0,
)
