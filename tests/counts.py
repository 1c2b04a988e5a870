"""How much work a training step and a command are, in counts: times cannot be compared in CI.

    python -m tests.counts            compare with tests/counts.json, on every installed backend
    python -m tests.counts --record   write them there

A count that grew says what became slower; one that fell is recorded. They hold for the versions
that are recorded with them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("counts.json")
ROWS, SHAPE = 16, (16, 16, 1)  # of a batch of pictures
MODELS = ("vae", "dcgan", "vaegan", "wgan_gp")
PACKAGES = {
    "jax": ("keras", "jax"),
    "tensorflow": ("keras", "tensorflow"),
    "torch": ("keras", "torch"),
}
COMMANDS = {
    "import zoo": "import zoo",
    "zoo --help": "from zoo.cli import main; main(['--help'])",
    "zoo list": "from zoo.cli import main; main(['list'])",
    "zoo show vae_mnist": "from zoo.cli import main; main(['show', 'vae_mnist'])",
    "zoo sample vae_mnist": "from zoo.cli import main; main(['sample', 'vae_mnist', '-o', OUT])",
}


def versions(backend: str) -> dict[str, str]:
    """What the counts of a backend depend on."""
    python = ".".join(map(str, sys.version_info[:2]))
    return {"python": python, **{name: version(name) for name in ("keras", backend)}}


def counted(backend: str, models: Sequence[str] = MODELS) -> dict[str, Any]:
    """The counts of a backend, model by model, made in a process of its own."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "ZOO_ACCELERATE": "all"}
    answer = subprocess.run(
        [sys.executable, "-m", "tests.counts", "--child", *models],
        cwd=FILE.parents[1],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise RuntimeError(answer.stderr)
    return json.loads(answer.stdout.splitlines()[-1])


def of_this_backend(models: Sequence[str]) -> dict[str, Any]:
    """The counts of this process's backend, model by model, in this order."""
    import keras

    count = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}[keras.backend.backend()]
    return {name: count(name) for name in models}


def _built(name: str) -> Any:
    import keras

    import zoo
    from zoo.nn.distributions import StandardNormal

    model = {
        "vae": lambda: zoo.model("vae", latent_dim=2, units=(16, 8)),
        "dcgan": lambda: zoo.model("dcgan", filters=4, prior=StandardNormal(4)),
        "wgan_gp": lambda: zoo.model("wgan_gp", filters=4, prior=StandardNormal(4)),
        "vaegan": lambda: zoo.model("vaegan", filters=4, latent_dim=4),
    }[name]()
    made = zoo.build(model, zoo.DataSpec(SHAPE))
    made.compile(optimizers={player: keras.optimizers.Adam(1e-3) for player in made.players})
    return made


def _batch() -> tuple:
    import numpy as np

    return (np.zeros((ROWS, *SHAPE), "uint8"),)


