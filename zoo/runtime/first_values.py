"""What Keras's random initializers give, drawn by NumPy: the same numbers on every backend."""

from __future__ import annotations

import math

import keras
import numpy as np


def is_random(initializer) -> bool:
    """Whether Keras's initializer is one of those that are drawn here."""
    return isinstance(
        initializer,
        (
            keras.initializers.VarianceScaling,
            keras.initializers.RandomNormal,
            keras.initializers.RandomUniform,
            keras.initializers.TruncatedNormal,
            keras.initializers.Orthogonal,
        ),
    )


def draw(initializer, shape, fans, source):
    """What an initializer gives a weight of this shape and these ``fans``, float64."""
    config = initializer.get_config()
    match initializer:
        case keras.initializers.VarianceScaling():
            return _variance_scaling(initializer, shape, fans, source)
        case keras.initializers.RandomUniform():
            low, high = config["minval"], config["maxval"]
            return low + (high - low) * source.uniform(shape)
        case keras.initializers.TruncatedNormal():
            return config["mean"] + config["stddev"] * source.truncated(shape)
        case keras.initializers.RandomNormal():
            return config["mean"] + config["stddev"] * source.normal(shape)
        case _:
            return _orthogonal(config["gain"], shape, source)


def _variance_scaling(initializer, shape, fans, source):
    fan_in, fan_out = fans
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    variance = initializer.scale / max(1.0, fan[initializer.mode])
    if initializer.distribution == "uniform":
        return np.sqrt(3 * variance) * (2 * source.uniform(shape) - 1)
    if initializer.distribution == "untruncated_normal":
        return np.sqrt(variance) * source.normal(shape)
    # a normal cut at two deviations has this standard deviation, which is divided out
    return np.sqrt(variance) / 0.87962566103423978 * source.truncated(shape)


def fans(layer, initializer, shape):
    """Inputs and outputs of a unit, as Keras counts them."""
    into = getattr(initializer, "input_axes", None)
    out = getattr(initializer, "output_axes", None)
    if isinstance(layer, keras.layers.EinsumDense) and None in (into, out):
        operands, result = layer.equation.split("->")
        kernel = operands.split(",")[1]
        into = [axis for axis, label in enumerate(kernel) if label not in result]
        out = [axis for axis, label in enumerate(kernel) if label in result]
    if into is not None and out is not None:
        return math.prod(shape[axis] for axis in into), math.prod(shape[axis] for axis in out)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    receptive = math.prod(shape[:-2])
    return shape[-2] * receptive, shape[-1] * receptive


def _orthogonal(gain, shape, source):
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    q, r = np.linalg.qr(source.normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return gain * (q if rows >= columns else q.T).reshape(shape)
