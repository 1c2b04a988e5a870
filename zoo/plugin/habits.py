"""What users of Keras try first on a model: it works, or one sentence says what does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from zoo.errors import ZooError

if TYPE_CHECKING:
    from zoo.plugin.model import DataSpec, Model

_CALLS = {
    "sample": "sample(n)",
    "reconstruct": "reconstruct(x)",
    "encode": "encode(x)",
    "decode": "decode(z)",
    "classify": "classify(x)",
}


class Habits:
    """Habits of ``keras.Model`` that a model of several networks and players meets."""

    plugin: Model
    data: DataSpec
    networks: Any
    players: Mapping[str, Any]
    optimizer: Any
    about: Sequence[str] = ()
    """Lines of what a loaded model is: of which run, on what, its figures."""

    def __repr__(self):
        shape = " x ".join(map(str, self.data.shape))
        title = f"{self.where} for {shape}" + (
            f", {self.data.classes:,} classes" if self.data.classes else ""
        )
        parts = [f"{name} ({network.count_params():,})" for name, network in self.networks.items()]
        lines = [title, *self.about, f"networks (parameters): {', '.join(parts)}"]
        return "\n  ".join([*lines, f"can {', '.join(self.able()) or 'train'}"])

    def summary(self, *, print_fn: Callable[[str], None] = print, expand_nested: bool = False):
        """Print the networks: who trains them, shapes, layers, parameters.

        Args:
            print_fn: is given each line.
            expand_nested: whether each network's own summary follows.
        """
        rows = [("network", "player", "inputs", "outputs", "layers", "parameters")]
        for name, network in self.networks.items():
            players = [p for p, names in self.players.items() if name in names]
            shapes = [
                ", ".join(str(tensor.shape) for tensor in getattr(network, side, None) or ())
                for side in ("inputs", "outputs")
            ]
            layers = str(len(getattr(network, "layers", ())) or 1)
            count = f"{network.count_params():,}"
            rows.append((name, ", ".join(players) or "-", *shapes, layers, count))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        total = sum(network.count_params() for network in self.layers)
        shape = " x ".join(map(str, self.data.shape))
        print_fn(f"{self.where} for {shape}, {total:,} parameters")
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print_fn(f"  {'  '.join(cells)}".rstrip())
        for network in self.layers if expand_nested else ():
            network.summary(print_fn=print_fn)

    @property
    def layers(self):
        """The networks, as ``summary`` and ``get_layer`` show them."""
        return [network for _, network in self.networks.items()]

    def __dir__(self):  # Keras saves what is here: networks by their names, not by their order too
        return [name for name in super().__dir__() if name != "layers"]

    def get_layer(self, name=None, index=None):
        if name in set(self.networks):
            return self.networks[name]
        return super().get_layer(name, index)  # type: ignore[misc]

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)  # type: ignore[misc]  # PyTorch's modules have one
        except AttributeError:
            if name.startswith("_") or name == "networks":  # while it is built, and for pickle
                raise
        if name in set(self.networks):
            return self.networks[name]
        raise AttributeError(
            f"{self.where} has no attribute {name!r}; its networks are "
            f"{', '.join(f'model.{network}' for network in self.networks)}"
        )

    def __call__(self, *args, **options):
        raise self._no_function("model(x)")

    def predict(self, *args, **options):
        raise self._no_function("predict")

    def predict_on_batch(self, *args, **options):
        raise self._no_function("predict_on_batch")

    def export(self, *args, **options):
        raise self._no_function("export", ".export(path)")

    def save(self, filepath, *args, **options):
        if Path(filepath).suffix in (".h5", ".hdf5"):
            raise ZooError(
                f"{self.where}.save: HDF5 cannot hold a model of several networks; "
                f"name the file {Path(filepath).stem + '.keras'!r}"
            )
        return super().save(filepath, *args, **options)  # type: ignore[misc]

    def optimizer_per_player(self, optimizers, optimizer, others) -> Mapping[str, Any]:
        """What ``compile`` is given, as ``{player: optimizer}``.

        Args:
            optimizers: ``{player: optimizer}``, an optimizer or the name of one.
            optimizer: the same, under Keras's name for it.
            others: other arguments that Keras's ``compile`` takes; all are refused.

        Raises:
            ZooError: there is none, or one object for several players; or a loss or metrics.
        """
        where = f"{self.where}.compile"
        for name in others:
            of_terms = "zoo.build(..., weights={player: {term: number}})"
            why = {
                "loss": f"losses are the model's own moves; {of_terms} weighs their terms",
                "weights": f"{of_terms} weighs the terms of the losses",
                "metrics": "terms of the losses are logged; zoo.metrics measure a trained model",
            }.get(name.removeprefix("weighted_").removesuffix("_weights"), "it is not accepted")
            raise ZooError(f"{where}: leave {name} out: {why}")
        given = optimizer if optimizers is None else optimizers
        if isinstance(given, str):  # a new one for each
            return dict.fromkeys(self.players, given)
        if isinstance(given, keras.optimizers.Optimizer) and len(self.players) == 1:
            return dict.fromkeys(self.players, given)
        if not hasattr(given, "items"):
            each = ", ".join(f'"{player}": ...' for player in self.players)
            raise ZooError(
                f'{where} takes the name of an optimizer, such as "adam", or one optimizer per '
                f"player: compile(optimizers={{{each}}})"
            )
        return given

    def refuse_other_weights(self) -> None:
        """Refuse to train other weights than at ``compile``, which Keras's backends do unlike.

        Raises:
            ZooError: networks were frozen or thawed since.
        """
        if self.optimizer is None:
            return
        now = self.player_variables()
        for player, before in self.optimizer.groups.items():
            if list(map(id, before)) != list(map(id, now[player])):
                raise ZooError(
                    f"{self.where}: compile fixes which weights are trained, and of {player!r} "
                    f"{len(before)} were trainable then and {len(now[player])} are now: call "
                    "compile again after changing trainable"
                )

    @property
    def where(self) -> str:
        """The name that messages use."""
        return type(self.plugin).__name__

    def _no_function(self, what: str, call: str = "(...)") -> ZooError:
        can = [f"model.{text}" for name, text in _CALLS.items() if self.plugin.can(name)]
        instead = [*([] if what == "export" else can), f"model.{next(iter(self.networks))}{call}"]
        return ZooError(
            f"{self.where} is several networks, and {what} would not say which. Write "
            f"{' or '.join(filter(None, (', '.join(instead[:-1]), instead[-1])))}"
        )
