"""The file formats of exports: what writes each, what runs it, and the code that does.

The code that a card shows is the code by which a new file is checked.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError, unknown
from zoo.runtime import backends

if TYPE_CHECKING:
    from zoo.runs.parts import Part

SIZES = (1, 3, 7)  # of the batches by which a file is checked
RELATIVE, ABSOLUTE = 1e-4, 1e-5  # how far its numbers may be from the model's

INSIDE = "zoo.json"
"""The name under which a ``.keras`` file and a SavedModel hold what describes them."""


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        title: its name, for people.
        suffix: of its files; empty for a folder.
        backends: those that write it well, the best first; empty where any does.
        packages: what writing it needs besides, ``{backend: modules}``.
        runtime: the distribution that runs it.
        runs: the module of that distribution.
        extra: of the zoo, which brings the packages; empty where a backend brings them.
        opening: the runtime's own code that opens the file ``{file}``.
        calling: the code that makes ``outputs`` of ``inputs``, two dicts of NumPy arrays.
        write: ``write(part, path, about)`` under one of the backends.
    """

    title: str
    suffix: str
    backends: Sequence[str]
    runtime: str
    runs: str
    opening: str
    calling: str
    write: Callable[[Part, Path, Mapping[str, Any]], None]
    packages: Mapping[str, Sequence[str]] = field(default_factory=dict)
    extra: str = ""

    def backend(self, preferred: str) -> str:
        """The backend to write it with; ``ZooError`` where a package is missing.

        Args:
            preferred: the one to take where any writes it well.
        """
        order = self.backends or (preferred, *backends.BACKENDS)
        found = next((name for name in order if name in backends.installed()), "")
        packages = [*self.packages.get(found or order[0], ()), self.runs]
        lacks = [] if found else [" or ".join(order)]
        lacks += [name for name in packages if name not in order and not _importable(name)]
        if not lacks:
            return found
        extras = [name for name in (self.extra, "" if found else order[0]) if name]
        raise ZooError(
            f"{self.title} needs {', '.join(lacks)}, which "
            f"{'is' if len(lacks) == 1 else 'are'} not installed: "
            f'pip install "keras-zoo[{",".join(extras)}]"'
        )

    @property
    def version(self) -> str:
        """The runtime and its version."""
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return f"{self.runtime} {importlib.metadata.version(self.runtime)}"
        return self.runtime


def _importable(module: str) -> bool:
    with contextlib.suppress(ImportError, ValueError):
        return importlib.util.find_spec(module) is not None
    return False


def _onnx(part: Part, path: Path, about: Mapping[str, Any]) -> None:
    import onnx

    part.model.export(path, format="onnx", verbose=False)
    model = onnx.load(path)
    # Keras flattens dicts by their sorted keys; PyTorch gives outputs numbers for names
    for values, of_graph in (
        (part.inputs, model.graph.input),
        (part.outputs, model.graph.output),
    ):
        named = {v.name: v for v in values}
        pairs = dict(zip(sorted(named), of_graph, strict=True))
        for name, found in pairs.items():
            _rename(model.graph, found.name, name)
            found.name, found.doc_string = name, named[name].says
            dims = found.type.tensor_type.shape.dim
            dims[0].dim_param = "batch"
            for dim, size in zip(dims[1:], named[name].shape, strict=True):
                dim.dim_value = size
        ordered = [onnx.ValueInfoProto.FromString(pairs[n].SerializeToString()) for n in named]
        del of_graph[:]
        of_graph.extend(ordered)
    model.doc_string = about["title"]
    onnx.helper.set_model_props(model, {key: _text(value) for key, value in about.items()})
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _rename(graph, old: str, new: str) -> None:
    """Rename a tensor of an ONNX graph; another that has the name already gives way."""
    for node in graph.node:
        for names in (node.input, node.output):
            for i, name in enumerate(names):
                if name == old:
                    names[i] = new
                elif name == new:
                    names[i] = f"{new}_within"


def _saved_model(part: Part, path: Path, about: Mapping[str, Any]) -> None:
    part.model.export(path, format="tf_saved_model", verbose=False)
    extra = path / "assets.extra"  # TensorFlow's place for what it does not read itself
    extra.mkdir()
    (extra / INSIDE).write_text(json.dumps(about, indent=1), encoding="utf-8")


def _litert(part: Part, path: Path, about: Mapping[str, Any]) -> None:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    part.model.export(path, format="litert", verbose=False)
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    model.description = json.dumps(about)
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())


