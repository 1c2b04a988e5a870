"""``zoo export``: real files, run by their own runtimes, give what the model gives."""

from __future__ import annotations

import importlib.util
import json
import os

import keras
import numpy as np
import pytest

import zoo
from zoo import datasets, nn
from zoo.cli import main
from zoo.datasets import Access
from zoo.errors import RunFailed, ZooError
from zoo.nn.distributions import NormalMixture
from zoo.runs import export, export_child, formats, parts
from zoo.runtime import processes

BACKEND = os.environ["KERAS_BACKEND"]
MODELS = {
    "vae": lambda: zoo.model("vae", latent_dim=2, units=(8,)),
    "labelled": lambda: zoo.model("vae", latent_dim=2, units=(8,), conditional=True),
    "dcgan": lambda: zoo.model("dcgan", filters=2, prior=NormalMixture(12)),
    "classifier": lambda: zoo.model("classifier", filters=(2,)),
    "flow": lambda: zoo.model("flow_matching", filters=(4,), units=4, steps=2),
}


def built(name):
    return zoo.build(MODELS[name](), zoo.DataSpec((8, 8, 1), classes=10))


def inputs(made, n, seed=0):
    rng = np.random.default_rng(seed)
    return {value.name: value.drawn(n, rng) for value in made.inputs}


def outputs(made, given):
    found = made.model(given, training=False)
    return {name: keras.ops.convert_to_numpy(tensor) for name, tensor in found.items()}


def needs(format):
    """Skip where this backend does not write the format, or the packages are not installed."""
    form = formats.FORMATS[format]
    if BACKEND not in form.backends:
        pytest.skip(f"{BACKEND} does not write {form.title}")
    for module in (*form.packages.get(BACKEND, ()), form.runs):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module}, of the extra {form.extra}, is not installed")


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("vae", ["decoder", "sampler", "encoder"]),
        ("dcgan", ["generator", "sampler"]),
        ("classifier", ["classifier"]),
        ("flow", ["sampler"]),
    ],
)
@pytest.mark.once_in_short
def test_the_parts_of_a_model(name, own):
    assert parts.names(built(name)) == own


@pytest.mark.once_in_short
def test_parts_give_what_the_model_gives():
    vae, gan = built("labelled"), built("dcgan")
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(3, 2)).astype("float32"), np.arange(3, dtype="int32")
    near = {"rtol": 1e-4, "atol": 1e-5}
    decoder = parts.part(vae)
    assert [value.name for value in decoder.inputs] == ["z", "labels"]
    np.testing.assert_allclose(
        outputs(decoder, {"z": z, "labels": labels})["x"], vae.decode(z, labels=labels), **near
    )
    x = rng.random((3, 8, 8, 1), "float32")
    encoder = parts.part(vae, "encoder")
    assert [value.name for value in encoder.outputs] == ["mean", "log_var"]
    found = outputs(encoder, {"x": x, "labels": labels})
    np.testing.assert_allclose(found["mean"], vae.encode(x, labels=labels), **near)
    assert found["log_var"].shape == (3, 2)
    generator = parts.part(gan)  # its networks make pictures in [-1, 1]
    z = rng.normal(size=(3, 12)).astype("float32")
    pictures = outputs(generator, {"z": z})["x"]
    np.testing.assert_allclose(pictures, gan.decode(z), **near)
    assert 0 <= pictures.min() <= pictures.max() <= 1


@pytest.mark.once_in_short
def test_noise_is_drawn_from_the_prior_as_the_model_draws_it():
    """A mixture's code: normal noise around 4 on the axis of the component drawn."""
    gan = built("dcgan")
    sampler = parts.part(gan, "sampler")
    assert [(v.name, v.draw) for v in sampler.inputs] == [
        ("noise", "normal"),
        ("noise_2", "uniform"),
    ]
    noise = np.zeros((3, 12), "float32")
    found = outputs(sampler, {"noise": noise, "noise_2": np.array([0, 0.55, 0.999], "float32")})
    z = noise.copy()
    z[[0, 1, 2], [0, 5, 9]] = 4.0
    np.testing.assert_allclose(found["x"], gan.decode(z), rtol=1e-4, atol=1e-5)


def written(made, format, folder):
    """The file of a part, and the program that checks it against ``r.npz``."""
    form = formats.FORMATS[format]
    about = {"title": "t", **made.described(), "imports": []}
    made.model(inputs(made, 1))
    path = folder / f"made{form.suffix}"
    form.write(made, path, about)
    return path, formats.check(form, path, about, folder / "r.npz", folder / "r.json")


