"""Sparse autoencoder: an L1 penalty on the codes."""

from __future__ import annotations

from dataclasses import dataclass

from keras import ops

from zoo_ae import AE


@dataclass(frozen=True)
class SparseAE(AE):
    """Autoencoder whose codes are mostly zero.

    The term ``sparsity`` is the L1 norm of an example's code, the negative logarithm of a
    Laplace prior (Goodfellow et al. 2016, section 14.2.1). Codes go through a ReLU, since
    only what is clipped is exactly zero.
    """

    code_activation: str | None = "relu"

    def weights(self):
        return {"autoencoder": {"sparsity": 0.1}}

    def penalties(self, nets, x, code, rng):
        return {"sparsity": ops.sum(ops.abs(code), axis=1)}
