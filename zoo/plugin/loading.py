"""Loads a dataset; what goes wrong in a plugin's code is told as that plugin's."""

from __future__ import annotations

import contextlib
import sys

from zoo.plugin.dataset import Access, Data, Dataset
from zoo.plugin.serialization import registered
from zoo.plugin.settings import typed
from zoo.runtime.blame import blaming


def load(dataset: Dataset, access: Access) -> Data:
    """The data of a dataset.

    Raises:
        CodeFailed: the ``load`` of a plugin or recipe raises an error: which dataset it is, and
            where. An error in a dataset of the zoo's own is a bug, and stays as it is.
        ZooError: they cannot be had, or ``load`` gives something else.
    """
    own = type(dataset).__module__.partition(".")[0] == "zoo"
    with contextlib.nullcontext() if own else blaming(f"load of the {_title(dataset)}"):
        data = dataset.load(access)
    return typed(data, Data, f"load of the {_title(dataset)}", "gives")


def _title(dataset: Dataset) -> str:
    """``"dataset 'tiny' (tiny:Tiny of the plugin tiny-data 1.0, in /.../tiny.py)"``."""
    cls = type(dataset)
    record = registered(dataset, "datasets")
    name = repr(record.typed) if record else cls.__name__
    of = f" of the plugin {record.distribution} {record.version}" if record else ""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    place = f", in {file}" if file else ""
    return f"dataset {name} ({cls.__module__}:{cls.__qualname__}{of}{place})"
