"""``zoo explore``: a latent space, walked in the browser."""

from __future__ import annotations

import errno
import socket

import click

from zoo.cli.options import data_dir_option, model_options
from zoo.errors import ZooError
from zoo.runs.folders import RULE

PORT = 7007  # or the first of the next twenty that is free


@click.command("explore", epilog=RULE)
@click.argument("run")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Where it is served; 0 for any. Default: {PORT}, or the next that is free.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Of this machine; 0.0.0.0 serves it to whoever reaches this machine.",
)
@model_options
@data_dir_option
def command(
    run: str,
    port: int | None,
    host: str,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
) -> None:
    """Walk the latent space of RUN, a run or a pretrained model, in the browser.

    Sliders move one dimension each, the most telling ones first; on a map you drag among the
    codes of test pictures. You can go from one code to another, start from samples, and draw
    or upload a picture to see what the model makes of it. The page is served to this machine
    alone, until Ctrl-C. It needs pip install "keras-zoo[explore]".

    \b
      zoo explore vae_mnist
      zoo explore latest
      zoo explore dcgan_mnist --port 8000
    """
    _require()
    from zoo.cli.trained import explored, opened, unexplored
    from zoo.runs import artifact
    from zoo.runtime.waiting import waiting

    with bound(host, port) as listening:
        found, model = opened(run, runs_folder, recipe, backend, device)
        # these import Keras, under the backend that is chosen now
        from zoo.reports import explore, explore_server
        from zoo.reports.explore_python import Python

        kept = artifact.codes(found, found.manifest)
        split = unexplored(model)
        if kept is None and model.can("decode"):
            split = explored(found, model, data_dir, recipe)
        with waiting("looking into the latent space"):
            space = explore.opened(model, split, kept)
            explore.warm(space)
        shown, number = listening.getsockname()[:2]
        shown = f"[{shown}]" if ":" in shown else shown
        click.echo(f"zoo explore is at http://{shown}:{number} (Ctrl-C ends it)")
        name = run if found.manifest.pack else found.name
        python = Python(name, recipe=recipe, runs_folder=runs_folder)
        explore_server.serve(space, name, python, host, listening)


def _require() -> None:
    """Refuse at once where what the page is made with is missing."""
    import importlib.util

    if importlib.util.find_spec("nicegui") is None:
        raise ZooError('zoo explore needs NiceGUI: pip install "keras-zoo[explore]"')


def bound(host: str, port: int | None) -> socket.socket:
    """A socket that listens there.

    Raises:
        ZooError: no port is free, or it is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    reason = ""
    for number in range(PORT, PORT + 20) if port is None else [port]:
        try:
            return socket.create_server((host, number), family=family)
        except UnicodeError:
            raise _no_address(host, "it is no address") from None
        except OSError as error:  # Python adds the address, which is told anyway
            reason = (error.strerror or str(error)).partition(" (while")[0]
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise _no_address(host, reason) from None
    tried = f"{host}:{PORT} and the next" if port is None else f"{host}:{port}"
    raise ZooError(f"{tried} cannot be listened on: {reason}. Try another --port")


def _no_address(host: str, reason: str) -> ZooError:
    return ZooError(
        f"{host}: {reason}. Name an address of this machine: --host 127.0.0.1, or 0.0.0.0 for all"
    )
