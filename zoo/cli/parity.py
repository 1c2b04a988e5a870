"""``zoo parity``: do all backends take the same first steps?"""

from __future__ import annotations

import json
import math
import os

import click

from zoo.cli.options import data_dir_option, json_option


@click.command("parity")
@click.argument("recipe")
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--steps", default=20, show_default=True, type=click.IntRange(1), help="Steps made.")
@click.option(
    "--tolerance",
    default=1e-4,
    show_default=True,
    type=click.FloatRange(0),
    help="Largest relative difference that passes.",
)
@data_dir_option
@click.option("--strict-data", is_flag=True, help="Refuse to train on data that stand in.")
@json_option
def command(
    recipe: str,
    changes: tuple[str, ...],
    steps: int,
    tolerance: float,
    data_dir: str | None,
    strict_data: bool,
    as_json: bool,
) -> int:
    """Make the first steps of RECIPE on every installed backend and compare them.

    Each backend runs in a process of its own, on the CPU, from the recipe's seed. Printed is the
    largest relative difference of every term, over all steps and pairs of backends.
    Exit status 1 if one is above the tolerance.

    \b
      zoo parity vae_mnist --steps 100 --tolerance 1e-5
      zoo parity dcgan_mnist dataset.batch_size=32
    """
    from zoo.config import recipe_files
    from zoo.errors import ZooError
    from zoo.runtime import backends
    from zoo.runtime.console import counted
    from zoo.testing import parity

    path = recipe_files.find(recipe)
    there = backends.installed()
    if len(there) < 2:
        others = [name for name in backends.BACKENDS if name not in there]
        raise ZooError(
            f"parity compares backends, and only {', '.join(there) or 'none'} is installed. "
            f"{backends.how_to_install(others[0])}"
        )
    # the same device for all: a GPU's rounding is not a CPU's
    os.environ.update(backends.ON_CPU)
    options = {"data_dir": data_dir, "strict": strict_data}
    traces = {}
    for backend in there:
        click.echo(f"{backend}: {counted(steps, 'step')}", err=True)
        traces[backend] = parity.record_in_process(backend, path, changes, steps, options)
    found = parity.differences(traces)
    passed = all(difference.relative <= tolerance for difference in found)
    if as_json:
        report = {
            "steps": steps,
            "tolerance": tolerance,
            "passed": passed,
            "terms": [{**vars(d), "relative": _finite(d.relative)} for d in found],
            "traces": {
                backend: {
                    term: [_finite(value) for value in values] for term, values in own.items()
                }
                for backend, own in traces.items()
            },
        }
        click.echo(json.dumps(report, indent=2))
        return 0 if passed else 1
    width = max(len(difference.term) for difference in found)
    for d in found:
        place = f"step {d.step}, {' and '.join(d.backends)}" if d.relative else "all steps equal"
        mark = "" if d.relative <= tolerance else "  above the tolerance"
        click.echo(f"{d.term:<{width}}  {d.relative:.1e}  ({place}){mark}")
    verdict = "agree within" if passed else "differ by more than"
    over = counted(steps, "step")
    click.echo(f"{', '.join(there)} {verdict} {tolerance:g} over {over}")
    return 0 if passed else 1


def _finite(value: float) -> float | None:
    """JSON has no infinity."""
    return value if math.isfinite(value) else None
