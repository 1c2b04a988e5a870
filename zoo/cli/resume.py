"""``zoo resume``: a run goes on from its last checkpoint."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import (
    backend_option,
    batch_norm_option,
    data_dir_option,
    device_option,
    devices_option,
    full_option,
    json_option,
    on_nan_option,
    restarts_option,
    runs_option,
)
from zoo.runs import folders
from zoo.runtime.console import say
from zoo.runtime.quiet import import_backend


@click.command("resume", epilog=folders.RULE_TO_RESUME)
@click.argument("run")
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
@backend_option
@device_option
@devices_option
@batch_norm_option
@restarts_option
@on_nan_option
@full_option
@runs_option
@data_dir_option
@click.option("--strict-data", is_flag=True, help="Refuse to train on data that stand in.")
@json_option
def command(
    run: str,
    changes: tuple[str, ...],
    backend: str | None,
    device: str | None,
    devices: int | None,
    batch_norm: str | None,
    restarts: int,
    on_nan: str | None,
    full: bool,
    runs_folder: str | None,
    data_dir: str | None,
    strict_data: bool,
    as_json: bool,
) -> int | None:
    """Go on with RUN from its last good checkpoint.

    The run's copy of its recipe is run as Python. Without --backend, the backend is the run's.
    KEY=VALUE changes what leaves the run its meaning: epochs, learning rates, weights of terms,
    callbacks, metrics.

    \b
      zoo resume latest
      zoo resume vae_mnist
      zoo resume latest epochs=40
      zoo resume latest --backend torch
    """
    from zoo.cli import together
    from zoo.cli.compare import given
    from zoo.cli.trained import meant
    from zoo.runtime import backends

    found = meant(run, runs_folder, to_resume=True)
    choice = backends.choose(backend or found.manifest.backend, None, device)
    together.use_batch_norm(batch_norm, choice.backend, devices, found.manifest.batch_norm)
    options = [
        *given("--backend", choice.backend),
        *given("--runs", runs_folder),
        *given("--data-dir", data_dir),
        *given("--on-nan", on_nan),
        *given("--batch-norm", batch_norm),
        *(flag for flag, on in (("--strict-data", strict_data), ("--full", full)) if on),
        *(["--json"] if as_json else []),
    ]
    status = together.supervised(
        devices,
        restarts,
        choice,
        ["resume", str(found.path), *changes, *options],
        lambda run: ["resume", run, *options],
    )
    if status is not None:
        return status
    backends.activate(choice)
    together.join(choice.backend, devices)
    by = "chosen by --backend" if backend else "the run's own"
    say(f"{choice.backend} on {choice.device} ({by})")

    import_backend()
    from zoo.cli import advice
    from zoo.cli.run import carried_out, followed, tell
    from zoo.datasets import Access
    from zoo.engine import distributed
    from zoo.training import resume
    from zoo.training.follow import follow

    tell(advice.other_device(choice))
    folder = Path(data_dir) if data_dir else None
    access = Access(data_dir=folder, strict=strict_data, say=say)
    if not distributed.is_first():
        described = found.manifest
        recipe = resume.changed(found, None, [*described.changes, *changes])
        skip = on_nan or described.on_nan
        return followed(lambda: follow(recipe, access, skip, full, runs_folder))

    def train(begun):
        return resume.resume(
            found,
            changes=changes,
            on_nan=on_nan,
            full=full,
            runs_folder=runs_folder,
            access=access,
            begun=begun,
            say=say,
        )

    return carried_out(train, as_json)
