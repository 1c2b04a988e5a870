"""What ``run.json`` says of a run: parsed once, each field checked, and from then on typed."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from zoo.errors import ZooError
from zoo.plugin import limits
from zoo.plugin.settings import given_as_code
from zoo.runtime import jsons
from zoo.runtime.console import counted, excerpt, printable

FORMAT = 2
"""What this zoo writes and reads: 1 had weights in HDF5."""

PACK_FORMAT = 1
STATUSES = ("running", "finished", "interrupted", "failed")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
MOST_DEPTH = 20  # of settings within settings
_MOST_TEXT = 10_000  # characters
_FILES = re.compile(
    r"checkpoints/checkpoint-\d{6,18}/arrays\.safetensors|(weights|sampler)\.safetensors|networks\.json"
)


@dataclass(frozen=True)
class Kind:
    """What values a field takes: a test, and the same in words for messages."""

    test: Callable[[Any], bool]
    words: str


def _whole(low: int, high: int) -> Kind:
    return Kind(
        lambda value: type(value) is int and low <= value <= high,
        f"a whole number from {low:,} to {high:,}",
    )


def _choice(*words: str) -> Kind:
    return Kind(lambda value: value in words if isinstance(value, str) else False, ", ".join(words))


def _or_null(kind: Kind) -> Kind:
    return Kind(lambda value: value is None or kind.test(value), f"{kind.words}, or null")


def _list_of(kind: Kind) -> Kind:
    return Kind(
        lambda value: isinstance(value, list) and all(map(kind.test, value)),
        f"a list, each {kind.words},",
    )


def _map_of(kind: Kind) -> Kind:
    def test(value):
        return isinstance(value, dict) and all(map(kind.test, value.values()))

    return Kind(test, f"an object, each value {kind.words},")


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _MOST_TEXT and value.isprintable()


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int for size in value)


LINE = Kind(_is_line, f"a line of at most {_MOST_TEXT:,} printable characters")
OBJECT = Kind(lambda value: isinstance(value, dict), "an object")
OBJECTS = _list_of(OBJECT)
LIST = Kind(lambda value: isinstance(value, list), "a list")
NUMBER = Kind(_is_number, "a finite number")
TEXT = Kind(lambda value: isinstance(value, str), "text")
SHA256 = Kind(
    lambda value: isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{64}", value)),
    "64 hexadecimal digits",
)
BOOLEAN = Kind(lambda value: type(value) is bool, "true or false")
SECONDS = Kind(lambda value: _is_number(value) and value >= 0, "a number of at least 0")
COUNT = _whole(0, limits.MOST_COUNT)
SHAPE = Kind(_is_shape, f"a list of 1 to {limits.MOST_RANK} positive integers")
AVERAGE = Kind(lambda value: _is_number(value) and 0 <= value < 1, "a number in [0, 1)")


def _is(kind: Kind | type, key: str = "") -> dict[str, Any]:
    """A field's metadata: its kind, or the dataclass of its parts, and its name in JSON."""
    return {"kind": kind, "key": key}


@dataclass(frozen=True)
class Part:
    """A model, a dataset or a metric.

    Attributes:
        name: its registered name, or None.
        cls: ``"module:class"``.
        settings: by name, as JSON has them.
    """

    name: str | None = field(metadata=_is(_or_null(LINE)))
    cls: str = field(metadata=_is(LINE, "class"))
    settings: dict[str, Any] = field(metadata=_is(OBJECT))

    @property
    def title(self) -> str:
        """The registered name, else the class's own."""
        return self.name or self.cls.rpartition(":")[2]

    @property
    def code(self) -> list[str]:
        """What of it is code, which only its recipe holds: its class, or paths of settings."""
        return [self.cls] if self.name is None else given_as_code(self.settings)


@dataclass(frozen=True)
class TrainedOn:
    """The data of a run.

    Attributes:
        name: what results and pictures call them.
        shape: of one example.
        classes: how many; 0 for unlabelled data.
        fingerprint: SHA-256 of all arrays, hexadecimal.
        examples: ``{split: how many}``.
        class_names: of the classes in order; empty where they have none.
        sources: ``{name: shape of one example}``, the first one first; empty for a single one.
        unpaired: names of the sources without pairs.
        missing_labels: whether a label may be -1.
    """

    name: str = field(metadata=_is(LINE))
    shape: list[int] = field(metadata=_is(SHAPE))
    classes: int = field(metadata=_is(_whole(0, limits.MOST_CLASSES)))
    fingerprint: str = field(metadata=_is(LINE))
    examples: dict[str, int] = field(metadata=_is(_map_of(COUNT)))
    class_names: list[str] = field(metadata=_is(_list_of(LINE)), default_factory=list)
    sources: dict[str, list[int]] = field(metadata=_is(_map_of(SHAPE)), default_factory=dict)
    unpaired: list[str] = field(metadata=_is(_list_of(LINE)), default_factory=list)
    missing_labels: bool = field(metadata=_is(BOOLEAN), default=False)


