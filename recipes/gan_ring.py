"""GAN on a ring of eight Gaussians: how mode collapse looks.

    zoo run recipes/gan_ring.py

8 of 8 modes and 88.9% of high quality, the mean of three seeds; a minute of processor time each
(docs/lab/results.md). Modes are also counted every 5 epochs: results.json has the best and the last
count, TensorBoard the curve.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import distributions

backends = ("jax", "tensorflow", "torch")

recipe = zoo.Recipe(
    model=zoo.model("gan", prior=distributions.StandardNormal(2), units=(128, 128, 128)),
    dataset=datasets.Ring(batch_size=256, n=100_000),
    optimizers={
        "discriminator": keras.optimizers.Adam(1e-3, beta_1=0.5),
        "generator": keras.optimizers.Adam(1e-3, beta_1=0.5),
    },
    ema=0.999,
    callbacks=[
        callbacks.SampleGrid(every=5),
        callbacks.Measure([metrics.ModeCoverage()], every=5),
        callbacks.TensorBoard(every=5),
    ],
    metrics=[metrics.ModeCoverage()],
    epochs=40,
    seed=0,
)
