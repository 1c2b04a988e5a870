"""pythae (Chadebec et al. 2022), with the networks that ``by_hand.torch.vae`` has."""

from __future__ import annotations

import contextlib
import logging
import tempfile

import torch
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback

from benchmarks import cases
from benchmarks.by_hand.torch import vae
from benchmarks.clock import EPOCHS, Clock


class Encoder(BaseEncoder):
    """The encoder by hand, as pythae has it answer."""

    def __init__(self, case):
        super().__init__()
        self.net = vae.Encoder(case)

    def forward(self, x):
        mean, log_var = self.net(x)
        return ModelOutput(embedding=mean, log_covariance=log_var)


class Decoder(BaseDecoder):
    """The decoder by hand; pythae's error is of probabilities."""

    def __init__(self, case):
        super().__init__()
        self.net = vae.decoder_of(case)

    def forward(self, z):
        return ModelOutput(reconstruction=torch.sigmoid(self.net(z)))


class Timer(TrainingCallback):
    """Reads the clock: an epoch is from its begin to its last step."""

    def __init__(self, case, clock: Clock):
        self.case, self.clock = case, clock

    def on_epoch_begin(self, training_config, **kwargs):
        self.steps = 0
        self.clock.begin()

    def on_train_step_end(self, training_config, **kwargs):
        self.clock.stepped()
        self.steps += 1
        if self.steps == self.case.steps:
            self.clock.end(self.case.pictures)

    def on_epoch_end(self, training_config, **kwargs):
        if not self.clock.again():
            raise _Enough


class _Enough(Exception):
    """What ends pythae's training early."""


def measure(case: cases.Case, clock: Clock) -> None:
    """Train at each turn of the clock."""
    logging.disable(logging.INFO)
    pictures = torch.from_numpy(cases.pictures(case.pictures)).permute(0, 3, 1, 2).contiguous()
    data = BaseDataset(pictures.float() / 255, torch.zeros(case.pictures))
    latent_dim = case.settings["latent_dim"]
    with tempfile.TemporaryDirectory() as folder:
        trainer = BaseTrainer(
            model=VAE(
                VAEConfig((1, 28, 28), latent_dim, reconstruction_loss="bce"),
                Encoder(case),
                Decoder(case),
            ),
            train_dataset=data,
            training_config=BaseTrainerConfig(
                output_dir=folder,
                per_device_train_batch_size=case.batch_size,
                num_epochs=EPOCHS,
                learning_rate=case.rate,
                optimizer_params={"eps": 1e-7},  # Keras's
                no_cuda=True,
            ),
            callbacks=[Timer(case, clock)],
        )
        with contextlib.suppress(_Enough):
            trainer.train()
