"""A recipe: one experiment, said in full."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import keras

from zoo.errors import CodeFailed, ZooError, nearest, unknown
from zoo.nn.samplers import GaussianMixture
from zoo.plugin import limits
from zoo.plugin.dataset import Dataset
from zoo.plugin.metric import Metric
from zoo.plugin.model import Model
from zoo.plugin.serialization import plain
from zoo.plugin.settings import check_settings
from zoo.runtime.keras import pinned


@dataclass(frozen=True)
class Recipe:
    """What is trained on what, and how.

    Attributes:
        model: such as ``zoo.model("vae", latent_dim=16)``.
        dataset: such as ``zoo.datasets.MNIST(batch_size=128)``.
        optimizers: ``{player: Keras optimizer or its name}``, one for each player.
        epochs: passes over the training examples, at least 1.
        weights: ``{player: {term: number or schedule}}``; where silent, the model's own.
        networks: ``{name: factory(data, model)}`` in place of the model's own networks.
        callbacks: of ``zoo.callbacks`` or ``keras.callbacks``.
        metrics: of ``zoo.metrics``, measured on the test examples after training.
        sampler: such as ``zoo.nn.samplers.GaussianMixture(10)``, fitted to the codes of the
            training examples after training; the run then samples from it.
        augment: Keras layers, such as ``keras.layers.RandomFlip("horizontal")``, that change
            training examples at random, anew each epoch; labels stay, and so do all sources
            but the first: leave out what moves a picture where it has a mask.
        ema: momentum of a moving average of the weights, with which the model is
            validated, sampled and evaluated; None for no average.
        precision: ``"float32"``, ``"mixed_bfloat16"`` or ``"mixed_float16"``.
        seed: of everything random. One seed is one experiment.

    Raises:
        ZooError: a value of another type, an optimizer missing or for a player that does
            not exist, epochs below 1.
    """

    model: Model
    dataset: Dataset
    optimizers: Mapping[str, Any]
    epochs: int
    weights: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    networks: Mapping[str, Callable] = field(default_factory=dict)
    callbacks: Sequence[keras.callbacks.Callback] = ()
    metrics: Sequence[Metric] = ()
    sampler: GaussianMixture | None = None
    augment: Sequence[keras.layers.Layer] = ()
    ema: float | None = None
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    seed: int = 0

    def __post_init__(self):
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        for name, value in check_settings(type(self), values, where="recipe").items():
            object.__setattr__(self, name, value)
        players = self.model.players()
        for player in self.optimizers:
            if player not in players:
                raise unknown("player", player, players, where="recipe.optimizers")
        missing = [player for player in players if player not in self.optimizers]
        if missing:
            raise ZooError(f"recipe.optimizers: none for player {', '.join(map(repr, missing))}")
        if self.augment and getattr(self.dataset, "binarize", None) == "fixed":
            raise ZooError(
                "recipe.augment changes pictures, and binarize='fixed' draws them once before "
                "that: take binarize='dynamic', which draws what is augmented"
            )
        limits.check_count(self, "epochs", 1, where="recipe")
        for name in ("model", "dataset", "metrics", "sampler"):
            limits.check_counts({name: plain(getattr(self, name))}, "recipe")
        if self.ema is not None and not 0 <= self.ema < 1:
            raise ZooError(f"recipe.ema is a momentum in [0, 1), not {self.ema}")


@pinned()
def load(path: Path) -> Recipe:
    """Run a recipe file and return the ``recipe`` that it defines.

    Its optimizers and layers are made with Keras's own defaults, whatever the process is set to.

    Raises:
        ZooError: the file is missing, is not Python, fails, or defines no recipe.
    """
    try:
        source = path.read_bytes()
        code = compile(source, str(path), "exec")
    except OSError as error:
        raise ZooError(f"cannot read the recipe {path}: {error.strerror or error}") from error
    except (SyntaxError, ValueError, RecursionError) as error:
        number = getattr(error, "lineno", None)
        line = f", line {number}" if number else ""
        raise ZooError(f"{path}{line}: not Python: {getattr(error, 'msg', error)}") from error
    module = ModuleType(f"<recipe {path.stem}>")  # a name that no import can have
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look their annotations up there
    try:
        exec(code, module.__dict__)
    except ZooError as error:
        raise type(error)(f"{_place(path, error)}: {error}") from error
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}{_keyword(source, module, path, error)}"
        raise CodeFailed(f"{_place(path, error)}: {reason}") from error
    if "recipe" not in vars(module):
        others = [name for name, value in vars(module).items() if isinstance(value, Recipe)]
        hint = f"name {others[0]!r} so" if others else "end it with recipe = zoo.Recipe(...)"
        raise ZooError(f"{path} defines no recipe: {hint}")
    if not isinstance(module.recipe, Recipe):
        kind = type(module.recipe).__name__
        raise ZooError(f"{path}: recipe is of type {kind}, and should be a zoo.Recipe")
    return module.recipe


def _line(path: Path, error: BaseException) -> int | None:
    """The line of the recipe that led to the error."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return lines[-1] if lines else None


def _place(path: Path, error: BaseException) -> str:
    line = _line(path, error)
    return f"{path}, line {line}" if line else str(path)


def _keyword(source: bytes, module: ModuleType, path: Path, error: BaseException) -> str:
    """The nearest spelling for a keyword that was refused; Python tells it from 3.13 on."""
    refused = re.search(r"unexpected keyword argument '(\w+)'$", str(error))
    line = _line(path, error)
    if not (isinstance(error, TypeError) and refused and line):
        return ""
    for call in ast.walk(ast.parse(source)):
        if not (isinstance(call, ast.Call) and call.lineno <= line <= (call.end_lineno or 0)):
            continue
        if any(keyword.arg == refused[1] for keyword in call.keywords):
            try:
                called = eval(ast.unparse(call.func), module.__dict__)
                return nearest(refused[1], inspect.signature(called).parameters)
            except Exception:  # a suggestion is not worth an error
                return ""
    return ""
