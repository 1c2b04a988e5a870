"""What a trained model can do, NumPy in and out: sample, reconstruct, encode, decode, ..."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops, tree

from zoo import random
from zoo.engine.backends import backend
from zoo.engine.distributed import sharing
from zoo.engine.nets import Nets
from zoo.errors import ZooError
from zoo.plugin import pixels, posterior, promises, views
from zoo.reports.pictures import shown
from zoo.runtime.blame import blaming

if TYPE_CHECKING:
    from zoo.nn.samplers import Sampler

CHUNK = 1000  # examples that an ability works on at once, at most
_VALUES = 1 << 20  # numbers in all of these: fewer examples where they are large
_DRAWS = 6400  # importance samples of all examples that are worked on at once


class Inference:
    """The abilities of a model's plugin, compiled and called in chunks.

    Attributes:
        sampler: a ``zoo.nn.samplers.Sampler`` fitted to the codes of this model, which then
            samples in place of the plugin; None for none.
    """

    sampler: Sampler | None = None

    def can(self, ability: str) -> bool:
        """Whether the model has an ability such as ``"sample"``."""
        return self.plugin.can(ability) or (ability == "sample" and self.sampler is not None)

    def able(self, sampler: bool = False) -> list[str]:
        """All abilities that the model has, or will have once it is given a sampler."""
        return [a for a in self.plugin.abilities if self.can(a) or (sampler and a == "sample")]

    def sample(self, n: int, *, seed: int = 0, labels=None, first: int = 0) -> np.ndarray:
        """Draw n examples from the model.

        The first m of n samples are those of ``sample(m)`` with the same seed.

        Args:
            n: how many.
            seed: of the noise.
            labels: integers ``(n,)`` for a conditional model; by default its classes in turn.
            first: how many samples of that seed come before these.

        Returns:
            float32 ``(n, *data.shape)``, pictures in [0, 1].
        """
        rows = range(first, first + n)
        if labels is None and self.plugin.conditional:
            labels = np.asarray(rows) % self.data.classes
        if self.sampler is not None:
            return self.decode(self.sampler.draw(n, seed, labels, first), labels=labels)
        return shown.in_unit(self._chunks("sample", rows, labels, seed=seed), self._range)

    def draw(self, n: int, *, seed: int = 0, labels=None, fitted: bool = True) -> np.ndarray:
        """Codes float32 ``(n, d)`` that ``sample`` decodes, and as there.

        Without ``fitted`` they are of the prior, also where a sampler was fitted to the codes.
        """
        if self.sampler is not None and fitted:
            if labels is None and self.plugin.conditional:
                labels = np.arange(n) % self.data.classes
            return self.sampler.draw(n, seed, labels)
        return self._chunks("latent", range(n), labels, seed=seed, purpose="sample")

    def reconstruct(self, x, labels=None) -> np.ndarray:
        """Encode and decode: pictures uint8 or float in [0, 1] in, float32 in [0, 1] out."""
        return shown.in_unit(self._chunks("reconstruct", x, labels), self._range)

    def encode(self, x, labels=None) -> np.ndarray:
        """Codes ``(n, latent_dim)``, float32, of pictures uint8 or float in [0, 1]."""
        return self._chunks("encode", x, labels)

    def decode(self, z, labels=None) -> np.ndarray:
        """Examples, pictures float32 in [0, 1], of codes ``(n, latent_dim)``."""
        return shown.in_unit(self._chunks("decode", np.asarray(z, "float32"), labels), self._range)

    def log_likelihood(
        self, x, *, samples: int = 1, seed: int = 0, first_sample: int = 0, labels=None
    ) -> np.ndarray:
        """A lower bound of log p(x) in nats, float32 ``(n,)``; see ``zoo.Model``.

        Args:
            x: pictures uint8 or float in [0, 1], ``(n, *data.shape)``.
            samples: importance samples an example. Memory grows with them beyond 6,400.
            seed: of the samples.
            first_sample: how many came before, in calls that together make up one bound.
            labels: integers ``(n,)`` for a conditional model.
        """
        purpose = f"log_likelihood {first_sample}"
        return self._chunks("log_likelihood", x, labels, seed, purpose, samples=samples)

    def posterior(self, x, *, seed: int = 0, labels=None) -> dict[str, np.ndarray]:
        """What q(z|x) says of the codes of x, given as for ``encode``; ``seed`` is of the draws.

        Returns:
            float32 ``"mean"`` and ``"draw"`` of q, ``(n, d)``; with a prior p ``"rate"``, KL of q
            and p in nats, or log q - log p at the draw, ``(n,)``; its parts ``"kl"``, ``(n, d)``.
        """
        return self._chunks("posterior", x, labels, seed)

    def classify(self, x) -> np.ndarray:
        """Probabilities of the classes, float32 ``(n, classes)``, of pictures as in ``encode``."""
        return self._chunks("classify", x, None)

    def view(self, name: str, x=None, *, n: int = views.ROWS, seed: int = 0, labels=None) -> Any:
        """What a view of the model's own shows; see ``zoo.View``.

        Args:
            name: the view's.
            x: for a view of examples: pictures uint8 or float in [0, 1], ``(n, *data.shape)``; of
                a batch: ``{source: array}``, as ``fit`` takes it.
            n: rows, for a view of noise: the first m of n are those of ``n=m``.
            seed: of the noise.
            labels: integers ``(n,)``, for a conditional model; by default, with noise, its
                classes in turn.

        Returns:
            float32 ``(n, ...)``, pictures in [0, 1], or ``{name: such an array}``.

        Raises:
            ZooError: there is no such view, or it needs examples, or it takes none.
        """
        view = views.find(self.plugin, name)
        inputs = view.rows(x, n, f"{self.where}.view({name!r})")
        if view.inputs == "nothing":
            given = map(tensors, (random.key(seed, f"view {name}"), np.int32(0), None))
            out = tree.map_structure(ops.convert_to_numpy, self._ability("view", of=name)(*given))
        else:
            out = self._chunks("view", inputs, labels, seed, f"view {name}", of=name)
        return tree.map_structure(lambda a: shown.in_unit(a, self._range), out)

    def _chunks(self, ability, inputs, labels, seed=0, purpose="", **options):
        """Call the plugin's ability on chunks of one size, the last filled up with its last row."""
        if ability != "view" and not self.plugin.can(ability):
            able = ", ".join(self.able()) or "nothing"
            raise ZooError(f"{self.where} cannot {ability}; it can: {able}")
        where = f"{self.where}.{ability}"
        whole = ability == "view" and views.find(self.plugin, options["of"]).inputs == "batch"
        inputs, labels = self.border.first(inputs, labels, whole)
        n = len(tree.flatten(inputs)[0])
        if n == 0:
            raise ZooError(f"{self.where}: there is nothing to {ability}, n is 0")
        if labels is None and isinstance(inputs, range) and self.plugin.conditional:
            labels = np.asarray(inputs) % self.data.classes
        labels = self.border.labels(labels, n, where, ability)
        largest = max(map(math.prod, self.data.shapes.values()))
        most = _DRAWS // options.get("samples", 1), _VALUES // largest
        size = min(CHUNK, n, *(max(part, 1) for part in most))
        function = self._ability(ability, **options)
        key = ops.convert_to_tensor(random.key(seed, purpose or ability))
        outputs, begun = [], inputs.start if isinstance(inputs, range) else 0
        pieces = range(0, n, size)
        for start in sharing.own(pieces):
            rows, fill = slice(start, start + size), np.minimum(np.arange(size), n - start - 1)
            part = tree.map_structure(lambda a, i=rows, j=fill: np.asarray(a[i])[j], inputs)
            if isinstance(inputs, range):  # numbers of rows, for noise
                part = part.astype("int32")
            elif ability != "decode" and not whole:
                self.border.examples(part, where, unit=True)
                part = pixels.from_unit(part, self._range)
            own = None if labels is None else labels[rows][fill]
            out = function(key, *map(tensors, (np.int32(begun + start), part, own)))
            outputs.append(tree.map_structure(ops.convert_to_numpy, out))
        return tree.map_structure(
            lambda *parts: sharing.gathered(np.concatenate(parts), pieces)[:n], *outputs
        )

    def _ability(self, name, **options):
        """The plugin's method compiled, as ``function(key, start, first, labels)``."""
        cache = self.__dict__.setdefault("_compiled_abilities", {})
        which = (name, *options.items())
        if which not in cache:
            variables = [*self.trainable_variables, *self.non_trainable_variables]
            cache[which] = backend.compiled(variables, partial(self._applied, name, **options))
        return cache[which]

    def _applied(self, name, key, start, first, labels=None, **options):
        """What the plugin's ability gives, or its view ``of`` a name, and whether it may."""
        nets = Nets(self.networks, False, self.where, self.data)
        rng = random.Generator.of_key(key, 0, start, backend.draws_on_host)
        view = views.find(self.plugin, options["of"]) if name == "view" else None
        where = f"{self.where}.{view.name if view else name}"
        first = self.batch_of((first, labels)) if isinstance(first, dict) else first
        leaf = getattr(first, "x", first)  # of a batch, else examples or rows themselves
        rows = None if first is None else leaf.shape[0]
        call, n = self.plugin.given_labels, None if first is None else ops.shape(leaf)[0]
        with random.scope(rng), blaming(where), self.settled():
            if view:
                out = view.called(nets, first, n, rng, labels)
            elif name == "sample":
                out = call(name, labels, nets, n, rng)
            elif name == "latent":
                out = promises.prior(call(name, labels, nets), where).sample(rng, n)
            elif name == "log_likelihood":
                out = call(name, labels, nets, first, rng, **options)
            elif name == "posterior":
                p = call("latent", labels, nets) if self.plugin.can("latent") else None
                out = posterior.said(call(name, labels, nets, first), p, rng, where)
            else:
                out = call(name, labels, nets, first)
        for part in tree.flatten(out):
            promises.check_backend(part, where)
        if view:
            view.check(out, rows, where)
        else:
            promises.check(name, out, rows, self.data, where)
        return out


def tensors(arrays):
    """Tensors of one array, or of each of a dict; None stays None."""
    return None if arrays is None else tree.map_structure(ops.convert_to_tensor, arrays)
