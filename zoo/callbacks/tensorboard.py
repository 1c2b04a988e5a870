"""TensorBoard: all that a run tells of itself while it trains."""

from __future__ import annotations

import ast
import contextlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.callbacks import insides, projector, updates
from zoo.callbacks.base import Callback
from zoo.callbacks.events import FINAL, VALIDATION, Events, fenced, table
from zoo.callbacks.guide import GUIDE
from zoo.callbacks.means import Means
from zoo.callbacks.speed import Speed
from zoo.plugin import limits

PICTURES = {"posterior": 500, "traversals": 10, "interpolations": 8, "manifold": 20}
"""Kinds of picture that this callback adds to those of the run, and of how many examples."""

SETS = 4  # of pictures and histograms in a run, about
LOOKS = 25  # at the weights before and after a step, in a run, about


@dataclass(eq=False)
class TensorBoard(Callback):
    """Writes what TensorBoard shows of a run: ``zoo board`` opens it.

    At about ``points`` steps of a run:

    - ``{player}/{term}``, ``{player}/loss`` and ``loss``: means since the point before. Those of
      validation have the same tags, in the folder ``validation`` below the run, so that both stand
      in one chart. Validation has a point per epoch, and so has what other callbacks measure.

    At about 25 steps of a run, for each player:

    - ``gradient_norm/{player}``, ``weight_norm/{player}``, ``update_ratio/{player}``: see
      ``zoo/callbacks/updates.py``
    - ``updates_per_step/{player}``: how often it moved, which is what a move's ``repeat`` and
      ``when`` decide
    - ``learning_rate/{player}``

    Every ``every`` epochs and after the last one:

    - images: ``samples`` of the same noise, ``reconstructions``, and where the model makes them
      ``posterior``, ``traversals``, ``interpolations``, ``manifold``, its own views, and those of
      the recipe's other callbacks
    - histograms of ``weights``, of ``codes`` beside the prior, of the KL of each latent dimension,
      and of what a discriminator says of real and of fake examples (``logits``)
    - ``codes/active_dimensions``, and the codes with pictures and labels for the Projector

    The text page has the recipe, the environment and how to read all this. HParams has the settings
    of the run, and as ``final/...`` what was measured at its end.

    It changes nothing of the training. ``keras.callbacks.TensorBoard`` would import TensorFlow on
    every backend; this does on none.

    Args:
        every: epochs from one set of images and histograms to the next; None for about four sets.
        points: points that a curve of the training has, about.
        codes: validation examples whose codes are shown; 0 for none.
    """

    every: int | None = None
    points: int = 200
    codes: int = 500

    # Keras on JAX would otherwise wait for every step, because of on_train_batch_end.
    async_safe = True

    def __post_init__(self):
        super().__init__()
        if self.every is not None:
            limits.check_count(self, "every", 1, where="callbacks.TensorBoard")
        limits.check_count(self, "points", 1, where="callbacks.TensorBoard")
        limits.check_count(self, "codes", 0, limits.MOST_SHOWN, where="callbacks.TensorBoard")
        self._events: Any = None
        self._speed, self._means = Speed(), Means()
        self._moves: dict[str, Any] = {}
        self._before: dict[str, updates.Before] | None = None
        self._step = 0

    def on_train_begin(self, logs=None):
        context = self.bound()
        self._events = events = Events(context.run.events)
        self._means = Means()
        self._moves = {"made": 0, **self._moves_so_far()}
        total = context.epochs * context.steps
        self._point = max(1, total // self.points)
        self._look = max(1, total // LOOKS)
        self._epochs = self.every or -(-context.epochs // SETS)
        self._before = None
        for kind, n in PICTURES.items():
            context.kinds.setdefault(kind, n)
        self._charted = False
        # whatever is of step 0 a resumed run writes anew
        events.settings({key: _plain(value) for key, value in context.settings.items()})
        source = context.recipe_text
        events.text("recipe", "\n\n".join([_docstring(source), fenced(source, "python")]).strip())
        events.text("environment", table(_environment(context), ("what", "value")))
        events.text("guide", GUIDE)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        if self._before:  # Keras swaps averages in and out by sums, which round
            self._ready(epoch * self.bound().steps)
        self._means.begin()
        self._speed.begin()

    def on_train_batch_end(self, batch, logs=None):
        context = self.bound()
        self._speed.step(batch)
        self._step = step = self._epoch * context.steps + batch + 1
        if step % self._point and batch + 1 < context.steps:
            return
        logs = dict(logs or {})
        seen = min((batch + 1) * context.batch_size, len(context.data.train))
        skipped = float(logs.pop("skipped", 0.0))
        terms = self._means.since(logs, max(seen - skipped * context.batch_size, 0.0))
        self._chart(terms)
        for name, value in terms.items():
            self._events.scalar(name, value, step)

    # --- looks at the model, which training makes room for

    def next_look(self, made):
        """The end of each step that is looked at, and the end of the one before."""
        if self._before is None:  # before the first step; fit, which makes no room, never asks
            self._ready(made)
        every = self._look
        return min(made + every - made % every, made + every - (made + 1) % every)

    def on_look(self, made):
        """Compare the players before and after a step."""
        if made % self._look == 0:
            for player, before in (self._before or {}).items():
                for name, value in before.after().items():
                    self._events.scalar(f"{name}/{player}", value, made)
            self._count_moves(made)
            self._write_rates(made)
        self._ready(made)

    def _ready(self, made):
        """Keep the players as they are before a step that is looked at."""
        self._before = {}
        if (made + 1) % self._look == 0:
            optimizers, groups = self.model.optimizer.by_player, self.model.optimizer.groups
            self._before = {p: updates.Before(o, groups[p]) for p, o in optimizers.items()}

    def _moves_so_far(self):
        return {p: updates.moves(o) for p, o in self.model.optimizer.by_player.items()}

    def _count_moves(self, made):
        now, steps = self._moves_so_far(), made - self._moves["made"]
        for player, moves in now.items():
            if steps > 0:
                share = (moves - self._moves.get(player, 0)) / steps
                self._events.scalar(f"updates_per_step/{player}", share, made)
        self._moves = {"made": made, **now}

    def _write_rates(self, step):
        for player, optimizer in self.model.optimizer.by_player.items():
            self._events.scalar(f"learning_rate/{player}", updates.rate(optimizer), step)

    # --- the end of an epoch

    def on_epoch_end(self, epoch, logs=None):
        context, events = self.bound(), self._events
        step = epoch * context.steps + self._speed.steps
        for name, value in (logs or {}).items():
            if name.startswith("val_"):
                events.scalar(name.removeprefix("val_"), value, step, VALIDATION)
            # Keras's learning rate callbacks put this among the terms
            elif not name.startswith("learning_rate"):
                events.scalar(name, value, step)  # unless its last steps are written already
        self._write_rates(step)
        if (speed := self._speed.per_second) is not None:
            events.scalar("speed/examples_per_second", speed * context.batch_size, step)
        last = epoch + 1 == context.epochs or self.model.stop_training
        if (epoch + 1) % self._epochs == 0 or last:
            self._draw(epoch, step)

    def _draw(self, epoch, step):
        context, model, events = self.bound(), self.model, self._events
        for kind in context.kinds:
            image = context.picture(kind, model, epoch)
            if image is not None:
                events.image(kind, image, step)
        for name, values in insides.weights(model):
            events.histogram(f"weights/{name}", values, step)
        some = context.validation.some(self.codes) if self.codes else None
        if some is None or not len(some):
            return
        for name, real, fake in insides.logits(model, some):
            events.histogram(f"logits/{name}/real", real, step)
            events.histogram(f"logits/{name}/fake", fake, step)
        found = insides.codes(model, some)
        if found is None:
            return
        events.histogram("codes/examples", found.z, step)
        if model.can("latent"):
            labels = some.y if model.plugin.conditional else None
            events.histogram("codes/prior", model.draw(len(some), labels=labels), step)
        if found.kl is not None:
            events.histogram("codes/kl_per_dimension", found.kl, step)
        events.scalar("codes/active_dimensions", found.active, step)
        names = getattr(context.data, "class_names", None) or ()
        projector.write(context.run.events, found.z, some.y, some.x, names)

    def on_results(self, results):
        """Write what was measured when training was over, for HParams."""
        context = self.bound()
        self._events = events = Events(context.run.events)
        found = {f"test/{name}": value for name, value in results.get("test", {}).items()}
        found |= {name: about["value"] for name, about in results.get("metrics", {}).items()}
        for name, value in found.items():
            if isinstance(value, (int, float)):
                events.scalar(f"{FINAL}/{name}", value, self._step)
        events.ended()
        self.close()

    def get_state(self):
        """For checkpoints: what the next point depends on."""
        return {"means": self._means.get_state(), "moves": self._moves, "step": self._step}

    def set_state(self, state):
        """Take up what ``get_state`` gave."""
        self._means.set_state(state["means"])
        self._moves, self._step = dict(state["moves"]), state["step"]
        self._ready(self._step)
        # a run that is resumed once more from the same checkpoint writes this step anew
        self._events.text("resumed", f"Resumed after step {self._step:,}.", self._step + 1)

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        if self._events is not None:
            self._events.close()
            self._events = None

    def _chart(self, terms):
        """Say once which curves belong together."""
        if self._charted or not terms:
            return
        self._charted = True
        players = list(self.model.optimizer.by_player)
        losses = [f"{p}/loss" for p in players if f"{p}/loss" in terms]
        charts = {"which player wins": {"losses": losses}} if losses else {}
        charts["which term grows"] = {
            player: own
            for player in players
            if (own := [name for name in terms if name.startswith(f"{player}/")])
        }
        charts["whose gradient vanishes"] = {
            name.replace("_", " "): [f"{name}/{player}" for player in players]
            for name in ("gradient_norm", "update_ratio", "weight_norm", "updates_per_step")
        }
        charts["how fast it learns"] = {"learning rate": [f"learning_rate/{p}" for p in players]}
        self._events.charts({group: own for group, own in charts.items() if own})


def _plain(value: Any) -> float | str:
    """A setting as HParams has it: a number where it is one."""
    with contextlib.suppress(ValueError):
        return float(value)
    return str(value)


def _docstring(source: str) -> str:
    """What a recipe says of itself."""
    with contextlib.suppress(SyntaxError, ValueError):
        return ast.get_docstring(ast.parse(source)) or ""
    return ""


def _environment(context: Any) -> list[tuple[str, str]]:
    about: Mapping[str, Any] = context.about
    said = {"run": context.run.name, "data": context.data.name, **about}
    return [(name, str(value)) for name, value in said.items()] + [("system", platform.platform())]
