"""The command line: one file a command, imported when it is called."""

from __future__ import annotations

import errno
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

import click

from zoo import __version__
from zoo.cli import hints
from zoo.errors import CodeFailed, RunFailed, ZooError, nearest
from zoo.runtime import leash, memory
from zoo.runtime.console import brief, fitted, open_closed_streams, printable
from zoo.runtime.files import FULL, unwritable

COMMANDS = {
    "data": ("zoo.cli.data", "Look at your own pictures or arrays, before training."),
    "run": ("zoo.cli.run", "Train what a recipe says."),
    "launch": ("zoo.cli.launch", "Train in several processes, here or on a Ray cluster."),
    "resume": ("zoo.cli.resume", "Go on with a run that was stopped, or for longer."),
    "list": ("zoo.cli.list", "List plugins, recipes, pretrained models and runs."),
    "show": ("zoo.cli.show", "Describe a plugin, recipe, pretrained model or run."),
    "sample": ("zoo.cli.sample", "Draw pictures from a run or a pretrained model."),
    "reconstruct": ("zoo.cli.reconstruct", "Reconstruct, denoise or complete test pictures."),
    "interpolate": ("zoo.cli.interpolate", "Go from one test picture to another."),
    "traverse": ("zoo.cli.traverse", "Change one latent dimension at a time."),
    "view": ("zoo.cli.view", "Show what only this model can: its own views."),
    "explore": ("zoo.cli.explore", "Walk a latent space in the browser."),
    "board": ("zoo.cli.board", "Open TensorBoard on some runs, or on all."),
    "diagnose": ("zoo.cli.diagnose", "Say what goes wrong in a training, and what helps."),
    "animate": ("zoo.cli.animate", "Make a GIF of a training, or of a walk through codes."),
    "report": ("zoo.cli.report", "Write a run, or several, as one HTML file."),
    "embed": ("zoo.cli.embed", "Write the codes of test pictures, with their labels."),
    "compress": ("zoo.cli.compress", "Write your pictures as codes of a run, in a small file."),
    "decompress": ("zoo.cli.decompress", "Write the pictures of such a file."),
    "augment": ("zoo.cli.augment", "Write a labelled folder of samples of each class."),
    "score": ("zoo.cli.score", "Rank pictures by how unlike the run's they are."),
    "evaluate": ("zoo.cli.evaluate", "Measure a run from its saved weights."),
    "pack": ("zoo.cli.pack", "Make a small folder of a run, to share or ship."),
    "push": ("zoo.cli.push", "Send a run to the Hugging Face Hub, or to a folder."),
    "pull": ("zoo.cli.pull", "Fetch a pretrained model from there."),
    "export": ("zoo.cli.export", "Write a model for ONNX, TensorFlow, LiteRT or Keras."),
    "compare": ("zoo.cli.compare", "Print one table of runs; with --train, train what has none."),
    "sweep": ("zoo.cli.sweep", "Train a recipe with many settings and seeds, and compare."),
    "parity": ("zoo.cli.parity", "Compare the first steps of a recipe on all backends."),
    "check": ("zoo.cli.check", "Check a plugin: does it keep to what plugins promise?"),
    "new": ("zoo.cli.new", "Start a plugin's project, or a recipe, from one that works."),
    "doctor": ("zoo.cli.doctor", "Check this machine: backends, devices, data, folders."),
}
"""``{name: (module, its line in the help)}``; the module's ``command`` is the click command."""

EPILOG = """\b
Start with:
  zoo run vae_mnist                  train a VAE on MNIST
  zoo run vae_mnist epochs=3         the same, with a change
  zoo show latest                    what came of it
  zoo data photos                    your own pictures: look first
  zoo COMMAND --help                 all about a command

key=value changes the experiment, --options change the tool.
"""


class Commands(click.Group):
    """A group that imports a command's module only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module(COMMANDS[cmd_name][0]).command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help's list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]):
        """Find the command, or say which one is spelt nearest."""
        if not args[0].startswith("-") and args[0] not in COMMANDS:
            ctx.fail(f"no command {args[0]!r}{nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def zoo() -> None:
    """Generative models for Keras 3, on JAX, TensorFlow and PyTorch."""


def main(args: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 it worked; 1 the run or check failed, or the reader of the output has gone;
    2 a mistake in what was asked; 130 interrupted; 143 ended by SIGTERM, 129 by SIGHUP. A mistake
    is told in one message, which the variable ZOO_TRACEBACK=1 puts a traceback before, and so is
    a full disk; any other traceback means a bug.
    """
    status = _carried_out(args)
    distributed = sys.modules.get("zoo.engine.distributed")
    if distributed is not None and distributed.team is not None:
        # the others are in the middle: what a backend does at its exit would wait for them
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _carried_out(args: Sequence[str] | None) -> int:
    open_closed_streams()
    leash.follow()
    try:
        result = zoo.main(args, prog_name="zoo", standalone_mode=False)
        sys.stdout.flush()
    except click.NoSuchOption as error:
        return _refused(hints.named_setting(error, sys.argv[1:] if args is None else args))
    except click.UsageError as error:
        return _refused(error)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ZooError as error:
        shown = bool(os.environ.get("ZOO_TRACEBACK"))
        if shown:
            traceback.print_exception(error)
        hint = "; ZOO_TRACEBACK=1 shows the traceback" if isinstance(error, CodeFailed) else ""
        lines = "\n".join(
            map(printable, f"zoo: {brief(str(error))}{'' if shown else hint}".split("\n"))
        )
        click.echo(fitted(lines, sys.stderr), err=True)
        return error.exit_code
    except OSError as error:
        if error.errno in FULL:  # of stdout, or of a file that no code of the zoo's writes
            click.echo(f"zoo: {unwritable(error.filename or 'the output', error)}", err=True)
            _discard_stdout()
            return RunFailed.exit_code
        if error.errno != errno.ENAMETOOLONG:
            raise
        click.echo(f"zoo: no file can have the name {brief(repr(error.filename))}", err=True)
        return ZooError.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        _discard_stdout()
        return 1
    except Exception as error:
        if not memory.is_full(error):
            raise
        told = brief(printable(" ".join(str(error).split())))
        click.echo(
            f"zoo: out of memory ({told}). Take smaller settings: fewer examples, a smaller "
            "batch_size or model",
            err=True,
        )
        return RunFailed.exit_code
    return result if isinstance(result, int) else 0


def _discard_stdout() -> None:
    """Lead stdout nowhere: else the interpreter would complain when it flushes it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refused(error: click.UsageError) -> int:
    """Tell of a mistake in the arguments, however long they are, and return the exit status."""
    click.UsageError(brief(error.format_message()), error.ctx).show()
    return error.exit_code
