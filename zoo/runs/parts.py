"""The parts of a trained model that can be exported, each a plain functional Keras model.

Pictures go in and come out in [0, 1], whatever range the networks take them in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.engine.model import GenerativeModel
from zoo.engine.nets import Nets
from zoo.errors import ZooError, shortened

PARTS = ("decoder", "generator", "encoder", "classifier", "sampler")


@dataclass(frozen=True)
class Value:
    """An input or output of a part.

    Attributes:
        name: by which a runtime takes or gives it.
        shape: of one row, without the batch.
        dtype: ``"float32"`` or ``"int32"``.
        says: what it is, with its range.
        draw: how numbers to try it with are drawn: ``"normal"``, ``"uniform"`` in [0, 1), or a
            number of classes.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    says: str
    draw: str | int = "normal"

    def drawn(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """N rows to try the part with."""
        shape = (n, *self.shape)
        if isinstance(self.draw, int):
            return rng.integers(0, self.draw, shape).astype(self.dtype)
        return (rng.random(shape) if self.draw == "uniform" else rng.normal(size=shape)).astype(
            self.dtype
        )


@dataclass(frozen=True)
class Part:
    """A part of a model, by itself.

    Attributes:
        name: one of ``PARTS``.
        model: a functional Keras model from ``{input: tensor}`` to ``{output: tensor}``.
        inputs, outputs: what it takes and gives, in order.
    """

    name: str
    model: keras.Model
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]

    def described(self) -> dict[str, Any]:
        """Inputs and outputs, as JSON has them."""
        return {
            "inputs": [dataclasses.asdict(value) for value in self.inputs],
            "outputs": [dataclasses.asdict(value) for value in self.outputs],
        }


def names(model: GenerativeModel) -> list[str]:
    """The parts that a model has, the one to export by default first.

    What makes pictures of codes is the ``generator`` of a GAN and else the ``decoder``.
    """
    found = []
    if model.plugin.can("decode"):
        found.append(_decodes(model))
    if model.plugin.can("classify"):
        found.append("classifier")
    if model.plugin.can("sample") and model.sampler is None:
        found.append("sampler")
    if model.plugin.can("encode"):
        found.append("encoder")
    return found


def part(model: GenerativeModel, name: str | None = None) -> Part:
    """One part of a model.

    Args:
        model: a trained model, as ``zoo.load`` gives it.
        name: one of ``names(model)``; by default the first.

    Raises:
        ZooError: the model has no such part, or draws what no input can stand for.
    """
    own = names(model)
    if not own:
        raise ZooError(f"{model.where} has no part to export: it can {', '.join(model.able())}")
    name = name or own[0]
    if name not in own:
        raise ZooError(
            f"{model.where} has no {name} to export{_why(model, name)}; it has: {', '.join(own)}"
        )
    graph = _Graph(model)
    trace = {
        "decoder": graph.decoder,
        "generator": graph.decoder,
        "encoder": graph.encoder,
        "classifier": graph.classifier,
        "sampler": graph.sampler,
    }[name]
    try:
        outputs = trace()
    except ZooError:
        raise
    except Exception as error:  # of a plugin's code, which may do what no graph holds
        raise ZooError(
            f"{model.where}: its {name} is no graph of Keras operations, such as a loop that uses "
            f"labels: {shortened(f'{type(error).__name__}: {error}', 200)}"
        ) from error
    inputs = {value.name: tensor for value, tensor in graph.inputs}
    made = keras.Model(inputs, {value.name: tensor for value, tensor in outputs}, name=name)
    if not made.weights:  # they are within a loop, where Keras's graph does not see them
        made.networks_in_loop = model.networks
    return Part(name, made, tuple(v for v, _ in graph.inputs), tuple(v for v, _ in outputs))


