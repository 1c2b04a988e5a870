"""VAE on a folder of your pictures, with networks that fit their size.

    zoo run vae_folder dataset.path=photos
    zoo run vae_folder dataset.path=photos dataset.size=32
    zoo run vae_folder dataset.path=photos model.conditional=true   # of class folders

Pictures of any size and mode are cut to 64 x 64 (`dataset.size`, `dataset.fit`). Convolutions
halve them while their sides are even and above 4 (docs/tutorials/own-data.md). Samples are decoded
from a mixture of Gaussians fitted to the codes: few pictures do not fill the prior.

Measured with TensorFlow, seed 0, on 980 landscapes that `python -m benchmarks.photos` draws: a PSNR
of 27.3 dB on 98 test pictures; 196 s of processor time.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics
from zoo.nn import distributions, networks, samplers

backends = {  # on a CPU, TensorFlow is ahead of JAX at most networks that convolve
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}


def given(data, model):
    """What both networks share: as many convolutions as fit, and the model's own settings."""
    filters, units = networks.fitted(data.shape, units=model.units)
    classes = data.classes if model.conditional else 0
    return filters, units, {"num_classes": classes, "style": networks.Style(model.activation)}


def encoder(data, model):
    """Pictures to the mean and the scale of a code."""
    filters, units, others = given(data, model)
    outputs = distributions.Normal.parameters((model.latent_dim,))
    return networks.encoder(
        shape=data.shape, filters=filters, units=units, outputs=outputs, **others
    )


def decoder(data, model):
    """The encoder's mirror image."""
    filters, units, others = given(data, model)
    p = distributions.likelihood(model.likelihood)
    return networks.decoder(
        shape=(model.latent_dim,),
        filters=filters[::-1],
        units=units[::-1],
        outputs=p.parameters(data.shape, shared_scale=True),
        **others,
    )


recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=32, likelihood="discretized_logistic"),
    networks={"encoder": encoder, "decoder": decoder},
    dataset=datasets.Folder("photos", size=64, batch_size=16),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    callbacks=[
        callbacks.SampleGrid(),
        callbacks.ReconstructionGrid(),
        callbacks.TensorBoard(),
    ],
    metrics=[metrics.ELBO(), metrics.PSNR()],
    sampler=samplers.GaussianMixture(components=5),
    epochs=50,
    seed=0,
)
