"""The benchmark: one command, whose table is the one in docs/lab/performance.md.

    python -m benchmarks                                   everything
    python -m benchmarks --models A --backends jax         these only, and the machine's others stay
    python -m benchmarks --only speed --pairs 9            nothing but the main table
    python -m benchmarks --smoke                           tiny, to see that all of it runs
    python -m benchmarks --table                           only render the results once more
    python -m benchmarks --gpu                             on a GPU: see benchmarks/gpu.py

Each measurement is a process of its own. What is compared is measured side by side: an epoch of the
zoo, one of Keras, one by hand, then backwards, and so on. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
from pathlib import Path

from benchmarks import cases, gpu, running, table
from benchmarks.running import Job
from zoo.runtime import backends

PARTS = ("speed", "start", "scaling")
FOLDER = Path(__file__).parent


def main() -> int:
    """Measure, keep the results as JSON, render the table."""
    options = _options()
    if options.gpu:
        return gpu.main(options)
    results = {}
    if options.json.exists() and not options.smoke:
        results = json.loads(options.json.read_text())
    if not options.table:
        machine = running.machine([*backends.installed(), *_others()])
        for part in options.only:
            _make_room(results, part, machine)
            for backend in options.backends:
                _PARTS[part](options, backend, results.setdefault(part, {}))
                options.json.parent.mkdir(parents=True, exist_ok=True)
                options.json.write_text(json.dumps(results, indent=1) + "\n")
    text = table.rendered(results)
    print(text)
    if not options.smoke:
        table.put(text, options.docs)
    return 0


def _make_room(results: dict, part: str, machine: dict) -> None:
    """Let go of a part that another machine measured: no table has numbers of two."""

    def place(told):
        versions = {n: v for n, v in told.get("versions", {}).items() if n != "pythae"}
        return {**told, "versions": versions}

    machines = results.setdefault("machines", {})
    if place(machines.get(part, {})) != place(machine):
        results[part] = {}
    machines[part] = machine


def _options():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    there = backends.installed()

    def some(known):
        def chosen(text):
            names = text.split(",")
            for name in names:
                if name not in known:
                    raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
            return names

        return chosen

    add = parser.add_argument
    add("--models", type=some(tuple(cases.CASES)), default=list(cases.CASES), metavar="NAME,...")
    add("--backends", type=some(there), default=list(there), metavar="NAME,...")
    add("--variants", type=some(cases.VARIANTS), default=list(cases.VARIANTS), metavar="NAME,...")
    add("--only", type=some(PARTS), default=list(PARTS), metavar="PART,...", help=", ".join(PARTS))
    add("--pairs", type=int, default=5, help="times that each comparison is made")
    add("--seconds", type=float, help="of training timed in a measurement; 3, on a GPU 1")
    add("--json", type=Path, help="where results are kept: results.json or gpu.json")
    add("--docs", type=Path, default=FOLDER.parent / "docs/lab/performance.md")
    add("--smoke", action="store_true", help="tiny models, one time, no table in the docs")
    add("--table", action="store_true", help="measure nothing, render the results that are kept")
    add("--gpu", action="store_true", help="precisions, chunks and share of peak on a GPU")
    add("--device", choices=("gpu", "cpu"), default="gpu", help="with --gpu: cpu to try it out")
    add("--minutes", type=float, default=10.0, help="with --gpu: time for all of it")
    options = parser.parse_args()
    if not options.gpu:
        options.json = options.json or FOLDER / "results.json"
        options.seconds = 3.0 if options.seconds is None else options.seconds
    if options.smoke:
        options.pairs, options.seconds = 1, 0.0
    return options


def _case(options, name, changes=None):
    return dict(cases.SMOKE[name]) if options.smoke else dict(changes or {})


def _others() -> list[str]:
    """Other libraries that are installed."""
    return ["pythae"] if importlib.util.find_spec("pythae") else []


def _can(variant, backend) -> bool:
    return variant != "pythae" or (backend == "torch" and variant in _others())


_NOTHING_KEPT = {"JAX_ENABLE_COMPILATION_CACHE": "false"}
_AS_IT_COMES = {"keras": {"ZOO_ACCELERATE": "none"}}  # though its networks are the zoo's


def _speed(options, backend, results):
    """Who trains how fast; no compiled program is kept from one to the next."""
    for name in options.models:
        jobs = {
            variant: Job(
                name,
                backend,
                variant,
                _case(options, name),
                environment=_AS_IT_COMES.get(variant, {}) | _NOTHING_KEPT,
            )
            for variant in cases.CASES[name].variants
            if variant in options.variants and _can(variant, backend)
        }
        found = running.side_by_side(jobs, options.pairs, options.seconds)
        results.setdefault(name, {}).setdefault(backend, {}).update(found)


def _start(options, backend, results):
    """A first start, and a second one that finds what the first has compiled."""
    if backend != "jax":
        return
    for name in [name for name in ("A", "C") if name in options.models]:
        found: dict[str, list] = {"first": [], "second": []}
        for _ in range(options.pairs):
            with tempfile.TemporaryDirectory() as folder:
                case, kept = _case(options, name, {"steps": 4}), {"KERAS_HOME": folder}
                job = Job(name, backend, "zoo", case, environment=kept)
                for told in found.values():
                    told.append(running.measured(job, options.seconds))
        results[name] = {backend: found}


def _scaling(options, backend, results):
    """The zoo alone, once each."""
    for what, settings in cases.SCALING.items():
        for words, name, changes in settings[:1] if options.smoke else settings:
            changes = {**changes, **(cases.SMOKE[name] if options.smoke else {})}
            told = running.measured(Job(name, backend, "zoo", changes), options.seconds)
            results.setdefault(what, {}).setdefault(words, {})[backend] = told


_PARTS = {"speed": _speed, "start": _start, "scaling": _scaling}


if __name__ == "__main__":
    raise SystemExit(main())