@dataclass(frozen=True)
class Machine:
    """What a run was trained on.

    Attributes:
        processor: its model.
        cores: that the process could use.
        memory: likewise, in bytes; None where nothing said how much.
    """

    processor: str = field(metadata=_is(LINE))
    cores: int = field(metadata=_is(COUNT))
    memory: int | None = field(metadata=_is(_or_null(_whole(0, 1 << 62))))

    def __str__(self) -> str:
        held = "" if self.memory is None else f", {self.memory / 2**30:.0f} GB"
        return printable(f"{counted(self.cores, 'core')} ({self.processor}){held}")


@dataclass(frozen=True)
class PackInfo:
    """What makes a folder a pack.

    Attributes:
        format: version of the format of packs.
        dtype: of the weights, ``"float32"`` or ``"float16"``.
        which: ``"last"`` or ``"best"``.
        license: of the weights, in words; empty where nobody said.
        without: networks whose weights are left out: loaded, they are as training began with them.
    """

    format: int = field(metadata=_is(_whole(PACK_FORMAT, PACK_FORMAT)))
    dtype: str = field(metadata=_is(_choice("float32", "float16")))
    which: str = field(metadata=_is(_choice("last", "best")))
    license: str = field(metadata=_is(LINE), default="")
    without: list[str] = field(metadata=_is(_list_of(LINE)), default_factory=list)


@dataclass(frozen=True)
class Manifest:
    """All that ``run.json`` says.

    Attributes:
        format: version of the format of a run's folder.
        recipe: name of the recipe, after which the run is named.
        status: whether the run goes, ended well, was stopped, or failed.
        created: when it started, in ISO 8601.
        backend: that trained it last.
        device: likewise.
        devices: how many of them computed together.
        batch_norm: whether batch normalization on several devices takes its moments over the whole
            batch, ``"synchronized"``, or over each device's rows of it.
        accelerations: that were on, as ``ZOO_ACCELERATE`` names them.
        seed: seed of everything random.
        precision: of the computation.
        epochs: how many the training has in all.
        epoch: epoch of the last checkpoint.
        ema: momentum of the moving average of the weights, or None.
        model: the model.
        abilities: what the model can do.
        dataset: where the data come from.
        weights: of the loss terms, ``{player: {term: number, or a schedule}}``.
        networks: names of those that are the recipe's own.
        augment: the layers that change training examples.
        sampler: the one fitted to the codes, or None.
        optimizers: ``{player: Keras's config}``; a pack has none.
        callbacks: the recipe's.
        metrics: the recipe's.
        data: what the run was trained on.
        versions: of the packages that numbers depend on.
        machine: the one that trained it last; None for a run of an older zoo.
        views: of the model's own, ``{name: what it shows, in one line}``.
        changes: what was changed on the command line, as ``"key=value"``.
        on_nan: what happens where a term is not finite.
        weights_from: the run whose weights it started from, or None.
        resumed: after which epoch it went on with other settings, on another backend or on another
            number of devices, and with which.
        finished_in_seconds: None for one that did not finish.
        failure: why it failed, where it did.
        sha256: ``{file: SHA-256}`` of what training ended with: numbers, and the configs of
            networks that are the recipe's own.
        pack: None for a run that was trained here; see ``PackInfo``.
        seal: of who made the run; see ``zoo.runs.seal``.
    """

    format: int = field(metadata=_is(_whole(FORMAT, FORMAT)))
    recipe: str = field(metadata=_is(LINE))
    status: str = field(metadata=_is(_choice(*STATUSES)))
    created: str = field(metadata=_is(LINE))
    backend: str = field(metadata=_is(_choice("jax", "tensorflow", "torch")))
    device: str = field(metadata=_is(LINE))
    seed: int = field(metadata=_is(Kind(lambda value: type(value) is int, "a whole number")))
    precision: str = field(metadata=_is(_choice(*PRECISIONS)))
    epochs: int = field(metadata=_is(_whole(1, limits.MOST_COUNT)))
    epoch: int = field(metadata=_is(COUNT))
    ema: float | None = field(metadata=_is(_or_null(AVERAGE)))
    model: Part = field(metadata=_is(Part))
    abilities: list[str] = field(metadata=_is(_list_of(LINE)))
    dataset: Part = field(metadata=_is(Part))
    weights: dict[str, dict[str, Any]] = field(metadata=_is(_map_of(OBJECT)))
    networks: list[str] = field(metadata=_is(_list_of(LINE)))
    augment: list[dict[str, Any]] = field(metadata=_is(OBJECTS))
    sampler: dict[str, Any] | None = field(metadata=_is(_or_null(OBJECT)))
    optimizers: dict[str, dict[str, Any]] = field(metadata=_is(_map_of(OBJECT)))
    callbacks: list[Any] = field(
        metadata=_is(Kind(lambda value: isinstance(value, list), "a list"))
    )
    metrics: tuple[Part, ...] = field(metadata=_is(Part))
    data: TrainedOn = field(metadata=_is(TrainedOn))
    versions: dict[str, str] = field(metadata=_is(_map_of(LINE)))
    machine: Machine | None = field(metadata=_is(Machine), default=None)
    devices: int = field(metadata=_is(_whole(1, 1 << 20)), default=1)
    batch_norm: str = field(
        metadata=_is(_choice("synchronized", "per-device")), default="synchronized"
    )
    accelerations: list[str] = field(metadata=_is(_list_of(LINE)), default_factory=list)
    views: dict[str, str] = field(metadata=_is(_map_of(LINE)), default_factory=dict)
    changes: list[str] = field(metadata=_is(_list_of(TEXT)), default_factory=list)
    on_nan: str = field(metadata=_is(_choice("stop", "skip")), default="stop")
    weights_from: str | None = field(metadata=_is(_or_null(TEXT)), default=None)
    resumed: list[str] = field(metadata=_is(_list_of(LINE)), default_factory=list)
    failure: str = field(metadata=_is(LINE), default="")
    finished_in_seconds: float | None = field(metadata=_is(_or_null(SECONDS)), default=None)
    sha256: dict[str, str] = field(metadata=_is(_map_of(SHA256)), default_factory=dict)
    pack: PackInfo | None = field(metadata=_is(PackInfo), default=None)
    seal: str = field(metadata=_is(LINE), default="")

    @property
    def binarized(self) -> bool:
        """Whether the data are binarized, in any way."""
        return bool(self.dataset.settings.get("binarize"))

    def json(self) -> dict[str, Any]:
        """The manifest as JSON has it."""
        return _plain(self)


