"""The processes of one training on a Ray cluster: an actor of Ray starts and watches each."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zoo.errors import ZooError
from zoo.runtime import ranks
from zoo.runtime.waiting import waiting
from zoo.training.on_ray import Cluster
from zoo.training.workers import Look, Process, Worker, threads

PATIENCE = 1.0  # seconds for an answer of an actor; what is then missing was not seen
LONG = 60.0  # seconds to begin and to end
_LOST = Look(-signal.SIGKILL, 0.0, "")


class OnRay:
    """A Ray cluster whose machines share the folder of runs; see ``Place``.

    A placement group holds a CPU for each process, and a GPU where the cluster has enough of them.
    The processes find each other by addresses that their actors tell.

    Args:
        cluster: that is connected.
        of: how many processes.
        cpu: whether GPUs are left out.

    Raises:
        ZooError: the cluster is too small.
    """

    def __init__(self, cluster: Cluster, of: int, cpu: bool):
        self._ray = cluster.ray
        there = self._ray.cluster_resources()
        self._gpus = 0 if cpu or there.get("GPU", 0) < of else 1
        if there.get("CPU", 0) < of:
            raise ZooError(
                f"--processes {of}: the Ray cluster has {there.get('CPU', 0):g} CPUs, and a "
                "process takes one"
            )
        self._group: Any = None
        self._actors: list[Any] = []

    def start(self, command: Sequence[str], of: int) -> Sequence[Worker]:
        from ray.util.placement_group import placement_group
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        ray = self._ray
        bundle = {"CPU": 1, **({"GPU": 1} if self._gpus else {})}
        self._group = placement_group([bundle] * of, strategy="PACK")
        with waiting(f"waiting for room for {of} processes on Ray"):
            ray.get(self._group.ready())
        actor = ray.remote(num_cpus=1, num_gpus=self._gpus, max_restarts=0)(_Actor)
        self._actors = [
            actor.options(
                scheduling_strategy=PlacementGroupSchedulingStrategy(
                    self._group, placement_group_bundle_index=number
                )
            ).remote()
            for number in range(of)
        ]
        addresses = ray.get([actor.address.remote() for actor in self._actors], timeout=LONG)
        device = () if self._gpus else ("--device", "cpu")
        given = [*command, *device], addresses, threads(1)
        names = [a.start.remote(*given, number) for number, a in enumerate(self._actors)]
        return [
            _Remote(ray, actor, name)
            for actor, name in zip(self._actors, ray.get(names, timeout=LONG), strict=True)
        ]

    def clear(self) -> None:
        from ray.util.placement_group import remove_placement_group

        for actor in self._actors:
            self._ray.kill(actor)
        if self._group is not None:
            remove_placement_group(self._group)
        self._actors, self._group = [], None


class _Seen(NamedTuple):
    look: Look
    errors: bytes  # what the first process has written since the last time
    output: bytes


class _Actor:
    """In a worker of Ray: one process, which ends with it."""

    def address(self) -> str:
        """A free port of this machine, with the machine's address in the cluster."""
        import ray

        with socket.socket() as free:
            free.bind(("", 0))
            return f"{ray.util.get_node_ip_address()}:{free.getsockname()[1]}"

    def start(
        self,
        command: Sequence[str],
        addresses: Sequence[str],
        environment: Mapping[str, str],
        number: int,
    ) -> str:
        """Start the process, and return its name."""
        self._meeting = Path(tempfile.mkdtemp(prefix="zoo-"))
        self._first = number == 0
        # for as long as the process lives
        self._files = [tempfile.TemporaryFile() for _ in range(2)]  # noqa: SIM115
        self._read = [0, 0]
        place = ranks.environment(number, len(addresses), self._meeting, addresses)
        self._process = Process(
            command, self._meeting, {**environment, **place}, number, *self._files
        )
        return self._process.name

    def look(self) -> _Seen:
        look = self._process.look()  # first: what an ended process has written is then all there
        return _Seen(look, *map(self._new, range(2))) if self._first else _Seen(look, b"", b"")

    def _new(self, which: int) -> bytes:
        number = self._files[which].fileno()  # its place in the file is the process's too
        left = os.fstat(number).st_size - self._read[which]
        found = os.pread(number, left, self._read[which])
        self._read[which] += len(found)
        return found

    def signal(self, number: int) -> None:
        self._process.signal(number)

    def told(self) -> str:
        return "" if self._first else self._process.told()

    def kill(self) -> None:
        self._process.kill()
        shutil.rmtree(self._meeting, ignore_errors=True)


class _Remote:
    """A process that an actor has started; see ``Worker``."""

    def __init__(self, ray: Any, actor: Any, name: str):
        self._ray, self._actor, self.name = ray, actor, name
        self._asked: Any = None
        self._last = Look(None, 0.0, "")

    def look(self) -> Look:
        asked = self._asked or self._actor.look.remote()
        try:
            seen = self._ray.get(asked, timeout=PATIENCE)
        except self._ray.exceptions.GetTimeoutError:  # the answer may come later
            self._asked = asked
            return self._last
        except self._ray.exceptions.RayError:
            return _LOST._replace(run=self._last.run)
        self._asked, self._last = None, seen.look
        for stream, written in ((sys.__stderr__, seen.errors), (sys.__stdout__, seen.output)):
            if written and stream is not None:
                stream.buffer.write(written)
                stream.flush()
        return self._last

    def signal(self, number: int) -> None:
        self._tried(self._actor.signal.remote(number))

    def told(self) -> str:
        return self._tried(self._actor.told.remote()) or ""

    def kill(self) -> None:
        self._tried(self._actor.kill.remote(), LONG)

    def _tried(self, asked: Any, patience: float = PATIENCE) -> Any:
        """An actor's answer, or None where there is none."""
        try:
            return self._ray.get(asked, timeout=patience)
        except self._ray.exceptions.RayError:
            return None
