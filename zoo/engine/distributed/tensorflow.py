"""Processes that train together on TensorFlow: the collectives of ``tf.distribute``.

The strategy places no variables and runs no step: Keras's path through it clips before it reduces,
and sums where the engine takes means. It only carries the sums.
"""

from __future__ import annotations

import json
import os

import numpy as np
import tensorflow as tf

from zoo.engine.distributed.meeting import addresses
from zoo.errors import ZooError
from zoo.runtime.ranks import Rank

PATIENCE = 12 * 3600
"""Seconds that one waits for the others, of which the first may be measuring. That a process has
died or stopped is seen by TensorFlow's own service within seconds."""


def joined(rank: Rank) -> Team:
    """Meet the other processes: by TF_CONFIG where it is set, else by files of the meeting."""
    if "TF_CONFIG" not in os.environ:
        if rank.meeting is None:
            raise ZooError(
                "TensorFlow needs the address of every process: set TF_CONFIG, or start all with "
                "zoo run RECIPE --devices N"
            )
        cluster = {"worker": addresses(rank, rank.meeting)}
        task = {"type": "worker", "index": rank.number}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
    experimental = tf.distribute.experimental
    gpu = bool(tf.config.list_physical_devices("GPU"))
    kinds = experimental.CommunicationImplementation
    options = experimental.CommunicationOptions(
        implementation=kinds.AUTO if gpu else kinds.RING, timeout_seconds=PATIENCE
    )
    return Team(rank, tf.distribute.MultiWorkerMirroredStrategy(communication_options=options))


class Team:
    """See ``zoo.engine.distributed.Team``."""

    def __init__(self, rank: Rank, strategy: tf.distribute.Strategy):
        self.rank, self._strategy = rank, strategy
        self._program = tf.function(self._sum, reduce_retracing=True, autograph=False)

    def mean(self, x, weight: float):
        @tf.custom_gradient
        def over_all(x):
            # where all losses are means of weight w, the mean is its own adjoint
            return self._sum(x * weight), lambda gradient: self.mean(gradient, weight)

        return over_all(x)

    def total(self, array: np.ndarray) -> np.ndarray:
        return self._program(tf.constant(array)).numpy()

    def _sum(self, x):
        def summed(x):
            return tf.distribute.get_replica_context().all_reduce(
                tf.distribute.ReduceOp.SUM, tf.identity(x)
            )

        return self._strategy.run(summed, (x,))

    def is_lost(self, error: Exception) -> bool:
        kinds = tf.errors.UnavailableError, tf.errors.DeadlineExceededError, tf.errors.AbortedError
        return isinstance(error, (*kinds, tf.errors.CancelledError, tf.errors.InternalError))

    def leave(self) -> None:
        self.total(np.zeros(1, "int64"))  # who ends first would look lost to the others
