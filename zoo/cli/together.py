"""What commands that train do where several processes train together."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from zoo.errors import ZooError
from zoo.runtime import ranks
from zoo.runtime.console import hush

if TYPE_CHECKING:
    from zoo.runs.run import Run
    from zoo.runtime.backends import Choice


def supervised(
    devices: int | None,
    restarts: int,
    choice: Choice,
    begin: Sequence[str],
    go_on: Callable[[str], Sequence[str]],
) -> int | None:
    """Train on several devices by processes that are started here, and return the exit status.

    Args:
        devices: how many, or None.
        restarts: how often all are started again.
        choice: the backend and the device.
        begin: a command and its arguments, without ``--device``.
        go_on: of a run's folder, the command that goes on with it.

    Returns:
        None where this process is to train by itself.

    Raises:
        ZooError: there are not so many devices, or the backend cannot.
    """
    if ranks.mine() is not None:
        if devices not in (None, 1):
            raise ZooError("--devices: this process is one of several already, as WORLD_SIZE says")
        return None
    if devices in (None, 1):
        if restarts:
            raise ZooError("--max-restarts goes with --devices: give both")
        return None
    assert devices is not None
    from zoo.training.crew import Crew
    from zoo.training.workers import Here

    device = each_device(choice, devices, "--devices")
    if choice.backend == "jax":  # one process has all of them
        if restarts:
            raise ZooError(
                "--max-restarts: on JAX one process has all devices, which is not watched"
            )
        if choice.device == "cpu":
            flag = f"--xla_force_host_platform_device_count={devices}"
            os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}".strip()
        return None
    return Crew(
        begin, go_on, lambda run: again(run, devices), devices, Here(device), restarts
    ).train()


def use_batch_norm(
    asked: str | None, backend: str, devices: int | None, kept: str | None = None
) -> None:
    """Have batch normalization take its moments as ``--batch-norm`` asks, else as a run has kept.

    Raises:
        ZooError: these devices cannot.
    """
    from zoo.engine import distributed

    alone = devices in (None, 1) and ranks.mine() is None
    if asked == "per-device" and alone:
        raise ZooError(
            "--batch-norm per-device: one device has the whole batch: add --devices 2, or leave "
            "it out"
        )
    distributed.batch_norm = asked or kept
    if distributed.batch_norm == "per-device" and backend == "jax" and not alone:
        raise ZooError(
            "batch normalization per device: on JAX one program computes the whole batch: add "
            "--batch-norm synchronized, or --backend torch"
        )


def again(run: str, devices: int) -> str:
    """What to type to go on with a run on several devices of this machine."""
    return f"zoo resume {run} --devices {devices}"


def each_device(choice: Choice, number: int, option: str) -> Callable[[int], tuple[str, str]]:
    """The option of the device of each process, by its number.

    Args:
        choice: the backend and the device.
        number: of processes.
        option: that says how many.

    Raises:
        ZooError: there are not so many devices.
    """
    from zoo.runtime import backends

    kind, _, one = choice.device.partition(":")
    if one:
        raise ZooError(f"--device {choice.device} is one device, and {option} {number} several")
    if kind == "gpu" and backends.gpus() < number:
        raise ZooError(f"{option} {number}: there are {backends.gpus()} GPUs here")
    return (lambda n: ("--device", "cpu")) if kind == "cpu" else lambda n: ("--device", f"gpu:{n}")


def join(backend: str, devices: int | None) -> None:
    """Meet the others, if this is one of several processes; take the devices, if it has several.

    It comes before Keras is imported.
    """
    rank = ranks.mine()
    if rank is None and devices not in (None, 1) and backend == "jax":
        from zoo.runtime.quiet import import_backend

        import_backend()
        from zoo.engine.distributed import jax

        jax.use(devices)
    if rank is not None:
        from zoo.engine import distributed
        from zoo.runtime.quiet import held_back

        if not rank.is_first:
            hush()
        ranks.give_signs(rank)
        with held_back():
            distributed.join(rank, backend)
        ranks.forget()


def tell_run(run: Run) -> None:
    """Tell who started this process which run it trains."""
    from zoo.engine import distributed

    rank = distributed.team.rank if distributed.team else None
    if rank is not None and rank.meeting is not None:
        (rank.meeting / ranks.RUN).write_text(str(run.path.absolute()), encoding="utf-8")
