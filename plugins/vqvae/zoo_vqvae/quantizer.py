"""Vector quantization by a codebook that follows moving averages of what it stands for."""

from __future__ import annotations

import keras
from keras import ops

from zoo import random
from zoo.nn import losses


@keras.saving.register_keras_serializable("zoo")
class VectorQuantizer(keras.layers.Layer):
    """Replaces vectors by the nearest of a codebook (van den Oord et al. 2017, equation 1).

    Gradients pass straight through: that of the output is that of the input (section 3.2).
    While training, each code e_i moves to the mean of the vectors it stood for, of late
    (appendix A.1): with N_i the moving average of their number n_i and m_i that of their sum,
    e_i = m_i / N_i. Both start at zero, so that a code is where its first vectors are.

    A code is dead when its share of N is below that of half a vector of the batch, as that of
    a code never used is: it is moved to a vector of the batch, drawn by the step's counter
    (Dhariwal et al. 2020, section 3.1). Codes left behind by the encoder, which moves faster
    than they do early in training, would else be lost.

    Args:
        codes: vectors in the codebook, at least 1.
        dimension: of each, at least 1.
        decay: of the moving averages, in [0, 1).

    Raises:
        ValueError: another number.
    """

    def __init__(self, codes: int, dimension: int, decay: float = 0.99, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if not (codes >= 1 <= dimension and 0 <= decay < 1):
            raise ValueError("VectorQuantizer takes codes, a dimension and a decay in [0, 1)")
        self.codes, self.dimension, self.decay = codes, dimension, decay
        self.codebook_initializer = keras.initializers.RandomNormal()  # from the seed
        self.codebook = self._weight((codes, dimension), self.codebook_initializer, "codebook")
        self.counts = self._weight((codes,), "zeros", "counts")  # N
        self.sums = self._weight((codes, dimension), "zeros", "sums")  # m

    def _weight(self, shape, initializer, name):
        return self.add_weight(shape, initializer, trainable=False, name=name)

    def call(self, inputs, training=False):
        """Quantize float32 ``(n, positions * dimension)``.

        Returns:
            The like of the inputs, and the perplexity of the codebook, a scalar in
            [1, codes]: ``exp`` of the entropy of N / sum(N), the use of the codes in the last
            hundred or so batches of training. It is 1 before any.
        """
        codebook = ops.convert_to_tensor(self.codebook)
        vectors, nearest = self._nearest(codebook, inputs)
        quantized = ops.reshape(ops.take(codebook, nearest, axis=0), ops.shape(inputs))
        if training:
            if random.share():  # the codes follow the whole batch, whoever has its rows
                vectors, nearest = self._nearest(codebook, losses.whole(inputs))
            self._follow(vectors, ops.one_hot(nearest, self.codes))
        use = ops.divide_no_nan(self.counts, ops.sum(self.counts))
        entropy = -ops.sum(use * ops.log(ops.maximum(use, keras.config.epsilon())))
        return inputs + ops.stop_gradient(quantized - inputs), ops.exp(entropy)

    def _nearest(self, codebook, inputs):
        """The vectors of the inputs, and which of the codebook is nearest to each."""
        vectors = ops.stop_gradient(ops.reshape(inputs, (-1, self.dimension)))
        crossed = ops.matmul(vectors, ops.transpose(codebook))
        return vectors, ops.argmin(ops.sum(ops.square(codebook), axis=1) - 2 * crossed, axis=1)

    def _follow(self, vectors, chosen):
        """Move the codebook; ``chosen`` is one-hot, ``(vectors, codes)``."""
        new = 1 - self.decay
        counts = self.decay * self.counts + new * ops.sum(chosen, axis=0)
        sums = self.decay * self.sums + new * ops.matmul(ops.transpose(chosen), vectors)
        number = ops.cast(ops.shape(vectors)[0], "float32")
        place = ops.floor(random.current().shared.uniform((self.codes,)) * number)
        drawn = ops.take(vectors, ops.cast(ops.minimum(place, number - 1), "int32"), axis=0)
        dead = ops.expand_dims(2 * counts * number < ops.sum(counts), 1)
        codebook = ops.where(dead, drawn, ops.divide_no_nan(sums, ops.expand_dims(counts, 1)))
        self.codebook.assign(codebook)
        self.counts.assign(counts)
        self.sums.assign(codebook * ops.expand_dims(counts, 1))