def _torch(name: str) -> dict[str, int]:
    """Of one step once its moves are traced: Python's calls, PyTorch's operations, values read."""
    from torch.utils._python_dispatch import TorchDispatchMode

    from zoo.engine.backends import backend

    steps, batch = backend.Steps(_built(name), ROWS, 1), _batch()
    for _ in range(3):
        steps.start(batch)()
    found = {"calls of Python": _calls(lambda: steps.start(batch)()), "operations": 0, "reads": 0}

    class Counted(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            found["operations"] += 1
            found["reads"] += function.name() == "aten::_local_scalar_dense"
            return function(*args, **(kwargs or {}))

    with Counted():
        steps.start(batch)()
    return found


def _calls(function: Callable[[], Any]) -> int:
    number = 0

    def watch(frame, event, arg):
        nonlocal number
        number += event == "call"

    sys.setprofile(watch)
    try:
        function()
    finally:
        sys.setprofile(None)
    return number


def _tensorflow(name: str) -> dict[str, int]:
    """Operations in the graph of a step, those of functions that it calls included."""
    import tensorflow as tf

    made = _built(name)
    batch = tuple(tf.TensorSpec(part.shape, part.dtype) for part in _batch())
    graph = tf.function(made.train_step, autograph=False).get_concrete_function(batch).graph
    inner = graph.as_graph_def().library.function
    return {"operations": len(graph.get_operations()) + sum(len(f.node_def) for f in inner)}


def _jax(name: str) -> dict[str, int]:
    """Equations of a step, and programs compiled from building to the third step and samples."""
    import jax

    from zoo.engine.backends import backend

    programs = 0

    def heard(event: str, seconds: float, **about) -> None:
        nonlocal programs
        programs += event == "/jax/core/compile/backend_compile_duration"

    jax.monitoring.register_event_duration_secs_listener(heard)
    made, batch = _built(name), _batch()
    steps = backend.Steps(made, ROWS, 1)
    for _ in range(3):
        steps.start(batch)()
    steps.sync()
    made.sample(ROWS)
    found = {"programs": programs}
    groups = (
        made.trainable_variables,
        made.non_trainable_variables,
        made.optimizer.variables,
        made.metrics_variables,
    )
    state = tuple([v.value for v in group] for group in groups)
    return {**found, "equations": _equations(jax.make_jaxpr(made.train_step)(state, batch).jaxpr)}


def _equations(jaxpr: Any) -> int:
    import jax

    def inner(part: Any) -> bool:
        return hasattr(part, "eqns") or hasattr(part, "jaxpr")

    number = 0
    for equation in jaxpr.eqns:
        parts = jax.tree.leaves([*equation.params.values()], is_leaf=inner)
        number += 1 + sum(_equations(getattr(p, "jaxpr", p)) for p in parts if inner(p))
    return number


def imported(backend: str) -> dict[str, Any]:
    """The packages of others that each command imports, and how many modules of the zoo."""
    return {name: _imported(code, backend) for name, code in COMMANDS.items()}


def _imported(code: str, backend: str) -> dict[str, Any]:
    program = f"""
import contextlib, json, os, sys, tempfile
before = set(sys.modules)
with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
    OUT = os.path.join(folder, "samples.png")
    with contextlib.suppress(SystemExit):
        {code}
found = set(sys.modules) - before
tops = sorted({{n.partition(".")[0] for n in found}} - set(sys.stdlib_module_names))
tops = [n for n in tops if n.isidentifier() and n[0] != "_" and n != "zoo"]
print(json.dumps({{"packages": tops, "own": sum(n.partition(".")[0] == "zoo" for n in found)}}))
"""
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout.splitlines()[-1])


def differences(before: Any, now: Any, where: str = "") -> list[str]:
    """Each count that differs, as ``"torch, DCGAN, operations: 700 before, 720 now"``."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            line
            for key in dict.fromkeys([*before, *now])
            for line in differences(before.get(key), now.get(key), f"{where}, {key}".lstrip(", "))
        ]
    return [] if before == now else [f"{where}: {before} before, {now} now"]


def main() -> int:
    """Compare or record."""
    parser = argparse.ArgumentParser(prog="python -m tests.counts", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write tests/counts.json")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        with contextlib.redirect_stdout(sys.stderr):
            found = of_this_backend(options.child)
        print(json.dumps(found))
        return 0
    from zoo.runtime import backends

    there = sorted(backends.installed())
    now = {b: {"versions": versions(b), "counts": counted(b)} for b in there}
    for backend in there:
        now[backend]["imports"] = imported(backend)
    before = json.loads(FILE.read_text())
    told = differences({b: before.get(b) for b in there}, now)
    print("\n".join(told) or "as recorded")
    if options.record:
        FILE.write_text(json.dumps({**before, **now}, indent=1) + "\n")
    return bool(told) and not options.record


if __name__ == "__main__":
    sys.exit(main())
