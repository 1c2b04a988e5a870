"""What is tried, a kind each: an input from a seed, and the code that has to cope with it.

An attempt passes, or ends in one of the errors that its kind allows. Anything else is a failure.
"""

from __future__ import annotations

import atexit
import dataclasses
import functools
import gzip
import hashlib
import io
import json
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import keras
import numpy as np
from PIL import Image

import zoo
from tests.fuzz import mutate
from zoo import datasets, metrics
from zoo.config import overrides, recipe_files
from zoo.config import recipe as recipes
from zoo.datasets import Access, files
from zoo.datasets.labels import classes_of
from zoo.errors import ZooError
from zoo.nn import samplers
from zoo.plugin.border import Border
from zoo.runs import codes_file, folders, own_networks, pack, results, safetensors, sharing
from zoo.runs.checkpoints import ARRAYS, STATE, SUMS, Damaged, Store
from zoo.runs.run import Run
from zoo.runtime.keras import config_of

QUIET = Access(say=lambda line: None)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes:
        attempt: tries the input that a generator of random numbers gives, in an empty folder.
        allowed: errors that tell of a bad input.
    """

    attempt: Callable[[Random, Path], None]
    allowed: tuple[type[Exception], ...] = (ZooError,)


# --- overrides of shipped recipes


# No 10**5 or 10**6: so many units or filters rightly take gigabytes, and more is refused.
_COUNTS = (0, -1, 1, 3, 1000, 10**8, 2**31, 10**15, 0.5, 1e-30, 1e30)


@functools.cache
def _recipe(name: str) -> zoo.Recipe:
    return recipes.load(recipe_files.shipped()[name])


def keys(value: Any, path: str = "") -> Iterator[str]:
    """Every key that ``key=value`` may name in a recipe."""
    inner: Mapping[Any, Any] = {}
    if dataclasses.is_dataclass(value):
        inner = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
    elif isinstance(value, Mapping):
        inner = value
    elif isinstance(value, (list, tuple)):
        inner = dict(enumerate(value))
    elif hasattr(value, "get_config"):
        inner = config_of(value)  # get_config alone may import TensorFlow
    elif isinstance(value, keras.callbacks.Callback):
        inner = {key: item for key, item in vars(value).items() if not key.startswith("_")}
    if path:
        yield path
    for key, item in inner.items():
        yield from keys(item, f"{path}.{key}" if path else str(key))


def _override(rng: Random, folder: Path) -> None:
    recipe = _recipe(rng.choice(list(recipe_files.shipped())))
    known, changes = list(keys(recipe)), []
    for _ in range(rng.choice([1, 1, 2])):
        key = rng.choice(known)
        if rng.random() < 0.1:
            key = mutate.bytes_of(key.encode(), rng).decode("utf-8", "replace")
        value = mutate.absurd(rng) if rng.random() < 0.6 else rng.choice(_COUNTS)
        changes.append(f"{key}={value}")
    changed = overrides.override(recipe, changes)
    if any(change.startswith("model") for change in changes):
        points = type(recipe.dataset).__name__ in ("Ring", "Grid", "Moons", "SwissRoll")
        spec = zoo.DataSpec((2,) if points else (32, 32, 3), classes=10)
        zoo.build(changed.model, spec, weights=changed.weights, networks=changed.networks)


# --- runs


@functools.cache
def trained(folder: Path) -> Run:
    """A small run with all that a run may have: its folder is copied for each attempt."""
    model = zoo.model("ae", latent_dim=2, units=(4,))

    def decoder(data, model):
        layers = [keras.Input((2,)), keras.layers.Dense(64, "sigmoid")]
        return keras.Sequential([*layers, keras.layers.Reshape(data.shape)])

    recipe = zoo.Recipe(
        model=model,
        dataset=datasets.Digits(batch_size=512),
        optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
        epochs=1,
        networks={"decoder": decoder},
        metrics=[metrics.LinearProbe()],
        sampler=samplers.GaussianMixture(2),
    )
    return zoo.train(recipe, runs_folder=str(folder), access=QUIET)


@functools.cache
def _good() -> Run:
    folder = tempfile.mkdtemp(prefix="zoo-fuzz-good-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return trained(Path(folder))


def _copy(folder: Path) -> Run:
    place = folder / "runs" / "vae" / "20260101T000000Z-aaaa"
    shutil.copytree(_good().path, place)
    return Run(place)


def _changed_json(path: Path, rng: Random) -> None:
    content = path.read_bytes()
    if rng.random() < 0.3:
        path.write_bytes(mutate.bytes_of(content, rng))
    else:
        value = mutate.structure(json.loads(content), rng, rng.choice([1, 1, 2, 5]))
        path.write_bytes(mutate.written(value))


def _used(run: Run) -> None:
    """All that commands do with a run."""
    errors = []
    uses: list[Callable[[], Any]] = [
        lambda: folders.find("latest", run.path.parents[1]),
        lambda: results.results(run),
        lambda: results.kept(run),
        lambda: results.metrics_of(run),
        lambda: results.data_of(run, QUIET),
        lambda: zoo.load(run).sample(2),
    ]
    for use in uses:
        try:
            use()
        except ZooError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def _manifest(rng: Random, folder: Path) -> None:
    run = _copy(folder)
    _changed_json(run.path / rng.choice(["run.json"] * 5 + ["results.json"]), rng)
    _used(run)


def _networks(rng: Random, folder: Path) -> None:
    run = _copy(folder)
    _changed_json(run.networks, rng)
    own_networks.read(run, run.manifest)
    zoo.load(run)


def _checkpoint(rng: Random, folder: Path) -> None:
    run = _copy(folder)
    [place] = run.checkpoints.iterdir()
    if rng.random() < 0.5:
        _changed_json(place / STATE, rng)
    else:
        (place / ARRAYS).write_bytes(_file_of_arrays(rng))
    if rng.random() < 0.9:
        names = {name: (place / name).read_bytes() for name in (ARRAYS, STATE)}
        sums = (f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in names.items())
        (place / SUMS).write_text("".join(sums))
    run.update(status="failed", sha256={})
    Store(run.checkpoints).newest()
    zoo.load(run)


def _file_of_arrays(rng: Random) -> bytes:
    [path] = _good().checkpoints.glob("*/arrays.safetensors")
    return _changed_arrays(path.read_bytes(), rng)


def _changed_arrays(content: bytes, rng: Random) -> bytes:
    """A file of safetensors, changed by bytes or in its header."""
    if rng.random() < 0.4:
        return mutate.bytes_of(content, rng)
    end = 8 + int.from_bytes(content[:8], "little")
    header = mutate.structure(json.loads(content[8:end]), rng, rng.choice([1, 1, 3]))
    text = mutate.written(header)
    return len(text).to_bytes(8, "little") + text + content[end:]


def _safetensors(rng: Random, folder: Path) -> None:
    for array in safetensors.decoded(_file_of_arrays(rng)).values():
        array.sum()


# --- files from others


@functools.cache
def _good_pack() -> Run:
    return pack.pack(_good(), _good().path.parent / "pack", dtype="float16", access=QUIET)


def _pack(rng: Random, folder: Path) -> None:
    """A pack whose manifest or file of numbers is changed, with the hashes of what it has now."""
    place = folder / "pack"
    shutil.copytree(_good_pack().path, place)
    arrays = sorted(place.glob("*.safetensors"))
    path = rng.choice([place / "run.json", place / "results.json", *arrays])
    if path.suffix == ".json":
        _changed_json(path, rng)
    else:
        path.write_bytes(_changed_arrays(path.read_bytes(), rng))
    if path in arrays and rng.random() < 0.8:
        manifest = json.loads((place / "run.json").read_text(encoding="utf-8"))
        if path.name in manifest["sha256"]:
            manifest["sha256"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        (place / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    sharing.checked(place, "a pack")
    _used(Run(place))


@functools.cache
def _good_codes() -> bytes:
    rng = np.random.default_rng(0)
    symbols = rng.integers(-3, 4, (9, 2), np.int32)
    names = [f"{i}.png" for i in range(9)]
    return codes_file.encoded(codes_file.CodesFile("ae/1", "0" * 64, names, symbols, 0.5))


def _codes(rng: Random, folder: Path) -> None:
    """A file of codes, changed by bytes or in its header, mostly with the sum of what it has."""
    content, start = _good_codes(), len(codes_file.MAGIC) + 16
    body = content[start:]
    if rng.random() < 0.4:
        body = mutate.bytes_of(body, rng)
    else:
        end = 4 + int.from_bytes(body[:4], "little")
        header = json.loads(zlib.decompress(body[4:end]))
        header = mutate.structure(header, rng, rng.choice([1, 1, 3]))
        packed = zlib.compress(mutate.written(header))
        body = len(packed).to_bytes(4, "little") + packed + body[end:]
    digest = hashlib.sha256(body).digest()[:16] if rng.random() < 0.9 else bytes(16)
    (folder / "a.zoo").write_bytes(codes_file.MAGIC + digest + body)
    codes_file.read(folder / "a.zoo").codes().sum()


# --- data


def _labels(rng: Random, folder: Path) -> None:
    n = rng.choice([0, 1, 5, 50])
    dtype = rng.choice(
        ["int8", "uint8", "int64", "uint64", "float16", "float64", "bool", "O", "U3"]
    )
    dtype = rng.choice([dtype, "complex64", "M8[D]", "S2", "V4"])
    shape = rng.choice([(n,), (n, 1), (n, 10), (n, 2, 2), (), (1, n)])
    values = [rng.choice([0, 1, 9, -1, -2, 255, 2**31 - 1, 99_999, 100_000]) for _ in range(50)]
    with np.errstate(all="ignore"):
        whole = np.resize(np.array(values), shape)
        y = whole.astype("int64").view("M8[D]") if dtype == "M8[D]" else whole.astype(dtype)
    if y.dtype.kind == "f" and y.size and rng.random() < 0.5:
        y.flat[0] = rng.choice([np.nan, np.inf, 0.5])
    missing = rng.random() < 0.5
    given = y.tolist() if rng.random() < 0.2 else y
    if rng.random() < 0.5:
        classes_of({"train": given}, "y", QUIET.say, missing=missing)
    else:
        spec = zoo.DataSpec((2,), classes=rng.choice([0, 1, 10]), missing_labels=missing)
        Border(zoo.model("classifier"), spec).labels(given, rng.choice([None, n]), "fit", "fit")


_FORMATS = ("PNG", "GIF", "TIFF", "PPM", "BMP", "JPEG", "WEBP")


@functools.cache
def _picture(kind: str, mode: str) -> bytes:
    rng, file = np.random.default_rng(0), io.BytesIO()
    image = Image.fromarray(rng.integers(0, 256, (9, 7, 4), np.uint8)).convert("RGB").convert(mode)
    more = {"save_all": True, "append_images": [image]} if kind in ("GIF", "TIFF") else {}
    image.save(file, kind, **more)
    return file.getvalue()


def _pictures(rng: Random, folder: Path) -> None:
    modes = {
        "PPM": ["L", "RGB", "I;16"],
        "JPEG": ["L", "RGB"],
        "WEBP": ["RGB"],
        "BMP": ["1", "RGB"],
    }
    for place in range(3):
        kind = rng.choice(_FORMATS)
        mode = rng.choice(modes.get(kind, ["1", "L", "P", "RGB"]))
        content = _picture(kind, mode)
        if place:
            content = mutate.bytes_of(content, rng)
        (folder / f"{place}.{kind.lower().replace('ppm', 'pgm')}").write_bytes(content)
    size = rng.choice([None, 8, (8, 4)])
    fit = rng.choice(["crop", "pad", "stretch"])
    access = dataclasses.replace(QUIET, strict=rng.random() < 0.5)
    data = datasets.Folder(str(folder), size=size, fit=fit, validation=0, test=0).load(access)
    data.check()
    data.train.x[:]


def _arrays(rng: Random, folder: Path) -> None:
    x, y = np.zeros((20, 4, 4), "uint8"), np.arange(20) % 3
    path, file = folder / rng.choice(["a.npz", "a.npy", "a.gz", "a.idx"]), io.BytesIO()
    if path.suffix == ".npz":
        rng.choice([np.savez, np.savez_compressed])(file, x=x, y=y)
    elif path.suffix == ".npy":
        np.save(file, x)
    else:
        file.write(b"\0\0\x08\x03" + np.array(x.shape, ">u4").tobytes() + x.tobytes())
    content = mutate.bytes_of(file.getvalue(), rng)
    if path.suffix == ".gz":
        content = gzip.compress(content)
        content = mutate.bytes_of(content, rng) if rng.random() < 0.5 else content
    path.write_bytes(content)
    if path.suffix in (".npz", ".npy"):
        data = datasets.Arrays(str(path)).load(QUIET)
        data.check()
        data.train.x[:]
    else:
        files.attempt(files.read_idx, path)


KINDS = {
    "overrides": Kind(_override),
    "manifests": Kind(_manifest),
    "networks": Kind(_networks),
    "checkpoints": Kind(_checkpoint, (ZooError, Damaged)),
    "safetensors": Kind(_safetensors, (ValueError,)),
    "packs": Kind(_pack),
    "codes": Kind(_codes),
    "labels": Kind(_labels),
    "pictures": Kind(_pictures),
    "arrays": Kind(_arrays, (ZooError, files.Damaged)),
}


def tried(kind: str, seed: int, number: int, folder: Path) -> str:
    """``"passed"`` or ``"told"``; any other error than those of the kind is raised."""
    try:
        KINDS[kind].attempt(Random(f"{seed} {kind} {number}"), folder)
    except KINDS[kind].allowed as error:
        if not str(error).strip():
            raise AssertionError(f"{kind}: an error without a message") from error
        return "told"
    return "passed"
