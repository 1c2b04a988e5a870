"""TensorFlow as an expert writes it: an epoch in one ``tf.function``, Adam in one operation.

Pictures are uint8 in memory. On a GPU, XLA compiles the step, as Keras has it too.
"""

from __future__ import annotations

import importlib

import tensorflow as tf

from benchmarks import cases
from benchmarks.by_hand import noise
from benchmarks.clock import Clock
from zoo.engine.accelerate.malloc import retain_freed_memory


def measure(case: cases.Case, clock: Clock) -> None:
    """Train at each turn of the clock."""
    if not (gpu := tf.config.list_physical_devices("GPU")):
        retain_freed_memory()
    data = tf.constant(cases.pictures(case.pictures))
    step, wanted = training(case, cases.networks(case)), noise.draws(case)
    if gpu:
        step = tf.function(step, jit_compile=True)
    players, rows_of_step = len(cases.model(case).players()), case.batch_size * case.repeats

    @tf.function
    def epoch(steps):
        order = tf.random.shuffle(tf.range(case.pictures))
        losses = players * (0.0,)
        for i in tf.range(steps):
            rows = order[i * rows_of_step : (i + 1) * rows_of_step]
            rows = tf.reshape(rows, (rows_of_step,))
            drawn = [getattr(tf.random, kind)(shape) for kind, shape in wanted]
            losses = step(tf.gather(data, rows), drawn)
        return losses

    steps = tf.constant(case.steps)
    while clock.again():
        clock.begin()
        float(epoch(steps)[0])
        tf.test.experimental.sync_devices()
        clock.stepped()
        clock.end(case.pictures)


def training(case: cases.Case, nets):
    """The step of a training.

    Args:
        case: what is trained.
        nets: its Keras networks by name, which are trained.

    Returns:
        ``step(x, noise) -> losses``.
    """
    return importlib.import_module(f"{__name__}.{case.model}").training(case, nets)
