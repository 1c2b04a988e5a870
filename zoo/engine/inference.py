"""What a trained model can do, NumPy in and out: sample, reconstruct, encode, decode, ..."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from zoo import random
from zoo.engine import terms
from zoo.engine.backends import backend
from zoo.engine.nets import Nets
from zoo.errors import ZooError
from zoo.runtime.blame import blaming

if TYPE_CHECKING:
    from zoo.nn.samplers import Sampler

CHUNK = 256  # examples that an ability works on at once


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

    def sample(self, n: int, *, seed: int = 0, labels=None) -> np.ndarray:
        """Draw n examples from the model.

        The first m of n samples are those of ``sample(m)`` with the same seed.

        Args:
            n: how many.
            seed: of the noise.
            labels: integers ``(n,)`` for a conditional model; by default its classes in turn.

        Returns:
            float32 ``(n, *data.shape)``, pictures in [0, 1].
        """
        if labels is None and self.plugin.conditional:
            labels = np.arange(n) % self.data.classes
        if self.sampler is not None:
            return self.decode(self.sampler.draw(n, seed), labels=labels)
        index = np.arange(n, dtype="int32")
        return self._to_unit(self._chunks("sample", index, labels, seed=seed))

    def draw(self, n: int, *, seed: int = 0, labels=None) -> np.ndarray:
        """Codes of the prior, float32 ``(n, d)``: those that ``sample`` decodes."""
        if self.sampler is not None:
            return self.sampler.draw(n, seed)
        index = np.arange(n, dtype="int32")
        return self._chunks("latent", index, labels, seed=seed, purpose="sample")

    def reconstruct(self, x, labels=None) -> np.ndarray:
        """Encode and decode: pictures uint8 or float in [0, 1] in, float32 in [0, 1] out."""
        return self._to_unit(self._chunks("reconstruct", x, labels))

    def encode(self, x, labels=None) -> np.ndarray:
        """Codes ``(n, latent_dim)``, float32, of pictures uint8 or float in [0, 1]."""
        return self._chunks("encode", x, labels)

    def decode(self, z, labels=None) -> np.ndarray:
        """Examples, pictures float32 in [0, 1], of codes ``(n, latent_dim)``."""
        return self._to_unit(self._chunks("decode", np.asarray(z, "float32"), labels))

    def log_likelihood(
        self, x, *, samples: int = 1, seed: int = 0, first_sample: int = 0, labels=None
    ) -> np.ndarray:
        """A lower bound of log p(x) in nats, float32 ``(n,)``; see ``zoo.Model``.

        Args:
            x: pictures uint8 or float in [0, 1], ``(n, *data.shape)``.
            samples: importance samples an example, all in memory at once.
            seed: of the samples.
            first_sample: tells the draws of several calls apart, which together make up
                a bound of more samples.
            labels: integers ``(n,)`` for a conditional model.
        """
        purpose = f"log_likelihood {first_sample}"
        return self._chunks("log_likelihood", x, labels, seed, purpose, samples=samples)

    def classify(self, x) -> np.ndarray:
        """Probabilities of the classes, float32 ``(n, classes)``, of pictures as in ``encode``."""
        return self._chunks("classify", x, None)

    def _chunks(self, ability, inputs, labels, seed=0, purpose="", **options):
        """Call the plugin's ability on chunks of equal size, the last one filled up."""
        if not self.plugin.can(ability):
            able = ", ".join(self.able()) or "nothing"
            raise ZooError(f"{self.where} cannot {ability}; it can: {able}")
        n = len(inputs)
        if n == 0:
            raise ZooError(f"{self.where}: there is nothing to {ability}, n is 0")
        labels = self._checked_labels(labels, n, ability)
        size = min(CHUNK, n)
        function = self._ability(ability, **options)
        key = ops.convert_to_tensor(random.key(seed, purpose or ability))
        outputs = []
        for start in range(0, n, size):
            part = np.asarray(inputs[start : start + size])
            count = len(part)
            if ability not in ("sample", "latent", "decode"):
                part = self._from_unit(part)
            parts = [part, None if labels is None else labels[start : start + size]]
            tensors = [
                None if a is None else ops.convert_to_tensor(_filled(a, size)) for a in parts
            ]
            out = function(key, ops.convert_to_tensor(np.int32(start)), *tensors)
            outputs.append(ops.convert_to_numpy(out)[:count])
        return np.concatenate(outputs)

    def _checked_labels(self, labels, n, ability) -> Any:
        if labels is None:
            if self.plugin.conditional:
                raise ZooError(f"{self.where} is conditional: to {ability}, give labels too")
            return None
        labels = np.asarray(labels)
        if labels.shape != (n,):
            raise ZooError(f"{self.where}: {n} examples need labels ({n},), not {labels.shape}")
        low, classes = -int(self.data.missing_labels), self.data.classes
        if self.plugin.conditional and not low <= labels.min() <= labels.max() < classes:
            wrong = next(label for label in labels if not low <= label < classes)
            raise ZooError(
                f"{self.where}: labels are from {low} to {classes - 1}, and one is {wrong}"
            )
        return labels.astype("int32")

    def _ability(self, name, **options):
        """The plugin's method compiled, as ``function(key, start, first, labels)``."""
        cache = self.__dict__.setdefault("_compiled_abilities", {})
        which = (name, *options.items())
        if which not in cache:
            call = self.plugin.given_labels

            def function(key, start, first, labels=None):
                nets = Nets(self.networks, False, self.where, self.data)
                rng = random.Generator.of_key(key, 0, start, backend.draws_on_host)
                with random.scope(rng), blaming(f"{self.where}.{name}"):
                    if name == "sample":
                        out = call(name, labels, nets, ops.shape(first)[0], rng)
                    elif name == "latent":
                        out = call(name, labels, nets).sample(rng, ops.shape(first)[0])
                    elif name == "log_likelihood":
                        out = call(name, labels, nets, first, rng, **options)
                    else:
                        out = call(name, labels, nets, first)
                self._check_output(name, out, first.shape[0])
                return out

            variables = [*self.trainable_variables, *self.non_trainable_variables]
            cache[which] = backend.compiled(variables, function)
        return cache[which]

    def _check_output(self, ability, out, n):
        """Refuse what is not the one tensor that an ability promises; see ``zoo.Model``."""
        shape = (n, *self.data.shape)
        if ability in ("encode", "latent"):
            shape = (n, "latent_dim")
        elif ability == "log_likelihood":
            shape = (n,)
        elif ability == "classify":
            shape = (n, self.data.classes)
        where = f"{self.where}.{ability}"
        terms.check_backend(out, where)
        came = tuple(getattr(out, "shape", ())) if hasattr(out, "shape") else None
        if came is None or len(came) != len(shape) or not all(map(_fits, came, shape)):
            promised = str(shape).replace("'", "")
            what = type(out).__name__ if came is None else f"shape {came}"
            raise ZooError(f"{where} gave {what}; for {n} examples it gives a tensor {promised}")

    def _from_unit(self, x):
        self._check_shape(x)
        if not self._range:
            return x.astype("float32")
        low, high = self._range
        unit = x.astype("float32") / (255 if x.dtype == np.uint8 else 1)
        return unit * (high - low) + low

    def _to_unit(self, x):
        if self._range:
            low, high = self._range
            x = np.clip((x - low) / (high - low), 0, 1)
        return x


def _fits(size, promised):
    return size is None or promised is None or isinstance(promised, str) or size == promised


def _filled(array, size):
    """The array with its last row repeated up to ``size`` rows: one shape, one compilation."""
    missing = size - len(array)
    return np.concatenate([array, np.repeat(array[-1:], missing, axis=0)]) if missing else array
