"""GAN and PacGAN on 25 Gaussians on a grid, by the protocol of the PacGAN paper.

    zoo run published/gan_grid --full
    zoo run published/gan_grid model.packing=2 dataset.batch_size=200 dataset.n=200_000 --full

Published: 17.3 of 25 modes and 94.8% of high quality; packed in twos, 23.8 and 91.3%;
in fours, 24.8 and 93.6% (Lin et al. 2018, table 1, means of ten runs).

Their setting: 100,000 points in batches of 100, 400 epochs, Adam at 1e-4 with beta_1 0.8; noise of
two dimensions; a generator of four layers of 400 units with batch norm and ReLU; a discriminator
of three layers of 200 maxout units of 5 pieces. Of 2,500 samples, one is of high quality within 3
standard deviations of a mode, and a mode counts with at least one such sample.

The paper leaves these open; they are as in the authors' code (fjxmlzn/PacGAN): both players move at
once, on the same samples; kernels begin as N(0, 0.02^2); batch norm has epsilon 1e-4 and momentum
0.95, and samples are made by its moving averages; Adam's epsilon is 1e-8; a batch is of 100 packs.
The second command packs in twos, which is PacGAN2. There the generator makes one member of all
packs at a time, which its batch norm sees; here all members at once.

Measured with JAX, seeds 0, 1 and 2, at a tenth of the budget (epochs=40): 16, 22 and 16 of 25
modes, but only 26.0%, 73.1% and 40.4% of high quality. Packed in twos, seed 0: 25 modes and 40.6%
(docs/lab/results.md). Ten minutes of one CPU core, packed eleven.
"""

import keras
from keras import layers

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import distributions

backends = ("jax", "tensorflow", "torch")

NORMAL = keras.initializers.RandomNormal(stddev=0.02)


def generator(data, model):
    """Four layers with batch norm."""
    net = [keras.Input(model.prior.shape)]
    for units in model.units:
        net += [layers.Dense(units, use_bias=False, kernel_initializer=NORMAL)]
        net += [layers.BatchNormalization(momentum=0.95, epsilon=1e-4), layers.ReLU()]
    return keras.Sequential([*net, layers.Dense(data.shape[0], kernel_initializer=NORMAL)])


def discriminator(data, model):
    """Three layers of maxout units, on packs of examples."""
    net = [keras.Input(zoo.nn.layers.Packed.shape(data.shape, model.packing))]
    net += [zoo.nn.layers.Maxout(200, 5, kernel_initializer=NORMAL) for _ in range(3)]
    net += [layers.Dense(1, kernel_initializer=NORMAL)]
    return zoo.nn.layers.Packed(keras.Sequential(net), model.packing)


def adam():
    """Of each player."""
    return keras.optimizers.Adam(1e-4, beta_1=0.8, epsilon=1e-8)


recipe = zoo.Recipe(
    model=zoo.model(
        "pacgan",
        packing=1,
        prior=distributions.StandardNormal(2),
        units=(400, 400, 400, 400),
        simultaneous=True,
    ),
    networks={"generator": generator, "discriminator": discriminator},
    dataset=datasets.Grid(batch_size=100, n=100_000),
    optimizers={"discriminator": adam(), "generator": adam()},
    callbacks=[
        callbacks.SampleGrid(every=20),
        callbacks.Measure([metrics.ModeCoverage(samples=2500)], every=2),
        callbacks.TensorBoard(every=20),
    ],
    metrics=[metrics.ModeCoverage(samples=2500)],
    epochs=400,
    seed=0,
)
