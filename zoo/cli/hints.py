"""What to type in place of an option that does not exist."""

from __future__ import annotations

from collections.abc import Sequence

import click

_PLACES = {
    "batch_size": "dataset.batch_size",
    "latent_dim": "model.latent_dim",
    "learning_rate": "optimizers.PLAYER.learning_rate",
    "lr": "optimizers.PLAYER.learning_rate",
}
"""Where settings are that people look for as options."""

_PARTS = (
    *("model", "dataset", "optimizers", "weights", "callbacks", "metrics", "sampler"),
    *("epochs", "seed", "ema", "precision"),
)


def named_setting(error: click.NoSuchOption, args: Sequence[str]) -> click.UsageError:
    """The error for ``--epochs 3``; where the command takes changes, it says ``epochs=3``."""
    command = error.ctx.command if error.ctx else None
    if not any("KEY=VALUE" in (p.metavar or "") for p in (command.params if command else ())):
        return error
    key = error.option_name.lstrip("-").replace("-", "_")
    of_plugin = command is not None and command.name == "check"
    key = key if of_plugin else _PLACES.get(key, key)
    example = f"{key}={_value(error.option_name, args)}"
    if not of_plugin and key.partition(".")[0] not in _PARTS:
        if error.possibilities:
            return error
        example = "KEY=VALUE, as in epochs=3"
    return click.UsageError(
        f"there is no option {error.option_name}; a setting is given without dashes: {example}",
        error.ctx,
    )


def _value(option: str, args: Sequence[str]) -> str:
    """What was typed for an option, beside it or after an equals sign."""
    for place, arg in enumerate(args):
        if arg.partition("=")[0] == option:
            beside = args[place + 1] if place + 1 < len(args) else "VALUE"
            return arg.partition("=")[2] or beside
    return "VALUE"
