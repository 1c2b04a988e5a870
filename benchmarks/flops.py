"""How many floating-point operations a training step needs, counted from its networks.

Counted are the multiplications and additions of dense layers and convolutions, two operations per
pair. Not counted: biases, activations, normalization, noise, losses and optimizers. A backward pass
takes twice a forward pass, as it needs gradients of inputs and of weights, so both take three times
one; that the first layer needs no gradient of its input is left aside. XLA and cuDNN may make
fewer operations of the same convolution: the count is what the mathematics needs, not what runs.
"""

from __future__ import annotations

import math

from benchmarks import cases

FORWARD, INPUTS, BOTH = 1, 2, 3
"""Forward passes that a pass takes: forward; with gradients of inputs alone; with all gradients."""


MODELS = ("vae", "dcgan")
"""Those whose steps are counted."""


def of_step(case: cases.Case) -> float:
    """Operations of a training step of a VAE or a GAN."""
    one = {name: of_network(net) for name, net in cases.networks(case).items()}
    if case.model == "vae":
        each = BOTH * (one["encoder"] + one["decoder"])
    else:
        # its discriminator moves by real and by fake pictures, which take no gradient; then its
        # generator by other fakes, through a discriminator whose weights take no gradient
        each = FORWARD * one["generator"] + 2 * BOTH * one["discriminator"]
        each += BOTH * one["generator"] + INPUTS * one["discriminator"]
    return each * case.batch_size


def of_network(network) -> float:
    """Operations of a forward pass of one example through a Keras network."""
    return sum(_of_layer(layer) for layer in network._flatten_layers(include_self=False))


def _of_layer(layer) -> float:
    """Two for each weight of the kernel and each place where it is applied."""
    import keras
    from keras.src.layers.convolutional.base_conv import BaseConv
    from keras.src.layers.convolutional.base_conv_transpose import BaseConvTranspose

    if isinstance(layer, keras.layers.Dense):
        places = layer.output.shape[1:-1]
    elif isinstance(layer, BaseConv):
        places = _sides(layer, layer.output)
    elif isinstance(layer, BaseConvTranspose):  # which gives a patch for each place of its input
        places = _sides(layer, layer.input)
    else:
        return 0
    return 2 * math.prod(layer.kernel.shape) * math.prod(places)


def _sides(layer, tensor):
    last = layer.data_format == "channels_last"
    return tensor.shape[1:-1] if last else tensor.shape[2:]
