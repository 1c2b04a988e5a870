"""What checks work on: a plugin's model, built once and put back after each use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from zoo import datasets, random
from zoo.engine.backends import backend
from zoo.engine.model import build
from zoo.engine.nets import Nets
from zoo.errors import ZooError
from zoo.plugin import posterior, views
from zoo.plugin.model import Batch
from zoo.runtime.blame import blaming
from zoo.runtime.keras_compat import pure
from zoo.testing.checks import standin
from zoo.testing.checks.cases import Case, examples, usual_data
from zoo.testing.checks.outcomes import Skipped

if TYPE_CHECKING:
    from zoo.datasets import Data
    from zoo.engine.model import GenerativeModel
    from zoo.plugin.model import DataSpec

N = 4  # examples a batch
RATE = 0.01


class Bench:
    """One case, and what is made of it for all checks.

    Models run eagerly, since compiling a small one takes far longer than running it: what
    is compiled is checked by itself, once.
    """

    def __init__(self, case: Case):
        self.case = case
        self.plugin: Any = case.plugin

    @cached_property
    def data(self) -> DataSpec:
        """What the model is built for."""
        return self.case.data or usual_data(self.plugin)

    # --- models

    def build(self, seed: int = 0, *, eager: bool = True, optimizer=None) -> GenerativeModel:
        """A new model, compiled with SGD for each player unless told otherwise."""
        model = build(self.plugin, self.data, seed=seed)
        make = optimizer or (lambda: keras.optimizers.SGD(RATE))
        model.compile(optimizers={p: make() for p in model.players}, run_eagerly=eager)
        if model.can("adapt"):
            model.adapt(*self.given(16))
        return model

    @cached_property
    def _model(self) -> tuple[GenerativeModel, list]:
        model = self.built()
        return model, [(v, numbers(v)) for v in state(model)]

    def built(self, seed: int = 0) -> GenerativeModel:
        """A new model, where a check is of something else than that it builds.

        Raises:
            Skipped: it does not build, which ``builds`` tells.
        """
        try:
            return self.build(seed)
        except ZooError as error:
            raise Skipped("not tried: it does not build") from error

    @property
    def model(self) -> GenerativeModel:
        """The model in its initial state, whatever was done to it before."""
        model, initial = self._model
        for variable, value in initial:
            variable.assign(value)
        return model

    @cached_property
    def compiled_losses(self) -> list[float]:
        """The losses of three steps on one batch, compiled as ``fit`` does."""
        model = self.build(eager=False)
        for variable, start in zip(state(model), state(self.model), strict=True):
            variable.assign(numbers(start))
        return [self.step(model)["loss"] for _ in range(3)]

    @cached_property
    def compiled_samples(self) -> np.ndarray:
        """What ``model.sample`` gives for the initial weights, ``(4, *data.shape)``."""
        return self.model.sample(N, seed=1, labels=self.batch(N)[1])

    def batch(self, n: int, place: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Examples of the first source and labels, n of them from a place on."""
        x, y = examples(place + n, self.data.shape)
        return x[place:], y[place:]

    def given(self, n: int, place: int = 0) -> tuple[Any, np.ndarray]:
        """What ``fit`` takes, n examples from a place on: x, or a dict of sources; and labels."""
        x, y = self.batch(n, place)
        if not self.data.sources:
            return x, y
        shapes = enumerate(self.data.sources.items())
        return {name: examples(place + n, s, i)[0][place:] for i, (name, s) in shapes}, y

    def step(self, model: GenerativeModel, place: int = 0) -> dict[str, float]:
        """One training step on a batch; its logs."""
        x, y = self.given(N * model.repeats, place * N * model.repeats)
        logs = model.train_on_batch(x, y, return_dict=True)
        return {name: float(value) for name, value in logs.items()}

    def terms(
        self, model: GenerativeModel, n: int = N, first: int = 0, *, training: bool = True
    ) -> dict[str, np.ndarray]:
        """What the losses return for n examples from a place on: ``{"player/term": array}``."""
        return self.evaluated(model, n, first, training=training)[0]

    def evaluated(
        self,
        model: GenerativeModel,
        n: int,
        first: int = 0,
        *,
        training: bool,
        change: Callable[[Batch], Batch] = lambda batch: batch,
    ):
        """The terms, and what the losses would have assigned, as ``{id(variable): value}``."""
        batch = change(model.batch_of(self.given(n, first)))
        nets = Nets(model.networks, training, model.where, model.data)
        found, assigned = {}, {}
        for move, _ in model.described_moves():
            rng = random.Generator(model.seed, "check", 0, first, backend.draws_on_host)

            def loss(move=move, rng=rng):
                with random.scope(rng), blaming(f"{model.where}.{move.name}"):
                    return move.loss(nets, batch, rng)

            returned, changed = pure(loss)
            assigned.update(changed)
            for player, own in returned.items():
                for term, value in own.items():
                    found[f"{player}/{term}"] = numbers(ops.convert_to_tensor(value))
        return found, assigned

    def require_built(self) -> None:
        """Skip a check of a model that does not build, before it says something else."""
        _ = self._model

    def require_finite_terms(self) -> None:
        """Skip a check of what is finite later on, where it is not in the first place."""
        if not all(np.isfinite(value).all() for value in self.terms(self.model).values()):
            raise Skipped("terms are not finite from the start: another check says so")

    # --- abilities, as the plugin's methods give them

    def call(
        self,
        ability: str,
        *,
        n: int = N,
        seed: int = 1,
        model=None,
        given=None,
        chosen=None,
        **options,
    ) -> np.ndarray:
        """An ability, called on n examples without compiling it.

        Args:
            ability: its name.
            n: how many examples, or samples.
            seed: of the noise.
            model: whose networks; by default the model of the bench.
            given: codes to decode.
            chosen: labels in place of the examples' own.
            options: given to the method.
        """
        model = model or self.model
        labels = self.batch(n)[1]
        first = model.batch_of(self.given(n)).x
        purpose = "log_likelihood 0" if ability == "log_likelihood" else ability  # as compiled
        rng = random.Generator(seed, purpose, 0, 0, backend.draws_on_host)
        labels = ops.convert_to_tensor(labels if chosen is None else chosen)
        positional = {
            "sample": (n, rng),
            "latent": (),
            "decode": (None if given is None else ops.convert_to_tensor(given),),
            "log_likelihood": (first, rng),
        }.get(ability, (first,))
        nets = Nets(model.networks, False, model.where, model.data)
        with random.scope(rng), blaming(f"{model.where}.{ability}"):
            out = self.plugin.given_labels(ability, labels, nets, *positional, **options)
            if ability in ("latent", "posterior"):
                out = out.sample(rng, n)
        if not hasattr(out, "shape"):
            raise ZooError(
                f"{model.where}.{ability} returned {type(out).__name__}; it returns one tensor"
            )
        return numbers(out)

    def posterior(self) -> dict[str, np.ndarray]:
        """Mean, draw and log density of the draw, of the posterior of N examples."""
        model, labels = self.model, ops.convert_to_tensor(self.batch(N)[1])
        x, where = model.batch_of(self.given(N)).x, f"{model.where}.posterior"
        rng = random.Generator(1, "posterior", 0, 0, backend.draws_on_host)
        nets = Nets(model.networks, False, model.where, model.data)
        with random.scope(rng), blaming(where):
            q = posterior.check(self.plugin.given_labels("posterior", labels, nets, x), where)
            z = q.sample(rng)
            found = {"mean": q.mean, "draw": z, "log_prob": q.log_prob(z)}
        return {name: numbers(tensor) for name, tensor in found.items()}

    def view(self, name: str, n: int = N, seed: int = 1) -> dict[str, np.ndarray]:
        """A view of the plugin's own, of n examples or rows and not compiled: its columns."""
        model, view = self.model, views.find(self.plugin, name)
        labels = ops.convert_to_tensor(self.batch(n)[1])
        batch = model.batch_of(self.given(n))
        sources = dict(batch.sources)
        first = {"examples": batch.x, "batch": sources, "noise": ops.arange(n, dtype="int32")}
        key = ops.convert_to_tensor(random.key(seed, f"view {name}"))
        out = model._applied("view", key, 0, first.get(view.inputs), labels, of=name)
        return {k: numbers(v) for k, v in (out if isinstance(out, dict) else {name: out}).items()}

    @cached_property
    def working(self) -> tuple[str, ...]:
        """The abilities that do not fail; those that do have checks of their own."""
        found = []
        for ability in self.plugin.abilities:
            try:
                if self.plugin.can(ability) and ability != "decode":
                    out = self.call(ability)
                elif self.plugin.can(ability) and "encode" in found:
                    out = self.call(ability, given=self.call("encode"))
                else:
                    continue
            except ZooError:
                continue
            if out.shape[:1] == (N,) and (ability != "encode" or out.ndim == 2):
                found.append(ability)
        return tuple(found)

    def abilities(self, model=None) -> dict[str, np.ndarray]:
        """What the abilities give that work."""
        found: dict[str, np.ndarray] = {}
        for ability in self.working:
            found[ability] = self.call(ability, model=model, given=found.get("encode"))
        return found

    # --- datasets, metrics and feature spaces

    @cached_property
    def loaded(self) -> Data:
        """The data of a dataset.

        Raises:
            Skipped: they do not load, which ``loads`` tells.
        """
        try:
            data = self.plugin.load()
        except Exception as error:
            raise Skipped("not tried: it does not load") from error
        if not isinstance(data, datasets.Data):
            raise Skipped("not tried: it does not load what it should")
        return data

    def measured(self):
        """What a metric measures on a small untrained model, of the first data that it takes."""
        refusals = []
        for data in standin.data():
            try:
                self.plugin.check(data)
                metric = self.plugin.prepare(data, datasets.Access(), None)
            except ZooError as error:
                refusals.append(str(error))
                continue
            return metric.measure(standin.model(data.spec), data, seed=0)
        raise Skipped(f"it takes none of the data here: {'; '.join(refusals)}")

    @cached_property
    def extractor(self):
        """What a feature space loads, for pictures of digits, and 4 of them, uint8."""
        data = next(standin.data())
        try:
            self.plugin.check(data)
            space = self.plugin.prepare(data, datasets.Access(), None)
        except ZooError as error:
            raise Skipped(f"it does not take the data here: {error}") from error
        return space.load(data), data.test.x[:N]


def state(model: GenerativeModel) -> list:
    """All that a step changes: weights, statistics, optimizers, metrics."""
    everything = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return list({id(v): v for v in everything}.values())


def numbers(tensor: Any) -> np.ndarray:
    """A copy of a tensor or variable as a NumPy array."""
    return np.array(ops.convert_to_numpy(tensor))
