"""GAN on MNIST with the networks and settings of its authors (Goodfellow et al. 2014, section 5).

    zoo run published/gan_mnist --full
    zoo run published/gan_mnist --dry-run       # how long it would take on your machine

The paper says: a generator of rectified linear and sigmoid units, a discriminator of maxout units
trained with dropout. Their code for MNIST (goodfeli/adversarial, mnist.yaml) says the rest: normal
noise of 100 dimensions; 1,200, 1,200 and 784 units in the generator; two layers of 240 units of 5
pieces in the discriminator, dropout of 0.2 of its input and 0.5 behind; kernels uniform within 0.05
and within 0.005; batches of 100; SGD at 0.1, divided by 1.000004 each step, momentum 0.5; each half
of the discriminator's loss weighs 1/2.

Unlike there, momentum does not grow to 0.7 over 250 epochs, the last bias of the generator begins
at 0 rather than at the logits of the mean picture, and players move in turns, as in algorithm 1,
not at once. The number of epochs is open in both; 100 are ours. Published: 225 nats by a Parzen
window of 10,000 samples (table 1).

Measured with JAX, seeds 0, 1 and 2, after 12 of the 100 epochs: 67, 45 and 64 nats; 63.6%, 65.0%
and 58.6% of 1,000 samples are recognized, the rarest class has at least 1.6%. Seven to eight
minutes of one CPU core.
"""

import math

import keras
from keras import layers
from keras.initializers import RandomUniform

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import distributions

backends = ("jax", "tensorflow", "torch")


def generator(data, model):
    """From noise to pixels, in [-1, 1] as the zoo has them."""
    net = [keras.Input(model.prior.shape)]
    for units, activation in ((1200, "relu"), (1200, "relu"), (math.prod(data.shape), "sigmoid")):
        net.append(layers.Dense(units, activation, kernel_initializer=RandomUniform(-0.05, 0.05)))
    return keras.Sequential([*net, layers.Rescaling(2.0, -1.0), layers.Reshape(data.shape)])


def discriminator(data, model):
    """From pixels, taken back to [0, 1], to one logit."""
    net = [keras.Input(data.shape), layers.Flatten(), layers.Rescaling(0.5, 0.5)]
    net.append(layers.Dropout(0.2))
    for _ in range(2):
        kernel = RandomUniform(-0.005, 0.005)
        net += [zoo.nn.layers.Maxout(240, pieces=5, kernel_initializer=kernel), layers.Dropout(0.5)]
    return keras.Sequential(
        [*net, layers.Dense(1, kernel_initializer=RandomUniform(-0.005, 0.005))]
    )


def sgd():
    """Of each player."""
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=1 / 1.000004)
    return keras.optimizers.SGD(rate, momentum=0.5)


recipe = zoo.Recipe(
    model=zoo.model("gan", prior=distributions.StandardNormal(100)),
    dataset=datasets.MNIST(batch_size=100),
    networks={"generator": generator, "discriminator": discriminator},
    weights={"discriminator": {"real": 0.5, "fake": 0.5}},
    optimizers={"discriminator": sgd(), "generator": sgd()},
    callbacks=[
        callbacks.SampleGrid(every=10),
        callbacks.TensorBoard(every=10),
    ],
    metrics=[metrics.Recognition(), metrics.ParzenWindow()],
    epochs=100,
    seed=0,
)
