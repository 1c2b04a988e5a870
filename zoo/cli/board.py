"""``zoo board``: runs in TensorBoard."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import click

from zoo.cli.options import runs_option
from zoo.errors import ZooError
from zoo.runs import folders

SHOWN = {"scalars": 100_000, "images": 10_000, "text": 10_000, "histograms": 10_000}
"""How many points of a tag TensorBoard keeps, where it would keep ten images by default.

0, which its manual gives for all, shows none on most of its pages.
"""


@click.command("board", epilog=folders.RULE)
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Where it is served; 0 for any. Default: 6006, or the next that is free.",
)
@runs_option
def command(runs: tuple[str, ...], port: int | None, runs_folder: str | None) -> None:
    """Open TensorBoard on these RUNS, or on all runs.

    It is served to this machine alone, until Ctrl-C. What callbacks.TensorBoard writes into a run
    is shown whole: TensorBoard by itself keeps ten pictures of a kind. Runs that are being trained
    are read again every few seconds.

    \b
      zoo board                   all runs
      zoo board latest            one run
      zoo board vae_mnist 3f2a    two runs, side by side
    """
    from zoo.runtime.console import say
    from zoo.runtime.waiting import waiting

    root = folders.root(runs_folder)
    with tempfile.TemporaryDirectory(prefix="zoo-board-") as temporary:
        if runs:
            shown = _links([folders.find(run, root, say).path for run in runs], Path(temporary))
        else:
            shown = root.absolute()
            if not folders.all_runs(root):
                raise ZooError(f"there are no runs in {root}. Train one: zoo run vae_mnist")
        with waiting("starting TensorBoard"):
            address = served(shown, port)
        click.echo(f"TensorBoard is at {address} (Ctrl-C ends it)")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def _links(paths: Sequence[Path], folder: Path) -> Path:
    """A folder of nothing but these runs, by the names that they have among all runs."""
    for path in dict.fromkeys(path.resolve() for path in paths):
        link = folder / path.parent.name / path.name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(path, target_is_directory=True)
    return folder


def served(folder: Path, port: int | None) -> str:
    """Serve what is below a folder; returns the address."""
    import io
    import logging
    import sys
    import types

    # else TensorBoard imports TensorFlow where it is installed, which it does without as well
    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("notf"))
    from tensorboard import default, program

    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    keeps = ",".join(f"{plugin}={number}" for plugin, number in SHOWN.items())
    board = program.TensorBoard(default.get_plugins())
    options = ["--logdir", str(folder), "--host", "127.0.0.1", "--samples_per_plugin", keeps]
    options += [] if port is None else ["--port", str(port)]
    try:
        board.configure([program.__name__, *options, "--reload_interval", "5"])
        with contextlib.redirect_stderr(io.StringIO()):  # advice for users of its own command
            return board.launch()
    except program.TensorBoardServerException as error:
        raise ZooError(f"TensorBoard does not start: {error.msg}. Try another --port") from error
