"""How gradients are taken on each backend. Nothing else in the zoo imports a backend."""

from __future__ import annotations

import importlib

import keras

backend = importlib.import_module(f"zoo.engine.backends.{keras.backend.backend()}")
