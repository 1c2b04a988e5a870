"""Contractive autoencoder (Rifai et al. 2011)."""

from __future__ import annotations

from dataclasses import dataclass

from keras import ops

import zoo
from zoo_ae import AE


@dataclass(frozen=True)
class ContractiveAE(AE):
    """Autoencoder whose codes change little where its input does.

    The term ``contraction`` is the squared Frobenius norm of the encoder's Jacobian J at the
    example (equations 1 and 6), estimated without bias by one random projection
    (Hutchinson 1990): for random signs v, the mean of ``||v J||^2`` is ``||J||^2``. It costs
    one gradient a step whatever the codes' dimension, and is exact where the gradients of the
    codes are orthogonal.

    Codes go through a sigmoid, as in the paper. Its decoder shares the encoder's weights, and
    this one, which may be of any depth, does not.
    """

    code_activation: str | None = "sigmoid"

    def weights(self):
        return {"autoencoder": {"contraction": 0.1}}

    def penalties(self, nets, x, code, rng):
        signs = ops.sign(rng.uniform(ops.shape(code), -1.0, 1.0))
        slope = zoo.gradient(lambda x: ops.sum(signs * self.encode(nets, x), axis=1), x)
        return {"contraction": zoo.nn.losses.squared_error(slope, 0.0)}
