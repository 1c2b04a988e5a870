"""Shared fixtures. Tests run on ``KERAS_BACKEND``, else on the first backend installed."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from tests import sharding, skips
from zoo.runtime import backends

SECONDS = pytest.StashKey[float]()

if not os.environ.get("KERAS_BACKEND"):
    os.environ["KERAS_BACKEND"] = (*backends.installed(), "jax")[0]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def pytest_addoption(parser):
    group = parser.getgroup("zoo")
    group.addoption(
        "--full", action="store_true", help="run slow tests too, and all tests in their whole form"
    )
    group.addoption(
        "--only-backend-tests",
        action="store_true",
        help="leave out the tests marked backend_free, and without --full once_in_short, "
        "which another pass runs",
    )
    group.addoption("--shard", metavar="I/N", help="run the i-th of n shares of the tests")
    group.addoption("--record", metavar="FILE", help="write what each test costs, as JSON")


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "once_in_short: what it is about is the same on each backend, though a backend runs it; "
        "on one in the short form, on each with --full",
    )
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in a shell's background jobs
        signal.signal(signal.SIGINT, signal.default_int_handler)  # for tests of Ctrl-C
    # nets are small here: compiling them takes far longer than running them
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
    if hasattr(config, "cache"):  # compiled programs of JAX, kept from one run to the next
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir("jax")))
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


@pytest.hookimpl(trylast=True)  # after -k and -m: what is left is shared out
def pytest_collection_modifyitems(config, items):
    left_out = []
    if config.getoption("--only-backend-tests"):
        left_out += [item for item in items if item.get_closest_marker("backend_free")]
        if not config.getoption("--full"):
            left_out += [item for item in items if item.get_closest_marker("once_in_short")]
    if not config.getoption("--full"):
        left_out += [item for item in items if item.get_closest_marker("slow")]
    if shard := config.getoption("--shard"):
        kept = [item for item in items if item not in set(left_out)]
        number, of = map(int, shard.split("/"))
        seconds = sharding.seconds_of(
            [item.nodeid for item in kept], os.environ["KERAS_BACKEND"], sharding.read()
        )
        mine = {kept[place] for place in sharding.share(seconds, number, of)}
        left_out += [item for item in kept if item not in mine]
    if left_out:
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]
        config.hook.pytest_deselected(items=list(gone))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    before = sharding.processor_seconds()
    try:
        return (yield)
    finally:
        item.stash[SECONDS] = sharding.processor_seconds() - before


def pytest_sessionfinish(session):
    if path := session.config.getoption("--record"):
        cost = {i.nodeid: i.stash[SECONDS] for i in session.items if SECONDS in i.stash}
        slow = [i.nodeid for i in session.items if i.get_closest_marker("slow")]
        Path(path).write_text(json.dumps({"seconds": cost, "slow": slow}), encoding="utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    return _of_ci((yield), item)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _of_ci((yield), collector)


def _of_ci(report, node):
    """In CI, a skip that is not allowed there is a failure."""
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if not skips.is_allowed(reason):
            report.outcome = "failed"
            report.longrepr = f"{node.nodeid} may not be skipped in CI: {reason}"
    return report


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
def full(request) -> bool:
    """Whether tests run in their whole form, for those that have a short one."""
    return request.config.getoption("--full")


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
