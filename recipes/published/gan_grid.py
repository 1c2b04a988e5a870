"""GAN and PacGAN on 25 Gaussians on a grid, by the protocol of the PacGAN paper.

    zoo run published/gan_grid --full
    zoo run published/gan_grid model.packing=2 --full   # PacGAN2

Published: 17.3 of 25 modes and 94.8% of high quality; packed in twos, 23.8 and 91.3%;
in fours, 24.8 and 93.6% (Lin et al. 2018, table 1, means of ten runs).

Their setting: 100,000 points in batches of 100, 400 epochs, Adam at 1e-4 with beta_1 0.8; noise of
two dimensions; a generator of four layers of 400 units with batch norm and ReLU; a discriminator
of three layers of 200 maxout units of 5 pieces. Of 2,500 samples, one is of high quality within 3
standard deviations of a mode, and a mode counts with at least one such sample.

Not measured, but of the same size as `published/gan_ring`, which takes some 80 minutes on one CPU
core.
"""

import keras
from keras import layers

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import distributions

backends = ("jax", "tensorflow", "torch")


def discriminator(data, model):
    """Three layers of maxout units, on packs of examples."""
    net = [keras.Input(zoo.nn.layers.Packed.shape(data.shape, model.packing))]
    net += [zoo.nn.layers.Maxout(200, pieces=5) for _ in range(3)]
    return zoo.nn.layers.Packed(keras.Sequential([*net, layers.Dense(1)]), model.packing)


recipe = zoo.Recipe(
    model=zoo.model(
        "pacgan",
        packing=1,
        prior=distributions.StandardNormal(2),
        units=(400, 400, 400, 400),
        normalization="batch",
        activation="relu",
    ),
    networks={"discriminator": discriminator},
    dataset=datasets.Grid(batch_size=100, n=100_000),
    optimizers={
        "discriminator": keras.optimizers.Adam(1e-4, beta_1=0.8),
        "generator": keras.optimizers.Adam(1e-4, beta_1=0.8),
    },
    callbacks=[
        callbacks.SampleGrid(every=20),
        callbacks.TensorBoard(every=20),
    ],
    metrics=[metrics.ModeCoverage(samples=2500)],
    epochs=400,
    seed=0,
)
