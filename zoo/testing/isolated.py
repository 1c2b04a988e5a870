"""The checks of a registered plugin, in a process of its own for each backend.

``python -m zoo.testing.isolated REQUEST`` is such a process.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.config.values import literal
from zoo.errors import ZooError, shortened, unknown
from zoo.plugin import registry
from zoo.runtime import backends, processes

COMPARED = {  # checks that no process can make alone, and what each process records for them
    "first_steps_are_the_same_everywhere": "losses",
    "samples_are_the_same_everywhere": "samples",
}
TOLERANCE = 1e-4  # relative; within it backends round differently


def request(name: str, settings: Sequence[str], shape: str | None) -> dict[str, Any]:
    """What a process is asked to check.

    Raises:
        ZooError: the name is not known, or a setting or the shape cannot be read.
    """
    kind = _kind(name)
    changes = {}
    for setting in settings:
        key, separator, text = setting.partition("=")
        if not separator or not key:
            raise ZooError(f"{setting!r} is no setting: write KEY=VALUE, as in latent_dim=2")
        changes[key] = literal(text)
    sizes = None
    if shape is not None:
        try:
            sizes = [int(size) for size in shape.split(",")]
        except ValueError:
            sizes = [0]
        if min(sizes) < 1:
            raise ZooError(f"--shape {shape}: numbers with commas, as in 28,28,1 or 2")
    return {"kind": kind, "name": name, "settings": changes, "shape": sizes}


def _kind(name: str) -> str:
    known = {kind: registry.records(kind) for kind in registry.GROUPS}
    for kind, records in known.items():
        if any(name in (record.name, record.full_name) for record in records):
            registry.find(kind, name)  # or say who else claims it
            return kind
    names = [record.typed for records in known.values() for record in records]
    raise unknown("model, dataset or metric", name, names)


def backends_of(option: str | None) -> list[str]:
    """The backends that ``--backend`` names.

    Raises:
        ZooError: one is not known, or not installed.
    """
    if option == "all":
        there = list(backends.installed())
        if not there:
            raise ZooError(f"no backend is installed. {backends.how_to_install('jax')}")
        return there
    named = option.split(",") if option else [None]
    return [backends.choose(name).backend for name in named]


def in_process(backend: str, asked: dict[str, Any], timeout: float) -> list[dict[str, Any]]:
    """The results of one backend, as ``zoo.testing.Result`` has them and whether they are bad.

    A process that crashes, hangs or cannot make the plugin gives one row, ``runs``.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        environment = {
            "KERAS_BACKEND": backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            # nets are small here: compiling them takes far longer than running them
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        }
        arguments = ["-m", "zoo.testing.isolated", json.dumps({**asked, "answer": str(answer)})]
        why = processes.failure(arguments, timeout, environment)
        try:
            told = json.loads(answer.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            told = []
    if why:
        row = {"check": "runs", "status": "failed", "reason": why, "seconds": 0.0, "bad": True}
        told.append(row)
    return told


def compare_backends(reports: dict[str, list[dict[str, Any]]]) -> None:
    """Fill in the checks that no process can make alone: all against the first backend."""
    for check, recorded in COMPARED.items():
        rows = {
            backend: row
            for backend, own in reports.items()
            for row in own
            if row["check"] == check and row.get(recorded)
        }
        if len(rows) < 2:
            continue
        first, reference = next(iter(rows.items()))
        for row in rows.values():
            ours, theirs = row[recorded], reference[recorded]
            apart = _apart(ours, theirs, together=recorded == "samples")
            same = apart <= TOLERANCE or ours == theirs
            row["status"], row["bad"] = ("passed", False) if same else ("failed", True)
            listed = ", ".join(f"{number:.6g}" for number in ours[:3])
            more = ", ..." if len(ours) > 3 else ""
            others = ", ".join(f"{number:.6g}" for number in theirs[:3])
            told = (
                f"{recorded} {listed}{more}, on {first} {others}{more}: a relative difference of "
                f"{apart:.1g}, where {TOLERANCE:g} is allowed (why backends differ: "
                "docs/concepts/randomness.md; which term and step: zoo parity)"
            )
            row["reason"] = "" if same else told
    for row in (row for own in reports.values() for row in own):
        row.pop("samples", None)  # thousands of numbers, which nobody reads


def _apart(ours: list[float], theirs: list[float], together: bool) -> float:
    """The largest difference, relative to each number, or to the largest of all together."""
    if len(ours) != len(theirs):
        return float("inf")
    sizes = [max(abs(a), abs(b), 1e-12) for a, b in zip(ours, theirs, strict=True)]
    sizes = [max(sizes)] * len(sizes) if together else sizes
    apart = [abs(a - b) / size for a, b, size in zip(ours, theirs, sizes, strict=True)]
    return float("inf") if any(d != d for d in apart) else max(apart)


def results(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the checks under the backend of this process."""
    from zoo.testing import Case, run_checks
    from zoo.testing.checks.bench import Bench
    from zoo.testing.checks.cases import data_for

    plugin = registry.create(asked["kind"], asked["name"], **asked["settings"])
    wanted = asked["shape"] and asked["kind"] == "models"
    data = data_for(plugin, tuple(asked["shape"])) if wanted else None
    case = Case(plugin, data, name=asked["name"])
    rows = [vars(result) | {"bad": result.bad} for result in run_checks(case)]
    bench = Bench(case)
    for row in rows:
        recorded = COMPARED.get(row["check"])
        if recorded and row["status"] == "skipped":
            try:
                row[recorded] = {
                    "losses": lambda: bench.compiled_losses,
                    "samples": lambda: bench.compiled_samples.ravel().tolist(),
                }[recorded]()
            except Exception:  # a check of its own says why
                continue
    return rows


def _main(text: str) -> None:
    asked = json.loads(text)
    try:
        told = results(asked)
    except ZooError as error:
        print(shortened(str(error), 600), file=sys.stderr)
        sys.exit(2)
    answer = Path(asked["answer"])
    temporary = answer.with_suffix(".part")
    temporary.write_text(json.dumps(told), encoding="utf-8")
    os.replace(temporary, answer)


if __name__ == "__main__":
    _main(sys.argv[1])
