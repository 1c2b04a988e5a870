"""The first samples and steps of a recipe on every backend, compared number by number.

``python -m zoo.testing.parity`` records the steps of one backend, the one of its process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import RunFailed, ZooError

Trace = Mapping[str, Sequence[float]]
"""``{term: its value at each step}``"""

SAMPLES = 8
"""How many samples are compared. They are drawn before the first step, from equal weights."""


@dataclass(frozen=True)
class Recording:
    """What one backend made.

    Attributes:
        trace: the terms of the first steps.
        samples: numbers of the samples, one after the other; none of a model that cannot sample.
    """

    trace: Trace
    samples: Sequence[float] = ()


@dataclass(frozen=True)
class Difference:
    """Where a term differs most.

    Attributes:
        term: its name in the logs.
        relative: ``|a - b| / max(|a|, |b|, |L|)``, the largest over steps and pairs of backends.
            L is the loss of the term's player: a small term that is the difference of large
            numbers, as a KL may be, has their rounding.
        step: the step of it, from 1; 0 for samples, which are drawn before.
        backends: the pair of backends.
    """

    term: str
    relative: float
    step: int
    backends: tuple[str, str]


def differences(traces: Mapping[str, Trace]) -> list[Difference]:
    """The largest relative difference of every term.

    Args:
        traces: ``{backend: trace}``, of at least two backends.

    Raises:
        RunFailed: the backends have different terms or numbers of steps.
    """
    backends = list(traces)
    shapes = {backend: {t: len(v) for t, v in trace.items()} for backend, trace in traces.items()}
    if any(shapes[backend] != shapes[backends[0]] for backend in backends):
        raise RunFailed(f"the backends recorded different terms or steps: {shapes}")
    found = []
    for term in traces[backends[0]]:
        candidates = [
            Difference(term, _apart(a, b, max(map(abs, (a, b, loss)))), step, (first, second))
            for i, first in enumerate(backends)
            for second in backends[i + 1 :]
            for step, (a, b, loss) in enumerate(_beside(traces[first], traces[second], term), 1)
        ]
        found.append(max(candidates, key=lambda difference: difference.relative))
    return found


def samples_difference(recordings: Mapping[str, Recording]) -> Difference | None:
    """The largest difference of the samples, relative to their largest number; step 0.

    Args:
        recordings: ``{backend: recording}``, of at least two backends.

    Returns:
        None for a model that cannot sample.

    Raises:
        RunFailed: the backends made different numbers of samples, or some made none.
    """
    made = {backend: recording.samples for backend, recording in recordings.items()}
    sizes = {backend: len(numbers) for backend, numbers in made.items()}
    if len(set(sizes.values())) > 1:
        raise RunFailed(f"the backends made samples of different sizes: {sizes}")
    if not any(sizes.values()):
        return None
    largest = max(abs(number) for numbers in made.values() for number in numbers)
    backends, candidates = list(made), []
    for i, first in enumerate(backends):
        for second in backends[i + 1 :]:
            apart = [_apart(a, b, largest) for a, b in zip(made[first], made[second], strict=True)]
            candidates.append(Difference("samples", max(apart), 0, (first, second)))
    return max(candidates, key=lambda difference: difference.relative)


def _beside(first: Trace, second: Trace, term: str) -> Iterator[tuple[float, float, float]]:
    """A term on two backends, and the loss of its player, at each step."""
    loss = f"{term.partition('/')[0]}/loss"  # a single player's is the loss alone
    return zip(first[term], second[term], first.get(loss, first.get("loss", ())), strict=True)


def _apart(a: float, b: float, size: float) -> float:
    if a == b:
        return 0.0
    difference = abs(a - b) / size
    return difference if difference == difference else float("inf")  # nan: not equal at all


def record_in_process(
    backend: str, path: Path, changes: Sequence[str], steps: int, options: Mapping[str, object]
) -> Recording:
    """Record the first samples and steps on a backend, in a process of its own.

    Raises:
        ZooError: what that process told of a mistake in the recipe.
        RunFailed: that process broke.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "trace.json"
        request = json.dumps(
            {
                "recipe": str(path),
                "changes": list(changes),
                "steps": steps,
                "answer": str(answer),
                **options,
            }
        )
        environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [sys.executable, "-m", "zoo.testing.parity", request],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if answer.exists():
            told = json.loads(answer.read_text(encoding="utf-8"))
            if "error" in told:
                raise ZooError(told["error"])
            return Recording(**told)
    raise RunFailed(f"{backend} broke with exit status {done.returncode}:\n{done.stderr[-2000:]}")


def record(request: Mapping) -> Recording:
    """The first samples, and the terms of the first steps, under the backend of this process."""
    from zoo.config import overrides
    from zoo.config import recipe as recipes
    from zoo.datasets import Access
    from zoo.training.experiment import prepare

    recipe = overrides.override(recipes.load(Path(request["recipe"])), request["changes"])
    folder = Path(request["data_dir"]) if request.get("data_dir") else None
    # what stands in, if anything, is said by the process that asked
    access = Access(data_dir=folder, strict=bool(request.get("strict")), say=lambda line: None)
    experiment = prepare(recipe, access)
    model, batches = experiment.model, experiment.batches
    samples = model.sample(SAMPLES).ravel().tolist() if model.can("sample") else []
    trace: dict[str, list[float]] = {}
    for step in range(request["steps"]):
        epoch, index = divmod(step, len(batches))
        batches.epoch = epoch
        model.reset_metrics()
        logs = model.train_on_batch(*batches[index], return_dict=True)
        for term, value in logs.items():
            trace.setdefault(term, []).append(float(value))
    return Recording(trace, samples)


def _main(text: str) -> None:
    from zoo.runtime.keras import pinned

    request = json.loads(text)
    answer: dict[str, object]
    try:
        with pinned():
            answer = vars(record(request))
    except ZooError as error:
        answer = {"error": str(error)}
    Path(request["answer"]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    _main(sys.argv[1])
