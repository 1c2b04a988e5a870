"""It imports a backend, if only in a function that is hardly ever called."""

from dataclasses import dataclass

from tests.broken.sound import Small


@dataclass(frozen=True)
class Partial(Small):
    """An autoencoder with a helper for PyTorch alone."""

    def helper(self, x):
        import torch

        return torch.relu(x)


plugin = Partial()
