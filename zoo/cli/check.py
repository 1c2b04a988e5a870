"""``zoo check``: does a plugin keep to what every plugin promises?"""

from __future__ import annotations

import json
from typing import Any

import click

from zoo.cli.options import json_option
from zoo.runtime.console import counted, fitted


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
    """Run the checks of the plugin NAME on one backend or on all.

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
    """A row for each check, a column for each backend, and the reasons below.

    Checks that were not tried, all for one reason, have one line, and so have those that do not
    apply.
    """
    everything = [row for rows in reports.values() for row in rows]
    apart = dict.fromkeys(r["check"] for r in everything if r["status"] == "not applicable")
    tried = [row for row in everything if row["check"] not in apart and not _untried(row)]
    checks = list(dict.fromkeys(row["check"] for row in tried))
    found = {b: {row["check"]: row for row in rows} for b, rows in reports.items()}
    width = max(map(len, checks))
    lines = [f"{'':{width}}  " + "  ".join(f"{backend:<10}" for backend in reports).rstrip()]
    for check in checks:
        words = [_word(found[backend].get(check)) for backend in reports]
        lines.append(f"{check:<{width}}  " + "  ".join(f"{word:<10}" for word in words).rstrip())
    reasons: dict[str, list[str]] = {}
    for backend, rows in reports.items():
        untried = [row["reason"] for row in rows if _untried(row)]
        told = [f"{row['check']}: {row['reason']}" for row in rows if row["reason"]]
        told = [reason for reason in told if reason.partition(": ")[2] not in untried]
        for reason in [*told, *(f"{counted(len(untried), 'check')} {why}" for why in untried[:1])]:
            reasons.setdefault(reason, []).append(backend)
    below = [f"{', '.join(of)}: {reason}" for reason, of in reasons.items()]
    below += [f"not applicable: {', '.join(apart)}"] if apart else []
    bad, seconds = sum(r["bad"] for r in everything), sum(r["seconds"] for r in everything)
    verdict = f"{bad} of {len(tried)} checks failed" if bad else f"all {len(tried)} checks passed"
    return [*lines, "", *below, *([""] if below else []), f"{name}: {verdict} in {seconds:.0f} s"]


def _untried(row: dict[str, Any]) -> bool:
    """Whether a check could not be tried, for a reason that another check tells."""
    return row["status"] == "skipped" and row["reason"].startswith("not tried")


def _word(row: dict[str, Any] | None) -> str:
    if row is None:  # its process broke before
        return "-"
    return "FAILED" if row["bad"] else row["status"]
