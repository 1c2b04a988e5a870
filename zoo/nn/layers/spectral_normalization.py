"""Spectral normalization."""

from __future__ import annotations

import keras
from keras import layers, ops

# where the kernel has its outputs; the other axes are the inputs of one of them
_OUTPUTS = {layers.Dense: -1, layers.Conv2D: -1, layers.Conv2DTranspose: -2}


@keras.saving.register_keras_serializable("zoo")
class SpectralNormalization(layers.Wrapper):
    """A layer whose kernel is divided by its largest singular value (Miyato et al. 2018).

    W_SN = W / sigma(W) (equation 8), sigma(W) = u^T W v with u and v from power iteration
    (algorithm 1): v = W^T u / |W^T u|, u = W v / |W v|. u and v count as constants, so the
    gradient of sigma with respect to W is u v^T (section 2.2). The bias is not divided.

    u is a weight that no optimizer moves; a pass in training goes on from where the last
    one left it. As with all statistics, a move keeps it for the networks it trains.

    Args:
        layer: a ``Dense``, ``Conv2D`` or ``Conv2DTranspose`` layer without an activation,
            which comes after it as a layer of its own.
        power_iterations: in each pass, at least 1.

    Raises:
        ValueError: another layer, one with an activation, or no power iterations.
    """

    def __init__(self, layer: layers.Layer, power_iterations: int = 1, **kwargs):
        super().__init__(layer, **kwargs)
        if type(layer) not in _OUTPUTS:
            accepted = ", ".join(kind.__name__ for kind in _OUTPUTS)
            raise ValueError(f"SpectralNormalization takes {accepted}, not {type(layer).__name__}")
        if layer.activation is not keras.activations.linear:
            raise ValueError(
                "SpectralNormalization takes a layer without activation: "
                "put layers.Activation after it"
            )
        if power_iterations < 1:
            raise ValueError(f"power_iterations is at least 1, not {power_iterations}")
        self.power_iterations = power_iterations
        self.u_initializer = keras.initializers.RandomNormal()  # u, by whose name it is redrawn

    def build(self, input_shape):
        super().build(input_shape)
        outputs = self.layer.kernel.shape[_OUTPUTS[type(self.layer)]]
        self.u = self.add_weight(
            shape=(outputs,),
            initializer=self.u_initializer,
            trainable=False,
            dtype="float32",
            name="u",
        )

    def call(self, inputs, training=False):
        sigma, u = self._power_iteration()
        if training:
            self.u.assign(u)
        # the layer is linear: this divides its kernel and not its bias
        return self.layer(inputs / ops.cast(sigma, inputs.dtype))

    def _power_iteration(self):
        """The kernel's largest singular value, and u after the iterations."""
        kernel = ops.cast(self.layer.kernel, "float32")
        kernel = ops.moveaxis(kernel, _OUTPUTS[type(self.layer)], -1)
        w = ops.reshape(kernel, (-1, kernel.shape[-1]))  # the transpose of the paper's W
        fixed, u = ops.stop_gradient(w), ops.convert_to_tensor(self.u)
        for _ in range(self.power_iterations):
            v = _unit(ops.matmul(fixed, u))
            u = _unit(ops.matmul(v, fixed))
        return ops.sum(ops.matmul(v, w) * u), u

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}


def _unit(x):
    return x * ops.rsqrt(ops.sum(ops.square(x)) + 1e-12)
