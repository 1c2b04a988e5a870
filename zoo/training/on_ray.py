"""Trains the runs of a sweep on a Ray cluster."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterable
from typing import Any

from zoo.errors import ZooError
from zoo.runtime import leash
from zoo.training.attempts import POLL, Attempt, Cell, Sweep


class OnRay:
    """A Ray cluster, whose machines share the folder of runs, or one that is started here.

    A task of Ray starts ``zoo`` as a child and waits for it, so that no worker imports a backend.
    The child ends with its worker, and a worker with the sweep. A run whose worker was lost is
    begun again on another, where its checkpoint is.

    Args:
        sweep: the sweep; its paths are absolute.
        jobs: how many at a time, or None for as many as the cluster has room for.
        address: of a cluster; None to start Ray here, for as long as the sweep lasts.
        cpu: whether the runs need no GPU.
    """

    def __init__(self, sweep: Sweep, jobs: int | None, address: str | None, cpu: bool):
        self._jobs = jobs
        self._cluster = Cluster(address, cpus=jobs or 1)
        self._ray = ray = self._cluster.ray
        gpus = 0 if cpu else min(ray.cluster_resources().get("GPU", 0), 1)
        # a worker that is lost is no failure of the run: it is continued
        self._task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=10)(_carried_out)
        self._sweep = ray.put(sweep)
        self._running: dict[Any, Cell] = {}
        self._stopped = False

    def has_room(self) -> bool:
        return self._jobs is None or len(self._running) < self._jobs

    def begin(self, cell: Cell) -> None:
        self._running[self._task.remote(self._sweep, cell)] = cell

    def ended(self) -> Iterable[tuple[Cell, str]]:
        if not self._running:
            return
        done, _ = self._ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
        for ref in done:
            cell = self._running.pop(ref)
            try:
                outcome = self._ray.get(ref)
            except self._ray.exceptions.TaskCancelledError:
                outcome = leash.STOPPED
            except self._ray.exceptions.RayError as error:
                first = str(error).strip().partition("\n")[0]
                outcome = leash.STOPPED if self._stopped else f"Ray: {first}"
            yield cell, outcome

    def stop(self) -> None:
        self._stopped = True
        for ref in self._running:
            self._ray.cancel(ref)

    def close(self) -> None:
        self._cluster.close()


class Cluster:
    """A Ray cluster, or Ray as it is started here, until it is closed.

    Args:
        address: of a cluster; None to start Ray here.
        cpus: that there have to be, where it is started here.

    Attributes:
        ray: the module.
    """

    def __init__(self, address: str | None, cpus: int):
        self.ray = ray = imported()
        own: dict[str, Any] = {
            "num_cpus": max(cpus, os.cpu_count() or 1),
            "object_store_memory": 100 << 20,
            "include_dashboard": False,
        }
        # what Ray tells of workers that were lost goes to stdout, where a table is to be
        self._aside = contextlib.redirect_stdout(sys.stderr)
        self._aside.__enter__()
        try:
            ray.init(
                address=address or "local",
                log_to_driver=False,
                configure_logging=False,
                **({} if address else own),
            )
        except Exception as error:  # one that it names no better, where it starts too slowly
            self._aside.__exit__(None, None, None)
            raise ZooError(f"no Ray at {address or 'this machine'}: {error}") from error

    def close(self) -> None:
        """Leave the cluster, or end Ray."""
        self.ray.shutdown()
        self._aside.__exit__(None, None, None)


def imported() -> Any:
    """The module ``ray``, told to report nothing to its makers, and to leave GPUs to ``zoo``.

    Raises:
        ZooError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise ZooError('Ray is not installed. Install it: pip install "keras-zoo[ray]"') from error
    return ray


def _carried_out(sweep: Sweep, cell: Cell) -> str:
    """In a worker of Ray: one attempt, from its begin to its end."""
    attempt = Attempt(sweep, cell)
    try:
        while (outcome := attempt.outcome()) is None:
            time.sleep(POLL)
        return outcome
    finally:  # it was cancelled
        attempt.stop()
