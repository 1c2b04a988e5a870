"""Small trainings of every kind, to stop and go on with; also run as processes to be killed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np

import zoo
from zoo import callbacks, datasets
from zoo.datasets import Access, Data
from zoo.nn.distributions import StandardNormal
from zoo.runs.checkpoints import Store

QUIET = Access(say=lambda line: None)
STEPS = 4  # an epoch
ADAM = {"learning_rate": 1e-3, "beta_1": 0.5}


@dataclasses.dataclass(frozen=True)
class Few(datasets.Digits):
    """A few digits, of which an epoch has four steps."""

    examples: int = 64

    def load(self, access=QUIET):
        data = super().load(access)
        parts = data.train.first(self.examples), data.validation.first(20), data.test.first(20)
        return Data("digits", data.spec, *parts)


def recipe(name: str, **changes) -> zoo.Recipe:
    """One of several kinds, with all that a checkpoint has to carry somewhere among them."""
    models = {
        "vae": zoo.model("vae", latent_dim=2, units=(8,)),
        "even_vae": zoo.model("vae", latent_dim=2, units=(8,)),
        "dcgan": zoo.model("dcgan", filters=2, prior=StandardNormal(4)),
        "wgan_gp": zoo.model("wgan_gp", filters=2, prior=StandardNormal(4), repeats=2),
        "vaegan": zoo.model("vaegan", filters=2, latent_dim=4),
        "vqvae": zoo.model("vqvae", filters=(4, 8), residuals=1, codes=8, dimension=2),
        "mmd_vae": zoo.model("mmd_vae", latent_dim=2, units=(8,)),
        "beta_tc_vae": zoo.model("beta_tc_vae", latent_dim=2, units=(8,)),
        "free_bits_vae": zoo.model("free_bits_vae", latent_dim=2, units=(8,)),
        "pacgan": zoo.model("pacgan", units=(8,), prior=StandardNormal(4), packing=3),
    }
    model = models[name]
    size = 8 if name == "vae" else 16
    batch = {
        "vae": {"batch_size": 17, "binarize": "dynamic"},
        "even_vae": {"size": 8, "binarize": "dynamic"},
        "wgan_gp": {"batch_size": 8},
    }
    settings = {
        "model": model,
        "dataset": Few(**{"size": size, "batch_size": 16} | batch.get(name, {})),
        "optimizers": {player: keras.optimizers.Adam(**ADAM) for player in model.players()},
        "epochs": 2,
        "callbacks": [
            callbacks.TensorBoard(),
            callbacks.Checkpoint(every="1 step"),
            keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=100),
        ],
    }
    if name == "vae":
        settings["ema"] = 0.9
        settings["weights"] = {"autoencoder": {"kl": zoo.nn.schedules.WarmUp(9)}}
        settings["callbacks"].append(keras.callbacks.EarlyStopping("val_loss", patience=9))
    if name == "dcgan":
        settings["augment"] = [keras.layers.RandomTranslation(0.1, 0.1)]
    return zoo.Recipe(**(settings | changes))


class Killed(BaseException):
    """What no code of the training catches, as it cannot catch SIGKILL."""


class KillAt(keras.callbacks.Callback):
    """Breaks a training off before a step of all, or after the epochs when it is evaluated."""

    def __init__(self, step):
        super().__init__()
        self.left = step

    def on_train_batch_begin(self, batch, logs=None):
        if self.left == 0:
            raise Killed
        self.left -= 1


def end(run) -> dict[str, np.ndarray]:
    """All that the last checkpoint of a run holds."""
    return dict(Store(run.checkpoints).newest().arrays)


def train(of: zoo.Recipe, folder: Path, **options):
    return zoo.train(of, runs_folder=str(folder), access=QUIET, **options)


def stopped(of: zoo.Recipe, folder: Path, step: int, error=Killed):
    """The run of a training that was killed when so many steps were made."""
    begun = []
    broken = dataclasses.replace(of, callbacks=[*of.callbacks, KillAt(step)])
    try:
        train(broken, folder, begun=begun.append)
    except error:
        return begun[0]
    raise AssertionError("it was not stopped")
