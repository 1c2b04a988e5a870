"""Shared fixtures. Tests run on ``KERAS_BACKEND``, else on the first backend installed."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from zoo.runtime import backends

if not os.environ.get("KERAS_BACKEND"):
    os.environ["KERAS_BACKEND"] = (*backends.installed(), "jax")[0]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def pytest_addoption(parser):
    parser.addoption(
        "--only-backend-tests",
        action="store_true",
        help="leave out the tests marked backend_free, which another pass runs",
    )


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in a shell's background jobs
        signal.signal(signal.SIGINT, signal.default_int_handler)  # for tests of Ctrl-C
    # nets are small here: compiling them takes far longer than running them
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
    if hasattr(config, "cache"):  # compiled programs of JAX, kept from one run to the next
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir("jax")))
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--only-backend-tests"):
        free = [item for item in items if item.get_closest_marker("backend_free")]
        items[:] = [item for item in items if item not in free]
        config.hook.pytest_deselected(items=free)


def pytest_report_header(config):
    return f"backend: {os.environ['KERAS_BACKEND']}"


@pytest.fixture
def accelerated(monkeypatch):
    """All accelerations are on during a test, whatever ``ZOO_ACCELERATE`` says."""
    from zoo.engine import accelerate
    from zoo.engine.backends import backend

    monkeypatch.setenv(accelerate.VARIABLE, "all")
    accelerate.install(os.environ["KERAS_BACKEND"], backend.device())
    yield
    accelerate.undo()


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a real distribution on the path: ``install(name, entry_points, modules, version)``."""

    def add(
        name: str,
        entry_points: dict[str, dict[str, str]],
        modules: dict[str, str] | None = None,
        version: str = "1.0",
    ) -> Path:
        site = tmp_path / f"site-{name}"
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        sections = []
        for group, points in entry_points.items():
            lines = [f"{point} = {target}" for point, target in points.items()]
            sections.append("\n".join([f"[{group}]", *lines]))
        info.joinpath("entry_points.txt").write_text("\n\n".join(sections) + "\n")
        for module, source in (modules or {}).items():
            (site / f"{module}.py").write_text(textwrap.dedent(source))
            monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.syspath_prepend(site)
        return site

    modules_before = set(sys.modules)
    yield add
    for name in set(sys.modules) - modules_before:
        origin = getattr(sys.modules[name], "__file__", None)
        if origin and Path(origin).is_relative_to(tmp_path):
            del sys.modules[name]
