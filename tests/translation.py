"""Models of several sources, and data for them: a small CycleGAN, masks, missing labels."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers, ops

import zoo
from zoo import callbacks
from zoo.datasets import Data, Split
from zoo.nn.losses import adversarial
from zoo.plugin.dataset import Dataset
from zoo.testing import run_checks

PHOTO, SKETCH = (8, 8, 3), (8, 8, 1)
SOURCES = {"photo": PHOTO, "sketch": SKETCH}
PLAIN = zoo.DataSpec(PHOTO, 3)
PAIRED = zoo.DataSpec(sources=SOURCES)
UNPAIRED = zoo.DataSpec(sources=SOURCES, unpaired=("sketch",))


def failed(plugin, only=()):
    """The reasons of the checks that a plugin does not pass, by check."""
    return {result.check: result.reason for result in run_checks(plugin, only=only) if result.bad}


def dense(shape, outputs, hidden: int, activation=None):
    """A dense network from examples of a shape to others, or to numbers ``(n, k)``."""
    units = int(np.prod(outputs))
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Flatten(),
            layers.Dense(hidden, activation="tanh"),
            layers.Dense(units, activation),
            layers.Reshape(outputs),
        ]
    )


@dataclass(frozen=True)
class CycleGAN(zoo.Model):
    """Unpaired translation between photos and sketches (Zhu et al. 2017), with dense networks.

    Attributes:
        hidden: units of the hidden layers.
        repeats: moves of the discriminators in a step.
    """

    hidden: int = 8
    repeats: int = 1

    value_range = (-1.0, 1.0)
    sources = ("photo", "sketch")
    unpaired = ("sketch",)

    def networks(self, data):
        photo, sketch = data.sources["photo"], data.sources["sketch"]
        return {
            "to_sketch": dense(photo, sketch, self.hidden, "tanh"),
            "to_photo": dense(sketch, photo, self.hidden, "tanh"),
            "photo_critic": dense(photo, (1,), self.hidden),
            "sketch_critic": dense(sketch, (1,), self.hidden),
        }

    def players(self):
        return {
            "generators": ("to_sketch", "to_photo"),
            "photo_critic": ("photo_critic",),
            "sketch_critic": ("sketch_critic",),
        }

    def moves(self):
        return [zoo.Move(self.discriminate, repeat=self.repeats), self.translate]

    def weights(self):
        return {"generators": {"photo_cycle": 10.0, "sketch_cycle": 10.0}}

    def discriminate(self, nets, batch, rng):
        """Equation 1 of the paper, with the squared error of section 4."""
        game, found = adversarial("least_squares"), {}
        made = {"photo": nets.to_photo(batch.sketch), "sketch": nets.to_sketch(batch.photo)}
        for name, fake in made.items():
            critic = getattr(nets, f"{name}_critic")
            found[f"{name}_critic"] = {
                "real": game.real(critic(batch.sources[name])),
                "fake": game.fake(critic(fake)),
            }
        return found

    def translate(self, nets, batch, rng):
        """Equation 3 of the paper: fool both critics, and come back to where it began."""
        game = adversarial("least_squares")
        sketch, photo = nets.to_sketch(batch.photo), nets.to_photo(batch.sketch)
        return {
            "generators": {
                "photo_fooled": game.generator(nets.photo_critic(photo)),
                "sketch_fooled": game.generator(nets.sketch_critic(sketch)),
                "photo_cycle": distance(nets.to_photo(sketch), batch.photo),
                "sketch_cycle": distance(nets.to_sketch(photo), batch.sketch),
            }
        }

    def views(self):
        return {"translations": zoo.View(self.translations, inputs="batch")}

    def translations(self, nets, batch):
        """Photos as sketches, and sketches as photos."""
        return {"sketched": nets.to_sketch(batch.photo), "painted": nets.to_photo(batch.sketch)}

    def reconstruct(self, nets, x):
        return nets.to_photo(nets.to_sketch(x))


def distance(a, b):
    return ops.mean(ops.reshape(ops.abs(a - b), (ops.shape(a)[0], -1)), axis=1)


@dataclass(frozen=True)
class Painter(zoo.Model):
    """Fills in what a mask hides: 1 is seen, 0 is not."""

    sources = ("picture", "mask")

    def networks(self, data):
        return {"painter": dense(data.shape, data.shape, 8, "sigmoid")}

    def players(self):
        return {"painter": ("painter",)}

    def moves(self):
        return [self.paint]

    def paint(self, nets, batch, rng):
        painted = nets.painter(batch.picture * batch.mask)
        return {"painter": {"error": distance(painted, batch.x)}}


@dataclass(frozen=True)
class Sorter(zoo.Model):
    """A classifier that learns from the examples with a label."""

    missing_labels = True

    def networks(self, data):
        if not data.classes:
            raise zoo.ZooError("Sorter: the data have no labels to learn")
        return {"sorter": dense(data.shape, (data.classes,), 8, "softmax")}

    def players(self):
        return {"sorter": ("sorter",)}

    def moves(self):
        return [self.sort]

    def sort(self, nets, batch, rng):
        probabilities = nets.sorter(batch.x)
        given = ops.one_hot(ops.maximum(batch.labels, 0), ops.shape(probabilities)[1])
        surprise = -ops.log(ops.sum(given * probabilities, axis=1))
        return {"sorter": {"surprise": ops.where(batch.labels >= 0, surprise, 0.0)}}

    def classify(self, nets, x):
        return nets.sorter(x)


def pictures(n: int, shape, seed: int) -> np.ndarray:
    """Noise between dark and bright, uint8 ``(n, *shape)``."""
    numbers = np.random.RandomState(seed)  # whose numbers no release of NumPy changes
    light = numbers.randint(40, 216, size=(n, *[1] * len(shape)))
    return np.clip(light + numbers.randint(-40, 40, size=(n, *shape)), 0, 255).astype("uint8")


@dataclass(frozen=True)
class Drawings(Dataset):
    """Photos, and sketches of a number of their own.

    Attributes:
        photos: for training.
        sketches: for training.
    """

    photos: int = 30
    sketches: int = 11

    def load(self, access=None):
        sizes = ((self.photos, self.sketches), (10, 4), (10, 13))
        splits = [
            Split(
                pictures(photos, PHOTO, seed),
                unpaired={"sketch": pictures(sketches, SKETCH, 10 + seed)},
            )
            for seed, (photos, sketches) in enumerate(sizes)
        ]
        spec = zoo.DataSpec(sources={"photo": PHOTO, "sketch": SKETCH}, unpaired=("sketch",))
        return Data("drawings", spec, *splits)


@dataclass(frozen=True)
class Masked(Dataset):
    """Pictures, each with its mask; the mask of a picture is where it is bright."""

    def load(self, access=None):
        x = [pictures(n, SKETCH, seed) for seed, n in enumerate((30, 10, 10))]
        splits = [Split(part, paired={"mask": (part > 127).astype("float32")}) for part in x]
        spec = zoo.DataSpec(sources={"picture": SKETCH, "mask": SKETCH})
        return Data("masked", spec, *splits)


@dataclass(frozen=True)
class HalfLabelled(Dataset):
    """Dark and bright pictures, of which every other one has no label."""

    def load(self, access=None):
        splits = []
        for seed, n in enumerate((30, 10, 10)):
            x = pictures(n, SKETCH, seed)
            bright = (x.mean(axis=(1, 2, 3)) > 127).astype("int32")
            splits.append(Split(x, np.where(np.arange(n) % 2, bright, -1).astype("int32")))
        return Data("half labelled", zoo.DataSpec(SKETCH, 2, missing_labels=True), *splits)


def recipe(model=None, dataset=None, **changes) -> zoo.Recipe:
    """Two epochs of eight steps, the last of which is short."""
    model = model or CycleGAN()
    settings = {
        "model": model,
        "dataset": dataset or Drawings(batch_size=4),
        "optimizers": {player: keras.optimizers.Adam(0.01) for player in model.players()},
        "epochs": 2,
        "callbacks": [callbacks.Checkpoint(every="1 step")],
    }
    return zoo.Recipe(**(settings | changes))
