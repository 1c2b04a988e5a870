"""The same training as ``keras.Model.fit`` with a ``train_step`` for one backend.

As in Keras's own guides; pictures are float32 arrays in memory.
"""

from __future__ import annotations

import importlib

import keras

from benchmarks import cases
from benchmarks.clock import EPOCHS, Clock, Timer


def measure(case: cases.Case, clock: Clock) -> None:
    """Train at each turn of the clock."""
    steps = importlib.import_module(f"benchmarks.keras_fit.{keras.backend.backend()}")
    x = cases.pictures(case.pictures).astype("float32")
    adam = [keras.optimizers.Adam(case.rate, beta_1=case.beta_1) for _ in range(2)]
    if case.model == "vae":
        model, x = steps.VAE(**cases.networks(case)), x / 255
        model.compile(optimizer=adam[0])
    else:
        model = steps.GAN(**cases.networks(case), latent_dim=case.settings["prior"]["dimension"])
        model.compile(adam[0], adam[1])
        x = x / 127.5 - 1
    timer = Timer(clock, case.pictures, case.steps)
    model.fit(x, batch_size=case.batch_size, epochs=EPOCHS, callbacks=[timer], verbose=0)
