"""``train_step`` with ``backward``."""

from __future__ import annotations

import torch

from benchmarks.keras_fit import common


def _move(optimizer, weights):
    with torch.no_grad():
        optimizer.apply([w.value.grad for w in weights], weights)


class VAE(common.VAE):
    """As Keras's guide on customizing fit with PyTorch."""

    def train_step(self, data):
        self.zero_grad()
        loss = self(data, training=True)
        loss.backward()
        _move(self.optimizer, self.trainable_variables)
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}


class GAN(common.GAN):
    """As Keras's guide has a GAN on PyTorch."""

    def train_step(self, data):
        n = data.shape[0]
        with torch.no_grad():
            fake = self.generator(self.noise(n), training=True)
        self.zero_grad()
        loss = self.discriminate(data, fake)
        loss.backward()
        _move(self.other, self.discriminator.trainable_variables)
        self.zero_grad()
        self.generate(n).backward()
        _move(self.optimizer, self.generator.trainable_variables)
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}
