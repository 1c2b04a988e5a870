"""VAE 784-400-z40 on fixed binarized MNIST, whose published bound is -89.9 nats.

    zoo run published/vae_mnist_likelihood
    zoo run published/vae_mnist_likelihood epochs=50

The protocol of pythae (Chadebec et al. 2022), which reports -89.78 nats for it and -89.9 as the
reference, that of Rezende & Mohamed 2015: one hidden layer of 400 ReLU units, Adam at 1e-4,
batches of 100, 500 epochs, the bound of 200 importance samples on the test set. Unlike there,
pixels are drawn from the recipe's seed rather than read from the file of Larochelle & Murray 2011,
training has 55,000 pictures rather than 50,000, and the weights are those of the last epoch
rather than of the best one in validation.

Not yet measured to its end.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics

backends = ("jax", "tensorflow", "torch")  # the fastest first

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=40, hidden=(400,), activation="relu"),
    dataset=datasets.MNIST(batch_size=100, binarize="fixed"),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-4)},
    callbacks=[
        callbacks.SampleGrid(every=100),
        callbacks.ReconstructionGrid(every=100),
        callbacks.TensorBoard(every=50),
    ],
    metrics=[metrics.ELBO(), metrics.LogLikelihood(samples=200)],
    epochs=500,
    seed=0,
)
