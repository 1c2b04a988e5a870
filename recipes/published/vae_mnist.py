"""VAE on MNIST with the networks and settings of its paper (Kingma & Welling 2014, section 5).

    zoo run published/vae_mnist --full
    zoo run published/vae_mnist model.latent_dim=3 --full   # figure 2 has 3, 5, 10, 20 and 200
    zoo run published/vae_mnist optimizers.autoencoder.learning_rate=0.02 --full

Known: 500 tanh units in encoder and decoder, a Bernoulli decoder, one draw of z per picture,
batches of 100, weights that begin as draws of N(0, 0.01), Adagrad whose step size is 0.01, 0.02 or
0.1. Figure 2 shows the bound over training, up to some 10^8 pictures; no table has it as a number.

Left open there: which step size figure 2 has (0.01 here); whether pixels are drawn or gray (drawn
anew each epoch here); whether 0.01 is a variance (so here) or a standard deviation. Their weak
prior on the weights is left out. 150 epochs are ours; 10^8 pictures are 1,818 epochs.

Measured with JAX, three seeds: an ELBO of -104.2 nats, a bound of -100.3 with 100 samples
(docs/lab/results.md). Ten to thirteen minutes of one CPU core.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import distributions, networks

backends = ("jax", "tensorflow", "torch")  # the fastest first


def style():
    """Of both networks; variance 0.01."""
    return networks.Style("tanh", initializer=keras.initializers.RandomNormal(stddev=0.1))


def encoder(data, model):
    """From a picture to the parameters of q(z|x)."""
    return networks.encoder(
        shape=data.shape,
        units=model.units,
        outputs=distributions.Normal.parameters((model.latent_dim,)),
        style=style(),
    )


def decoder(data, model):
    """From z to the logits of the pixels."""
    return networks.decoder(
        shape=(model.latent_dim,),
        units=model.units,
        outputs=distributions.Bernoulli.parameters(data.shape),
        style=style(),
    )


recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=20, units=(500,), activation="tanh"),
    dataset=datasets.MNIST(batch_size=100, binarize="dynamic"),
    networks={"encoder": encoder, "decoder": decoder},
    optimizers={
        "autoencoder": keras.optimizers.Adagrad(0.01, initial_accumulator_value=0.0),
    },
    callbacks=[
        callbacks.SampleGrid(every=10),
        callbacks.ReconstructionGrid(every=10),
        callbacks.TensorBoard(every=10),
    ],
    metrics=[metrics.ELBO(), metrics.LogLikelihood(samples=100)],
    epochs=150,
    seed=0,
)