def _keras(part: Part, path: Path, about: Mapping[str, Any]) -> None:
    part.model.save(path)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(INSIDE, json.dumps(about, indent=1))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


FORMATS = {
    "onnx": Format(
        title="ONNX",
        suffix=".onnx",
        backends=("torch", "tensorflow"),
        packages={"torch": ("onnx",), "tensorflow": ("onnx", "tf2onnx")},
        runtime="onnxruntime",
        runs="onnxruntime",
        extra="onnx",
        opening="import onnxruntime\n\nsession = onnxruntime.InferenceSession({file})",
        calling="names = [output.name for output in session.get_outputs()]\n"
        "outputs = dict(zip(names, session.run(names, inputs)))",
        write=_onnx,
    ),
    "saved_model": Format(
        title="SavedModel",
        suffix="",
        backends=("tensorflow",),
        runtime="tensorflow",
        runs="tensorflow",
        opening="import tensorflow as tf\n\nmodel = tf.saved_model.load({file})",
        calling='outputs = model.signatures["serving_default"](\n'
        "    **{name: tf.constant(array) for name, array in inputs.items()}\n"
        ")\noutputs = {name: tensor.numpy() for name, tensor in outputs.items()}",
        write=_saved_model,
    ),
    "litert": Format(
        title="LiteRT",
        suffix=".tflite",
        backends=("tensorflow",),
        packages={"tensorflow": ("flatbuffers",)},
        runtime="ai-edge-litert",
        runs="ai_edge_litert",
        extra="litert",
        opening="from ai_edge_litert.interpreter import Interpreter\n\n"
        "runner = Interpreter({file}).get_signature_runner()",
        calling="outputs = runner(**inputs)",
        write=_litert,
    ),
    "keras": Format(
        title="Keras",
        suffix=".keras",
        backends=(),
        runtime="keras",
        runs="keras",
        opening="import keras\n{imports}\nmodel = keras.saving.load_model({file})",
        calling="outputs = {\n    name: keras.ops.convert_to_numpy(tensor)\n"
        "    for name, tensor in model(inputs).items()\n}",
        write=_keras,
    ),
}


def find(name: str) -> Format:
    """The format of a name; ``ZooError`` for another."""
    if name not in FORMATS:
        raise unknown("format", name, FORMATS)
    return FORMATS[name]


_CHECK = """\
import json

import numpy as np

{opening}

reference, worst = np.load({reference}), 0.0
for n in {sizes}:
    inputs = {{name: reference[f"{{n}} in {{name}}"] for name in {inputs}}}
{calling}
    if sorted(outputs) != sorted({outputs}):
        raise SystemExit(f"it gives {{sorted(outputs)}}, not " + repr({outputs}))
    for name in {outputs}:
        want, got = reference[f"{{n}} out {{name}}"], np.asarray(outputs[name])
        if got.shape != want.shape or got.dtype != want.dtype:
            raise SystemExit(
                f"{{name}} is {{got.dtype}} {{got.shape}}, not {{want.dtype}} {{want.shape}}"
            )
        off = np.abs(got - want)
        if not (off <= {relative} * np.abs(want) + {absolute}).all():
            raise SystemExit(f"{{name}} of {{n}} rows differs from the model by {{off.max():.2g}}")
        worst = max(worst, float(off.max()))
with open({result}, "w") as file:
    json.dump({{"difference": worst}}, file)
"""


def check(
    format: Format,
    file: Path,
    about: Mapping[str, Any],
    reference: Path,
    result: Path,
) -> str:
    """A program that runs a file in its own runtime and compares it with a reference.

    Args:
        format: of the file.
        file: the export.
        about: what describes it, with ``inputs``, ``outputs`` and ``imports``.
        reference: the ``.npz`` file of ``"{n} in {name}"`` and ``"{n} out {name}"``.
        result: the JSON file that it writes, with the largest ``difference``.
    """
    return _CHECK.format(
        opening=opening(format, str(file), about),
        calling="\n".join(f"    {line}" for line in format.calling.splitlines()),
        reference=repr(str(reference)),
        result=repr(str(result)),
        sizes=SIZES,
        inputs=[value["name"] for value in about["inputs"]],
        outputs=[value["name"] for value in about["outputs"]],
        relative=RELATIVE,
        absolute=ABSOLUTE,
    )


def opening(format: Format, file: str, about: Mapping[str, Any]) -> str:
    """The code that opens a file."""
    imports = "".join(f"import {module}\n" for module in about["imports"])
    return format.opening.format(file=json.dumps(file), imports=imports)