@pytest.mark.parametrize(
    ("format", "name", "part"),
    [
        ("onnx", "labelled", "encoder"),
        ("onnx", "dcgan", "sampler"),
        ("onnx", "flow", "sampler"),  # a loop
        ("saved_model", "labelled", "encoder"),
        ("litert", "labelled", "encoder"),
    ],
)
def test_a_file_gives_in_its_runtime_what_the_model_gives(tmp_path, format, name, part):
    needs(format)
    model = built(name)
    made = parts.part(model, part)
    export_child.refer(model, made, tmp_path / "r.npz")
    path, program = written(made, format, tmp_path)
    assert processes.failure(["-c", program], 300) == ""
    assert 0 <= json.loads((tmp_path / "r.json").read_text())["difference"] < 1e-4
    if format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path))
        for values, found in (
            (made.inputs, session.get_inputs()),
            (made.outputs, session.get_outputs()),
        ):
            assert [v.name for v in values] == [f.name for f in found]
            assert [["batch", *v.shape] for v in values] == [f.shape for f in found]
        said = json.loads(session.get_modelmeta().custom_metadata_map["inputs"])
        assert "[0, 1" in said[0]["says"] or "normal" in said[0]["says"]


@pytest.mark.once_in_short
def test_a_file_that_differs_from_the_model_is_found_out(tmp_path):
    model = built("vae")
    made = parts.part(model)
    export_child.refer(model, made, tmp_path / "r.npz")
    layer = next(x for x in model.networks["decoder"].layers if x.weights)
    layer.set_weights([w + 0.5 for w in layer.get_weights()])
    _, program = written(made, "keras", tmp_path)
    with pytest.raises(SystemExit, match="x of 1 rows differs from the model by"):
        exec(program, {})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    recipe = zoo.Recipe(
        model=MODELS["labelled"](),
        dataset=datasets.Digits(batch_size=512, size=8),
        optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
        precision="mixed_bfloat16",
        epochs=1,
    )
    root = tmp_path_factory.mktemp("runs")
    quiet = Access(say=lambda line: None)
    return zoo.train(recipe, name="tiny", runs_folder=str(root), access=quiet)


@pytest.mark.once_in_short
def test_the_command_writes_a_file_and_a_card_whose_code_runs(run, capsys, monkeypatch):
    """Of a run in mixed precision, with child processes."""
    assert main(["export", str(run.path), "--format", "keras"]) == 0
    target = run.path / "exports" / "decoder.keras"
    out = capsys.readouterr().out
    assert str(target) in out and "largest difference" in out
    text = (target.parent / "decoder.keras.md").read_text()
    for part in ("not stated", "| input | `labels` | int32 | (n) |", "pictures in [0, 1]", "tiny"):
        assert part in text
    code = text.partition("```python\n")[2].partition("```")[0]
    assert "import zoo" not in code  # the part has layers of Keras alone
    monkeypatch.chdir(target.parent)
    exec(code, found := {})
    assert found["x"].shape == (4, 8, 8, 1)


@pytest.mark.once_in_short
def test_what_cannot_be_exported_is_said(run, tmp_path, monkeypatch):
    with pytest.raises(ZooError, match=r"unknown format 'tflite'"):
        zoo.export(run, format="tflite")
    with pytest.raises(ZooError, match=r"has to end in \.keras"):
        zoo.export(run, format="keras", to=tmp_path / "x.h5")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(ZooError, match=r"no SavedModel: choose another folder"):
        zoo.export(run, format="saved_model", to=tmp_path / "mine")
    with pytest.raises(ZooError, match="it has: decoder, sampler, encoder"):
        parts.part(built("vae"), "classifier")
    ae = zoo.build(zoo.model("ae", latent_dim=2, units=(4,)), zoo.DataSpec((8, 8, 1)))
    ae.sampler = nn.samplers.GaussianMixture(1)
    with pytest.raises(ZooError, match="a sampler that was fitted"):
        parts.part(ae, "sampler")
    monkeypatch.setattr(formats, "_importable", lambda name: name != "onnxruntime")
    with pytest.raises(ZooError, match=r'onnxruntime, which is not installed: pip install "keras'):
        zoo.export(run, format="onnx")


@pytest.mark.backend_free
def test_a_folder_in_the_place_of_a_saved_model_is_not_emptied(run, tmp_path):
    """Also where the place is the one that an export chooses by itself."""
    made, form = tmp_path / "made", formats.find("saved_model")
    made.mkdir()
    (made / "saved_model.pb").write_bytes(b"new")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(ZooError, match="no SavedModel: choose another folder"):
        export.placed(made, tmp_path / "mine", form, run)
    old = tmp_path / "old"
    old.mkdir()
    (old / "saved_model.pb").write_bytes(b"old")
    (tmp_path / "link").symlink_to(old)
    with pytest.raises(ZooError, match=r"cannot write .*link"):
        export.placed(made, tmp_path / "link", form, run)
    assert export.placed(made, old, form, run) == 3
    assert (old / "saved_model.pb").read_bytes() == b"new"


@pytest.mark.once_in_short
def test_a_file_that_was_there_stays_where_an_export_fails(run, tmp_path, monkeypatch):
    target = tmp_path / "x.keras"
    target.write_bytes(b"old")
    monkeypatch.setattr(processes, "failure", lambda *a: "x of 1 rows differs")
    with pytest.raises(RunFailed, match=r"cannot be exported: x of 1 rows differs"):
        zoo.export(run, format="keras", to=target)
    assert target.read_bytes() == b"old"
