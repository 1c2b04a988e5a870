"""TensorFlow as an expert writes it: an epoch in one ``tf.function``, Adam in one operation.

Pictures are uint8 in memory.
On a GPU, XLA compiles the step, as Keras has it too.
"""

from __future__ import annotations

import tensorflow as tf

from benchmarks import cases
from benchmarks.clock import Clock


def measure(case: cases.Case, clock: Clock) -> None:
    """Train at each turn of the clock."""
    data = tf.constant(cases.pictures(case.pictures))
    step = (_vae if case.model == "vae" else _gan)(case)
    if tf.config.list_physical_devices("GPU"):
        step = tf.function(step, jit_compile=True)

    @tf.function
    def epoch(steps):
        order = tf.random.shuffle(tf.range(case.pictures))
        loss = 0.0
        for i in tf.range(steps):
            rows = tf.reshape(
                order[i * case.batch_size : (i + 1) * case.batch_size], (case.batch_size,)
            )
            loss = step(tf.gather(data, rows))
        return loss

    steps = tf.constant(case.steps)
    while clock.again():
        clock.begin()
        float(epoch(steps))
        tf.test.experimental.sync_devices()
        clock.stepped()
        clock.end(case.pictures)


class Adam:
    """Adam in one operation for each weight."""

    def __init__(self, case, weights):
        self._case, self._weights = case, [w.value for w in weights]
        self._slots = [[tf.Variable(tf.zeros_like(w)) for _ in range(2)] for w in self._weights]
        self._steps = tf.Variable(0.0)

    def move(self, tape, loss) -> None:
        step = self._steps.assign_add(1.0)
        grads = tape.gradient(loss, self._weights)
        for weight, (first, second), grad in zip(self._weights, self._slots, grads, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=first.handle,
                v=second.handle,
                beta1_power=self._case.beta_1**step,
                beta2_power=0.999**step,
                lr=self._case.rate,
                beta1=self._case.beta_1,
                beta2=0.999,
                epsilon=1e-7,
                grad=grad,
            )


def _vae(case):
    nets = cases.networks(case)
    encoder, decoder = nets["encoder"], nets["decoder"]
    weights = [*encoder.trainable_variables, *decoder.trainable_variables]
    optimizer = Adam(case, weights)

    def step(x):
        x = tf.cast(x, "float32") / 255
        with tf.GradientTape() as tape:
            mean, log_var = (tf.cast(code, "float32") for code in encoder(x, training=True))
            z = mean + tf.exp(0.5 * log_var) * tf.random.normal(tf.shape(mean))
            logits = tf.cast(decoder(z, training=True), "float32")
            distortion = tf.reduce_sum(tf.nn.softplus(logits) - x * logits, (1, 2, 3))
            kl = 0.5 * tf.reduce_sum(tf.square(mean) + tf.exp(log_var) - 1 - log_var, 1)
            loss = tf.reduce_mean(distortion + kl)
        optimizer.move(tape, loss)
        return loss

    return step


def _gan(case):
    nets = cases.networks(case)
    generator, judge = nets["generator"], nets["discriminator"]
    making, judging = generator.trainable_variables, judge.trainable_variables
    own, other = Adam(case, making), Adam(case, judging)
    size = (case.batch_size, case.settings["prior"]["dimension"])

    def judged(x):
        return tf.cast(judge(x, training=True), "float32")

    def step(x):
        x = tf.cast(x, "float32") / 127.5 - 1
        fake = generator(tf.random.normal(size), training=True)
        with tf.GradientTape() as tape:
            real, wrong = judged(x), judged(fake)
            loss = tf.reduce_mean(tf.nn.softplus(-real) + tf.nn.softplus(wrong))
        other.move(tape, loss)
        with tf.GradientTape() as tape:
            fooling = judged(generator(tf.random.normal(size), training=True))
            fooling = tf.reduce_mean(tf.nn.softplus(-fooling))
        own.move(tape, fooling)
        return loss

    return step
