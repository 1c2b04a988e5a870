"""``zoo doctor``: does this machine have what a run needs?"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from zoo import __version__
from zoo.cli.options import data_dir_option, json_option, runs_option
from zoo.engine import accelerate
from zoo.errors import ZooError
from zoo.runs import folders
from zoo.runtime import backends
from zoo.runtime.console import fitted

SECONDS = 120
"""How long a backend may take to start."""

DEVICES = {
    "jax": "import jax; version, devices = jax.__version__, [str(d) for d in jax.devices()]",
    "tensorflow": (
        "import tensorflow as tf; version = tf.__version__\n"
        "devices = [d.name.removeprefix('/physical_device:') "
        "for d in tf.config.list_physical_devices()]"
    ),
    "torch": (
        "import torch; version = torch.__version__\n"
        "devices = ['cpu'] + [f'cuda:{i} ({torch.cuda.get_device_name(i)})' "
        "for i in range(torch.cuda.device_count())]\n"
        "devices += ['mps'] if torch.backends.mps.is_available() else []"
    ),
}
"""What a child process runs to import a backend and name its devices."""

MULTIPLY = """
import json, keras
product = keras.ops.matmul(keras.ops.ones((64, 32)), keras.ops.ones((32, 8)))
total = float(keras.ops.sum(product))
assert total == 64 * 32 * 8, f"a sum of products is {total} instead of {64 * 32 * 8}"
from zoo.engine import accelerate
from zoo.engine.backends import backend
accelerate.install(keras.backend.backend(), backend.device())
found = {"version": version, "devices": devices}
found["accelerations"] = accelerate.report(keras.backend.backend())
print("\\n" + json.dumps(found))
"""
"""What it runs next; its last line is the answer."""


@click.command("doctor")
@runs_option
@data_dir_option
@json_option
def command(runs_folder: str | None, data_dir: str | None, as_json: bool) -> int:
    """Check backends, devices, accelerations, versions, data, and the folder for runs.

    Every backend is tried in a process of its own, so that one which crashes or
    hangs is reported as such. Exit status 1 when nothing could be trained here.
    """
    accelerate.wanted()  # refuses a wrong name here, not in every child
    report = {
        "versions": _versions(),
        "gpus": backends.gpus(),
        "backends": _probe_all(),
        "backend": _chosen(),
        "data": _data(data_dir),
        "runs": _folder(folders.root(runs_folder)),
    }
    report["ready"], report["verdict"] = _verdict(report)
    click.echo(json.dumps(report, indent=2) if as_json else fitted(_text(report)))
    return 0 if report["ready"] else 1


def _versions() -> dict[str, str | None]:
    """Versions of what matters, None for what is not installed; nothing is imported."""
    versions: dict[str, str | None] = {
        "python": platform.python_version(),
        "zoo": __version__,
    }
    for name in ("keras", "numpy", "tensorboard", "keras-cv"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def _chosen() -> dict[str, str | None]:
    """The backend that commands and ``import zoo`` take here, and why."""
    try:
        choice = backends.choose()
    except ZooError as error:
        return {"name": None, "why": str(error)}
    return {"name": choice.backend, "why": choice.reason}


def _probe_all() -> dict[str, dict[str, Any]]:
    """Try all installed backends at once, each in a child process."""
    children = {name: _start(name) for name in backends.installed()}
    try:
        return {
            name: _answer(children[name])
            if name in children
            else {"works": False, "why": "not installed", "fix": backends.how_to_install(name)}
            for name in backends.BACKENDS
        }
    finally:
        for child in children.values():
            child.kill()
            child.wait()


def _start(name: str) -> subprocess.Popen:
    return subprocess.Popen(
        # -P: a file in the working folder must not pass for a package.
        [sys.executable, "-P", "-c", DEVICES[name] + MULTIPLY],
        env=os.environ | {"KERAS_BACKEND": name, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


def _answer(child: subprocess.Popen) -> dict[str, Any]:
    """What a child found out, or why it could not."""
    try:
        output, errors = child.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return {"works": False, "why": f"no answer within {SECONDS} s"}
    if child.returncode == 0:
        try:
            return {"works": True, **json.loads(output.splitlines()[-1])}
        except (IndexError, ValueError):
            return {"works": False, "why": f"did not answer as asked: {output.strip()[-200:]!r}"}
    if child.returncode < 0:
        return {"works": False, "why": f"crashed with {signal.Signals(-child.returncode).name}"}
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return {"works": False, "why": lines[-1] if lines else f"exit status {child.returncode}"}


def _data(data_dir: str | None) -> dict[str, Any]:
    """Where MNIST was found, or why it is of no use."""
    from zoo.datasets import mnist
    from zoo.plugin.dataset import Access

    try:
        access = Access(Path(data_dir) if data_dir else None)
        files = mnist.find(access)
        if files:
            mnist.read(files)
    except ZooError as error:
        return {"mnist": None, "why": str(error)}
    if not files:
        places = " or ".join(str(folder) for folder in access.folders())
        return {"mnist": None, "why": f"not in {places}; a run will try to download it"}
    return {"mnist": [str(file) for file in files]}


def _folder(root: Path) -> dict[str, Any]:
    """Whether runs can be written, without making their folder."""
    place = root.absolute()
    while not place.exists():
        place = place.parent
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".zoo-doctor-"):
            pass
    except OSError as error:
        return {"path": str(root), "writable": False, "why": f"{place}: {error.strerror}"}
    return {"path": str(root), "writable": True, "free_bytes": shutil.disk_usage(place).free}


def _verdict(report: dict[str, Any]) -> tuple[bool, str]:
    working = [name for name, found in report["backends"].items() if found["works"]]
    if not working:
        return False, f"Not ready: no backend works. {backends.how_to_install('jax')}"
    if not report["runs"]["writable"]:
        return False, "Not ready: runs cannot be written. Choose a folder with --runs or ZOO_RUNS."
    return True, f"Ready, on {', '.join(working)}. Try: zoo run vae_mnist"


def _text(report: dict[str, Any]) -> str:
    versions, folder, data = report["versions"], report["runs"], report["data"]
    optional = {"keras-cv": "not installed (optional)"}
    lines = [
        (name, version or optional.get(name, "not installed")) for name, version in versions.items()
    ]
    for name, found in report["backends"].items():
        lines.append((name, _backend_text(name, found, report["gpus"])))
        lines += [("", text) for text in _accelerations_text(found)]
    chosen = report["backend"]
    lines.append(("backend", ", ".join(filter(None, (chosen["name"], chosen["why"])))))
    lines.append(("gpu", f"{report['gpus']} of NVIDIA's" if report["gpus"] else "none of NVIDIA's"))
    lines.append(("mnist", ", ".join(data["mnist"]) if data["mnist"] else data["why"]))
    writable = folder["writable"]
    state = (
        f"{folder['free_bytes'] / 1e9:.0f} GB free"
        if writable
        else f"NOT WRITABLE, {folder['why']}"
    )
    lines.append(("runs", f"{folder['path']} ({state})"))
    width = max(len(name) for name, _ in lines)
    return "\n".join([*(f"{name:<{width}}  {text}" for name, text in lines), "", report["verdict"]])


def _backend_text(name: str, found: dict[str, Any], gpus: int) -> str:
    if not found["works"]:
        fix = f". {found['fix']}" if "fix" in found else ""
        return f"{found['why']}{fix}" if fix else f"DOES NOT WORK: {found['why']}"
    text = f"{found['version']} works on {', '.join(found['devices'])}"
    on_gpu = any(word in device.lower() for device in found["devices"] for word in ("gpu", "cuda"))
    if gpus and not on_gpu:
        text += f'; it does not use the GPU: pip install "keras-zoo[{name}-cuda]"'
    return text


def _accelerations_text(found: dict[str, Any]) -> list[str]:
    """A line for each acceleration of a backend: its name, on or off, and why off."""
    listed = found.get("accelerations", [])
    width = max((len(own["name"]) for own in listed), default=0)
    return [
        f"{own['name']:<{width}}  " + ("on" if own["on"] else f"off: {own['why']}")
        for own in listed
    ]
