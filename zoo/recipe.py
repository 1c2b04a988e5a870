"""A recipe: one experiment, said in full."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from zoo.datasets.base import Dataset
from zoo.errors import ZooError, nearest, unknown
from zoo.plugin import Model
from zoo.settings import check_settings


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
    callbacks: Sequence[Any] = ()
    metrics: Sequence[Any] = ()
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
        if self.epochs < 1:
            raise ZooError(f"recipe.epochs is at least 1, not {self.epochs}")
        if self.ema is not None and not 0 <= self.ema < 1:
            raise ZooError(f"recipe.ema is a momentum in [0, 1), not {self.ema}")


def load(path: Path) -> Recipe:
    """Run a recipe file and return the ``recipe`` that it defines.

    Raises:
        ZooError: the file is missing, is not Python, fails, or defines no recipe.
    """
    try:
        source = path.read_bytes()
        code = compile(source, str(path), "exec")
    except OSError as error:
        raise ZooError(f"cannot read the recipe {path}: {error.strerror or error}") from error
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if getattr(error, "lineno", None) else ""
        raise ZooError(f"{path}{line}: not Python: {getattr(error, 'msg', error)}") from error
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    try:
        exec(code, module.__dict__)
    except ZooError as error:
        raise type(error)(f"{_place(path, error)}: {error}") from error
    except Exception as error:
        raise ZooError(f"{_place(path, error)}: {type(error).__name__}: {error}") from error
    names = [name for name in vars(module) if not name.startswith("_")]
    if "recipe" not in names:
        guess = nearest("recipe", names)
        raise ZooError(f"{path} defines no recipe{guess or ':'} end it with recipe = zoo.Recipe(...)")
    if not isinstance(module.recipe, Recipe):
        raise ZooError(
            f"{path}: recipe is {type(module.recipe).__name__}, and should be a zoo.Recipe"
        )
    return module.recipe


def _place(path: Path, error: Exception) -> str:
    """The file and the line of it that led to the error."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f"{path}, line {lines[-1]}" if lines else str(path)