def parse(value: Any) -> Manifest:
    """The manifest that a JSON value is.

    Raises:
        ZooError: a field is missing, or is not what it may be; the message has its path.
    """
    if isinstance(value, dict) and value.get("format") == 1:
        raise ZooError(
            "run.json is of format 1, and this zoo reads format 2: train the run again "
            f"(zoo run {printable(str(value.get('recipe') or 'RECIPE'))}), or use the version of "
            "zoo that made it"
        )
    manifest = _parsed(value, Manifest, "")
    limits.check_shapes({"x": manifest.data.shape}, "run.json: data.shape")
    if manifest.data.sources:
        limits.check_shapes(manifest.data.sources, "run.json: data.sources")
    parts = {"model": manifest.model, "dataset": manifest.dataset}
    parts |= {f"metrics.{i}": metric for i, metric in enumerate(manifest.metrics)}
    for path, part in parts.items():
        if jsons.is_deeper(part.settings, MOST_DEPTH):
            raise ZooError(
                f"run.json: {path}.settings is nested more than {MOST_DEPTH} levels deep"
            )
        limits.check_counts(part.settings, f"run.json: {path}.settings")
    limits.check_counts(manifest.sampler or {}, "run.json: sampler")
    for file in manifest.sha256:
        if not _FILES.fullmatch(file):
            raise _wrong("sha256", file, "the path of a file of the run that has a hash")
    return manifest


def _parsed(value: Any, cls: type, path: str) -> Any:
    """A dataclass from a JSON object; keys that no field has are left out."""
    if not isinstance(value, dict):
        raise _wrong(path, value, "an object")
    found = {}
    for each in dataclasses.fields(cls):
        kind, key = each.metadata["kind"], each.metadata["key"] or each.name
        inner = f"{path}.{key}" if path else key
        if key not in value:
            if _is_required(each):
                raise ZooError(f"run.json: {inner} is missing")
            continue
        found[each.name] = _checked(value[key], kind, inner, each)
    return cls(**found)


def _checked(value: Any, kind: Kind | type, path: str, each: dataclasses.Field) -> Any:
    if isinstance(kind, Kind):
        if not kind.test(value):
            raise _wrong(path, value, kind.words)
        return value
    if value is None and each.default is None:
        return None
    if str(each.type).startswith("tuple"):
        if not isinstance(value, list):
            raise _wrong(path, value, "a list")
        return tuple(_parsed(item, kind, f"{path}.{i}") for i, item in enumerate(value))
    return _parsed(value, kind, path)


def _is_required(each: dataclasses.Field) -> bool:
    return each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING


def _wrong(path: str, value: Any, words: str) -> ZooError:
    what = f"run.json: {path}" if path else "run.json"
    return ZooError(f"{what} is {excerpt(value)}; {words} is accepted")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {
            each.metadata["key"] or each.name: _plain(getattr(value, each.name))
            for each in dataclasses.fields(value)
        }
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