def expected(
    model: GenerativeModel, made: Part, inputs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """What the model gives for inputs of a part, ``{output: array}``.

    From the model's own ``decode``, ``encode`` or ``classify`` where one of them gives it.
    """
    given = {name: ops.convert_to_tensor(array) for name, array in inputs.items()}
    outputs = {
        name: ops.convert_to_numpy(tensor)
        for name, tensor in made.model(given, training=False).items()
    }
    labels, first = inputs.get("labels"), made.outputs[0].name
    if made.name in ("decoder", "generator"):
        outputs[first] = model.decode(inputs["z"], labels=labels)
    elif made.name == "encoder":
        outputs[first] = model.encode(inputs["x"], labels=labels)
    elif made.name == "classifier":
        outputs[first] = model.classify(inputs["x"])
    return outputs


def _decodes(model: GenerativeModel) -> str:
    return "generator" if "generator" in set(model.networks) else "decoder"


def _why(model: GenerativeModel, name: str) -> str:
    if name == "sampler" and model.sampler is not None:
        return ": its codes come from a sampler that was fitted to them, which is no network"
    return ""


class _Graph:
    """The abilities of a model, traced on symbolic tensors."""

    def __init__(self, model: GenerativeModel):
        self.model, self.plugin = model, model.plugin
        self.nets = Nets(model.networks, False, model.where, model.data)
        self.inputs: list[tuple[Value, Any]] = []

    def take(self, value: Value) -> Any:
        tensor = keras.Input(value.shape, dtype=value.dtype, name=value.name)
        self.inputs.append((value, tensor))
        return tensor

    def call(self, ability: str, *given, labels=None) -> Any:
        return self.plugin.given_labels(ability, labels, self.nets, *given)

    def labels(self) -> Any:
        if not self.plugin.conditional:
            return None
        classes, names = self.model.data.classes, self.model.class_names
        says = f"classes, 0 to {classes - 1}" + (f": {', '.join(names)}" if names else "")
        return self.take(Value("labels", (), "int32", says, classes))

    def decoder(self):
        z = self.take(Value("z", self._code(), "float32", "codes; of the prior, for samples"))
        return [self._examples(self.call("decode", z, labels=self.labels()))]

    def encoder(self):
        x, labels = self._pictures(), self.labels()
        found = {"z": self.call("encode", x, labels=labels)}
        if self.plugin.can("posterior"):
            q = self.call("posterior", x, labels=labels)
            rest = {name: getattr(q, name) for name in getattr(q, "names", ())[1:]}
            found = {"mean": q.mean, **rest} if rest else found
        says = {"z": "codes", "mean": "mean of q(z|x)", "log_var": "logarithm of its variance"}
        return [
            (Value(name, tuple(t.shape[1:]), "float32", says.get(name, f"{name} of q(z|x)")), t)
            for name, t in found.items()
        ]

    def classifier(self):
        x = self.call("classify", self._pictures())
        names = self.model.class_names
        says = "probabilities of the classes" + (f": {', '.join(names)}" if names else "")
        return [(Value("probabilities", tuple(x.shape[1:]), "float32", says), x)]

    def sampler(self):
        noise = _Noise(self)
        # every draw is an input, whose rows say how many samples there are
        made = self.plugin.given_labels("sample", self.labels(), self.nets, None, noise)
        if not noise.count:
            raise ZooError(f"{self.model.where} draws no noise: there is no sampler to export")
        self.inputs.sort(key=lambda pair: pair[0].name == "labels")
        return [self._examples(made)]

    def _code(self) -> tuple[int, ...]:
        if self.plugin.can("latent"):
            return tuple(self.call("latent", labels=None).shape)
        if self.plugin.can("encode"):
            shape = self.model.data.shape
            labels = keras.Input((), dtype="int32") if self.plugin.conditional else None
            return tuple(self.call("encode", keras.Input(shape), labels=labels).shape[1:])
        raise ZooError(f"{self.model.where} does not say what shape its codes have")

    def _pictures(self):
        limits, is_image = self._limits, self.model.data.is_image
        says = "pictures in [0, 1]" if limits and is_image else "examples, as in training"
        draw = "uniform" if is_image else "normal"
        x = self.take(Value("x", self.model.data.shape, "float32", says, draw))
        if not limits or not is_image:
            return x
        low, high = limits
        return x if limits == (0, 1) else x * (high - low) + low

    def _examples(self, x):
        value = Value("x", tuple(x.shape[1:]), "float32", "examples, as in training")
        limits = self._limits
        if not limits or len(value.shape) != 3:
            return value, x
        low, high = limits
        x = ops.clip(x if limits == (0, 1) else (x - low) / (high - low), 0.0, 1.0)
        return dataclasses.replace(value, says="pictures in [0, 1]"), x

    @property
    def _limits(self):
        return self.plugin.value_range


class _Noise:
    """Stands for a ``zoo.random.Generator``: what is drawn becomes an input of the graph."""

    def __init__(self, graph: _Graph):
        self._graph, self.count = graph, 0

    def normal(self, shape, mean: float = 0.0, stddev: float = 1.0):
        drawn = self._input(shape, "normal", "standard normal noise")
        return drawn if (mean, stddev) == (0, 1) else mean + stddev * drawn

    def uniform(self, shape, low: float = 0.0, high: float = 1.0):
        drawn = self._input(shape, "uniform", "uniform noise in [0, 1)")
        return drawn if (low, high) == (0, 1) else low + (high - low) * drawn

    def integers(self, shape, low: int, high: int):
        return low + ops.cast(ops.floor(self.uniform(shape, 0, high - low)), "int32")

    def bernoulli(self, shape, p: float):
        return self.uniform(shape) < p

    def __getattr__(self, name: str):
        raise ZooError(
            f"{self._graph.model.where} draws samples with rng.{name}, which no input can stand "
            "for: there is no sampler to export"
        )

    def _input(self, shape, draw: str, says: str):
        self.count += 1
        name = "noise" if self.count == 1 else f"noise_{self.count}"
        return self._graph.take(Value(name, tuple(shape)[1:], "float32", says, draw))
