"""The steps of a chunk as one program on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def program(step: Callable, rows: int, terms: int, data) -> Callable:
    """A function of a chunk's arrays that makes all its steps in one graph.

    Args:
        step: of a batch, gives the step's values ``(terms,)``.
        rows: examples of a step.
        terms: how many values a step has.
        data: those of a chunk, for their structure, shapes and dtypes.

    Returns:
        A function of such data, each of so many times ``rows`` rows, giving ``(steps, terms)``.
    """

    def steps(*data):
        number = tf.shape(tf.nest.flatten(data)[0])[0] // rows
        logs = tf.TensorArray("float32", number, element_shape=(terms,))

        def one(i, logs):
            def cut(part):  # TensorFlow makes faster programs of shapes that it knows
                return tf.ensure_shape(part[i * rows : (i + 1) * rows], (rows, *part.shape[1:]))

            return i + 1, logs.write(i, step(tf.nest.map_structure(cut, data)))

        def more(i, logs):
            return i < number

        return tf.while_loop(more, one, (0, logs), parallel_iterations=1)[1].stack()

    def spec(part):
        return tf.TensorSpec((None, *part.shape[1:]), part.dtype)

    signature = [tf.nest.map_structure(spec, part) for part in data]
    return tf.function(steps, input_signature=signature, autograph=False)
