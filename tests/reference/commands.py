"""The page of all commands: usage, help and options, as click has them."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator

import click

from tests.reference import fence, inline, prose
from zoo.cli import COMMANDS, zoo

INTRO = """\
# Commands

`zoo COMMAND --help` prints the same. `key=value` changes the experiment, `--options` change the
tool. RUN is a run or a pretrained model: [what a name
means](../concepts/runs.md#what-a-name-means).

Results go to stdout, progress and warnings to stderr. The exit status is

| status | meaning |
|---|---|
| 0 | it worked |
| 1 | the run or the check failed, a disk is full, or the reader of the output has gone |
| 2 | a mistake in what you typed; one message says what |
| 129, 130, 143 | the terminal was closed (SIGHUP), interrupted by Ctrl-C, ended by SIGTERM |

The first Ctrl-C ends a run between two steps with a checkpoint; the second stops within a second,
without one. A traceback is a bug. `ZOO_TRACEBACK=1` prints the traceback of a mistake too, for
authors of models and recipes.
"""


def pages() -> dict[str, str]:
    """``{path within docs: text}``."""
    top = click.Context(zoo, info_name="zoo", **zoo.context_settings)  # click keeps its -h
    listed = "\n".join(
        f"- [`zoo {name}`](#zoo-{name}): {line}" for name, (_, line) in COMMANDS.items()
    )
    blocks = [INTRO.rstrip(), listed]
    for name in COMMANDS:
        blocks += described(zoo.get_command(top, name), click.Context(top.command, top, name))
    return {"reference/commands.md": "\n\n".join(blocks) + "\n"}


def described(command: click.Command, context: click.Context) -> Iterator[str]:
    """A command, and those within it, as blocks of Markdown."""
    context = click.Context(command, context.parent, context.info_name)
    path = context.command_path
    yield f"{'#' * len(path.split())} {path}"
    if isinstance(command, click.Group):
        yield from text(command.help)
        for name in command.list_commands(context):
            yield from described(
                command.get_command(context, name), click.Context(command, context, name)
            )
        return
    yield fence(f"{path} {' '.join(command.collect_usage_pieces(context))}", "text")
    yield from text(command.help)
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    if options:
        yield "\n".join(["| option | meaning |", "|---|---|", *map(row, options)])


def text(help: str | None) -> list[str]:
    """A command's help; what click does not wrap is code."""
    blocks: list[str] = []
    for part in re.split(r"\n\n", inspect.cleandoc(help or "")):
        if part.startswith("\b\n"):
            blocks.append(fence(textwrap.dedent(part[2:]), "sh" if "zoo " in part else "text"))
        else:
            blocks += prose(part, "")
    return blocks


def row(option: click.Option) -> str:
    """An option as a row of a table."""
    names, about = option.get_help_record(click.Context(click.Command("zoo")))
    code = f"`{names}`".replace("|", "\\|")
    return f"| {code} | {inline(about).replace('|', chr(92) + '|')} |"
