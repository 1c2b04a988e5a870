"""A small convolutional classifier, the judge of what other models make (LeCun et al. 1998)."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import layers, ops

import zoo
from zoo.nn import networks


@dataclass(frozen=True)
class Classifier(zoo.Model):
    """Pictures to probabilities of classes, through convolutions and max pooling.

    Attributes:
        filters: of the 3 x 3 convolutions, each followed by pooling that halves the sides.
        dropout: rate before the last layer, in [0, 1).
        activation: of the hidden layers, by its Keras name.
    """

    filters: tuple[int, ...] = (32, 64)
    dropout: float = 0.5
    activation: str = "silu"

    value_range = (0.0, 1.0)

    def networks(self, data):
        if not data.classes:
            raise zoo.ZooError("Classifier: the data have no labels to learn")
        if not data.is_image or min(data.shape[:2]) < 2 ** len(self.filters):
            raise zoo.ZooError(
                f"Classifier: {len(self.filters)} poolings need pictures with sides of at least "
                f"{2 ** len(self.filters)}, not examples of shape {data.shape}"
            )
        style = networks.Style(self.activation)
        x = inputs = keras.Input(data.shape)
        for count in self.filters:
            x = style.hidden(x, layers.Conv2D, count, 3, padding="same")
            x = layers.MaxPooling2D(2)(x)
        x = zoo.nn.layers.Dropout(self.dropout)(layers.Flatten()(x))
        return {"classifier": keras.Model(inputs, layers.Dense(data.classes)(x))}

    def players(self):
        return {"classifier": ("classifier",)}

    def moves(self):
        return [self.learn]

    def learn(self, nets, batch, rng):
        """Cross-entropy of the label y, -log softmax(l)_y of the logits l, in nats."""
        logits = nets.classifier(batch.x)
        given = ops.take_along_axis(logits, batch.labels[:, None], axis=1)[:, 0]
        return {"classifier": {"cross_entropy": ops.logsumexp(logits, axis=1) - given}}

    def classify(self, nets, x):
        return ops.softmax(nets.classifier(x))
