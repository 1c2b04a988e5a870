"""``zoo check``: does a plugin keep to what every plugin promises?"""

from __future__ import annotations

import json
from typing import Any

import click

from zoo.cli.options import json_option
from zoo.runtime.console import fitted


@click.command("check")
@click.argument("name")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--backend",
    metavar="NAME,...",
    help="jax, tensorflow or torch, several with commas, or all that are installed. "
    "Default: the variable KERAS_BACKEND, else the first installed.",
)
@click.option(
    "--shape",
    metavar="SHAPE",
    help="Shape of the examples that a model is built for, as in 28,28,1 or 2. "
    "Default: the first of 8,8,1, 28,28,1, 32,32,3 and 2 that it takes.",
)
@click.option(
    "--timeout",
    default=600,
    show_default=True,
    type=click.IntRange(1),
    metavar="SECONDS",
    help="How long the checks of one backend may take.",
)
@json_option
def command(
    name: str,
    settings: tuple[str, ...],
    backend: str | None,
    shape: str | None,
    timeout: int,
    as_json: bool,
) -> int:
    """Run the checks of the model, dataset or metric NAME on one backend or on all.

    Each backend has a process of its own: a plugin that crashes or hangs is told like any
    other failure. KEY=VALUE are settings; small networks are checked faster. Exit status 1
    if a check fails.

    \b
      zoo check vae "units=(8,)"
      zoo check mygan --backend all
    """
    from zoo.testing import isolated

    request = isolated.request(name, settings, shape)
    reports = {}
    for chosen in isolated.backends_of(backend):
        click.echo(f"{chosen} ...", err=True)
        reports[chosen] = isolated.in_process(chosen, request, timeout)
    isolated.compare_backends(reports)
    passed = all(not row["bad"] for rows in reports.values() for row in rows)
    if as_json:
        report = {"name": name, "passed": passed, "backends": reports}
        click.echo(json.dumps(report, indent=2))
    else:
        click.echo(fitted("\n".join(_text(name, reports))))
    return 0 if passed else 1


def _text(name: str, reports: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A row for each check, a column for each backend, and the reasons below."""
    checks = list(dict.fromkeys(row["check"] for rows in reports.values() for row in rows))
    found = {b: {row["check"]: row for row in rows} for b, rows in reports.items()}
    width = max(map(len, checks))
    lines = [f"{'':{width}}  " + "  ".join(f"{backend:<10}" for backend in reports).rstrip()]
    reasons: dict[str, list[str]] = {}
    for check in checks:
        rows = {backend: found[backend].get(check) for backend in reports}
        words = [_word(row) for row in rows.values()]
        lines.append(f"{check:<{width}}  " + "  ".join(f"{word:<10}" for word in words).rstrip())
        for backend, row in rows.items():
            if row and row["reason"]:
                reasons.setdefault(f"{check}: {row['reason']}", []).append(backend)
    lines += ["", *(f"{', '.join(of)}: {reason}" for reason, of in reasons.items())]
    bad = sum(row["bad"] for rows in reports.values() for row in rows)
    total = sum(len(rows) for rows in reports.values())
    seconds = sum(row["seconds"] for rows in reports.values() for row in rows)
    verdict = f"{bad} of {total} checks failed" if bad else f"all {total} checks passed"
    return [*lines, *([""] if reasons else []), f"{name}: {verdict} in {seconds:.0f} s"]


def _word(row: dict[str, Any] | None) -> str:
    if row is None:  # its process broke before
        return "-"
    return "FAILED" if row["bad"] else row["status"]
