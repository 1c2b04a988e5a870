"""Views of a model's own: declared, drawn, saved while training, and from the command line."""

from __future__ import annotations

import os
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

import zoo
from zoo import callbacks, cli, datasets
from zoo.callbacks.base import NEEDS
from zoo.datasets import Access, Split
from zoo.engine import inference
from zoo.errors import ZooError
from zoo.plugin import views as declared
from zoo.reports import pictures, views
from zoo.testing.checks.standin import Small

pytestmark = pytest.mark.once_in_short

QUIET = Access(say=lambda line: None)
PLANE = zoo.DataSpec((2,), 3)
PIXELS = zoo.DataSpec((8, 8, 1), 3)


@dataclass(frozen=True)
class Showing(Small):
    """An autoencoder with a view of every kind; its pictures are in [-1, 1]."""

    latent_dim: int = 2
    conditional: bool = False

    value_range = (-1.0, 1.0)

    def views(self):
        return {
            "mirror": zoo.View(self.mirror),
            "spoil": zoo.View(self.spoil),
            "dream": zoo.View(self.dream, inputs="noise"),
            "codebook": zoo.View(self.codebook, inputs="nothing"),
            "places": zoo.View(self.places),
        }

    def mirror(self, nets, x):
        """Left is right.

        And right is left.
        """
        return ops.flip(x, axis=-1 if len(x.shape) == 2 else 2)

    def spoil(self, nets, x, rng, labels):
        noisy, shift = x + 0.1 * rng.normal(ops.shape(x)), 0.0
        if labels is not None:
            shift = ops.reshape(ops.cast(labels, "float32"), (-1,) + (1,) * (len(x.shape) - 1))
        return {"noisy": noisy, "shifted": 0 * x + shift / 10}

    def dream(self, nets, n, rng):
        return nets.decoder(rng.normal((n, self.latent_dim)))

    def codebook(self, nets):
        return nets.decoder(ops.reshape(ops.arange(10.0), (5, 2)))

    def places(self, nets, x):
        return nets.encoder(x)


def examples(n=6, data=PIXELS, seed=0):
    x = np.random.RandomState(seed).uniform(0, 1, (n, *data.shape)).astype("float32")
    return Split(x, (np.arange(n) % 3).astype("int32"))


@pytest.fixture(scope="module")
def model():
    return zoo.build(Showing(), PIXELS)


def test_examples_in_pictures_out(model):
    x = examples().x
    np.testing.assert_allclose(model.view("mirror", x), x[:, :, ::-1], atol=1e-6)
    as_bytes = (x * 255).astype("uint8")
    found = model.view("mirror", as_bytes)
    np.testing.assert_allclose(found, as_bytes[:, :, ::-1] / 255, atol=1e-6)
    assert found.dtype == np.float32


def test_several_columns_noise_and_labels(model):
    split = examples()
    found = model.view("spoil", split.x, labels=split.y, seed=3)
    assert list(found) == ["noisy", "shifted"]
    assert 0 < np.abs(found["noisy"] - split.x).max() < 0.5
    np.testing.assert_allclose(found["shifted"][:, 0, 0, 0], (split.y / 10 + 1) / 2, atol=1e-6)
    again = model.view("spoil", split.x[:2], labels=split.y[:2], seed=3)
    np.testing.assert_array_equal(again["noisy"], found["noisy"][:2])
    other = model.view("spoil", split.x, labels=split.y, seed=4)
    assert np.abs(other["noisy"] - found["noisy"]).max() > 0.01


def test_rows_keep_to_their_seed_and_place_over_chunks(model, monkeypatch):
    whole = model.view("dream", n=7, seed=1)
    monkeypatch.setattr(inference, "CHUNK", 3)
    again = zoo.build(Showing(), PIXELS)
    np.testing.assert_allclose(again.view("dream", n=7, seed=1), whole, atol=1e-6)
    np.testing.assert_allclose(again.view("dream", n=2, seed=1), whole[:2], atol=1e-6)
    assert again.view("codebook").shape == (5, 8, 8, 1)


def test_a_conditional_model_dreams_of_its_classes_in_turn():
    @dataclass(frozen=True)
    class Labelled(Showing):
        """One whose dream looks at labels."""

        conditional: bool = True

        def dream(self, nets, n, rng, labels=None):
            return nets.decoder(ops.cast(ops.stack([labels, labels], axis=1), "float32"))

    model = zoo.build(Labelled(), PIXELS)
    found = model.view("dream", n=6)
    np.testing.assert_allclose(found[:3], found[3:], atol=1e-6)
    image = views.own(model, "dream", examples(0), 6).image
    columns = pictures.grid(found, columns=3)  # below the names of the classes
    np.testing.assert_array_equal(image[-len(columns) :], columns)
    assert len(image) > len(columns)
    with pytest.raises(ZooError, match="is conditional: to view, give labels too"):
        model.view("mirror", examples().x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.view("miror", np.zeros((1, 8, 8, 1))), "Showing: unknown view 'miror'; did"),
        (lambda m: m.view("mirror"), r"view\('mirror'\) shows what becomes of examples: write"),
        (lambda m: m.view("dream", examples().x), r"view\('dream'\) shows noise: write"),
        (lambda m: m.view("dream", n=0), "n is 0"),
        (lambda m: m.view("mirror", np.zeros((2, 9, 9, 1))), "was built for examples of shape"),
    ],
)
def test_a_wrong_call(model, call, message):
    with pytest.raises(ZooError, match=message):
        call(model)


WRONG = {
    "not views": (lambda m: [m.mirror], r"views\(\) is a dict, not"),
    "no view": (lambda m: {"mirror": m.mirror}, r"'mirror' is a method; write zoo.View\(self"),
    "a name with blanks": (lambda m: {"my view": zoo.View(m.mirror)}, "cannot name a view: lower"),
    "a number": (lambda m: {3: zoo.View(m.mirror)}, "3 cannot name a view"),
    "a name that means something": (lambda m: {"samples": zoo.View(m.mirror)}, "a meaning of its"),
    "an ability": (lambda m: {"decode": zoo.View(m.mirror)}, "a meaning of its own"),
    "no function": (lambda m: {"mirror": zoo.View("mirror")}, "zoo.View takes a function, not"),
    "other inputs": (
        lambda m: {"mirror": zoo.View(m.mirror, inputs="example")},
        r"zoo.View\(mirror\): inputs is one of 'examples', 'batch', 'noise', 'nothing', not",
    ),
    "a method of nothing": (
        lambda m: {"book": zoo.View(m.codebook)},
        r"is called as codebook\(nets, x\), with rng and labels .* not as codebook\(nets\)",
    ),
    "a parameter too many": (
        lambda m: {"code": zoo.View(m.log_likelihood, inputs="nothing")},
        r"not as log_likelihood\(nets, x, rng, samples\)",
    ),
    "a method that fails": (
        lambda m: {"oops": zoo.View(lambda nets, x: nets.encodr(x))},
        "there is no network 'encodr'; did you mean 'encoder'",
    ),
    "text": (lambda m: {"oops": zoo.View(lambda nets, x: "x")}, "gave str; a view gives pictures"),
    "none": (lambda m: {"oops": zoo.View(lambda nets, x: {})}, "gave {}; a view gives a tensor"),
    "what cannot be drawn": (
        lambda m: {"oops": zoo.View(lambda nets, x: ops.reshape(x, (-1, 64)))},
        r"gave shape \(3, 64\); a view gives pictures \(n, height, width, 1 or 3\), or points "
        r"\(n, 2\), with n = 3",
    ),
    "another number of rows": (
        lambda m: {"oops": zoo.View(lambda nets, x: {"half": x[:2]})},
        r"gave shape \(2, 8, 8, 1\) for 'half'",
    ),
    "both": (
        lambda m: {"oops": zoo.View(lambda nets, x: {"a": x, "b": nets.encoder(x)})},
        "both pictures and points",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_declaration_is_refused_before_training(name):
    said, message = WRONG[name]

    @dataclass(frozen=True)
    class Wrong(Showing):
        """One that declares something else."""

        def views(self):
            return said(self)

    with pytest.raises(ZooError, match=message):
        zoo.build(Wrong(), PIXELS)


@pytest.mark.backend_free
def test_names_of_pictures_are_taken():
    assert set(declared.PICTURES) == set(NEEDS)
    assert zoo.Model().views() == {}


# --- drawn


def test_examples_stand_above_what_becomes_of_them(model):
    split = examples(4)
    shown = views.own(model, "mirror", split, 3)
    groups = {"input": split.x[:3], "mirror": split.x[:3, :, ::-1]}
    np.testing.assert_array_equal(shown.image, pictures.compare(groups))
    assert shown.numbers.shape == (3, 8, 8, 1)
    several = views.own(model, "spoil", split, 3)
    assert several.image.shape[0] > shown.image.shape[0]


def test_other_sizes_and_colours_stand_beside_each_other():
    grey = np.linspace(0, 1, 2 * 4 * 4, dtype="float32").reshape(2, 4, 4, 1)
    colour = np.zeros((3, 9, 10, 3), "float32")
    found = pictures.alike({"grey": grey, "colour": colour})
    assert {a.shape for a in found.values()} == {(2, 9, 10, 3)}
    np.testing.assert_array_equal(found["grey"][:, 0:8:2, 1:9:2, 2:], pictures.to_uint8(grey))
    assert (found["grey"][:, 8] == pictures.BACKGROUND).all()
    assert pictures.compare(found).ndim == 3


def test_points_are_scattered():
    model = zoo.build(Showing(), PLANE)
    split = examples(40, PLANE)
    shown = views.own(model, "mirror", split, 40)
    np.testing.assert_array_equal(shown.image, pictures.scatter(split.x[:, ::-1], split.x))
    dreamt = views.own(model, "dream", split, 40)
    np.testing.assert_array_equal(dreamt.image, pictures.scatter(dreamt.numbers, split.x))
    both = views.own(model, "spoil", split, 40)
    assert both.image.shape == (800, 800, 3)


def test_points_of_pictures_are_coloured_by_label(model):
    split = examples(9)
    shown = views.own(model, "places", split, 9)
    np.testing.assert_array_equal(shown.image, pictures.by_label(shown.numbers, split.y))
    with pytest.raises(views.Unable, match="no examples to show 'places' of"):
        views.own(model, "places", examples(0))


# --- while it trains, and after


def recipe(**changes):
    settings = {
        "model": Showing(),
        "dataset": datasets.Digits(batch_size=512),
        "optimizers": {p: keras.optimizers.SGD(0.01) for p in Showing().players()},
        "epochs": 2,
        "callbacks": [
            callbacks.ViewGrid("mirror", every=2, n=5),
            callbacks.ViewGrid("dream", n=4),
            callbacks.TensorBoard(),
        ],
    }
    return zoo.Recipe(**(settings | changes))


SOURCE = """
from tests.test_views import recipe as made
recipe = made()
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("views")
    (folder / "views.py").write_text(SOURCE)
    source = folder / "views.py"
    return zoo.train(recipe(), name="views", source=source, runs_folder=str(folder), access=QUIET)


def test_a_run_keeps_pictures_of_its_views(run):
    saved = sorted(path.name for path in run.pictures.iterdir())
    assert saved == [
        *("dream-epoch-0001.png", "dream-epoch-0002.png", "dream.png"),
        *("mirror-epoch-0002.png", "mirror.png"),
    ]
    split = datasets.Digits().load(QUIET).validation
    shown = views.own(zoo.load(run, recipe=run.recipe), "mirror", split, 5)
    with Image.open(run.pictures / "mirror.png") as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), shown.image)
    assert run.manifest.views["mirror"] == "Left is right."
    events = b"".join(path.read_bytes() for path in run.event_files)
    assert all(name.encode() in events for name in Showing().views())


def test_a_callback_for_another_view_is_refused_before_training(tmp_path):
    wrong = recipe(callbacks=[callbacks.ViewGrid("miror")])
    with pytest.raises(ZooError, match="Showing: unknown view 'miror'; did you mean 'mirror'"):
        zoo.train(wrong, runs_folder=str(tmp_path), access=QUIET)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def call(run, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)

    def called(*words):
        capfd.readouterr()
        runs = ["--runs", str(run.path.parents[1])]
        status = cli.main([*map(str, words), *runs])
        out, err = capfd.readouterr()
        return status, out, err

    yield called
    os.environ.clear()
    os.environ.update(before)


def test_the_command(run, call, tmp_path):
    own = ("--recipe", run.recipe)
    status, out, err = call("view", "views", "mirror", "-n", 4, *own)
    assert status == 0, err
    assert out == f"{run.pictures / 'mirror-test.png'}  4 examples\n"
    status, out, _ = call("view", "views", "dream", "--seed", 3, *own, "-o", "d.npy")
    assert out == "d.npy  float32 (32, 8, 8, 1)\n"
    expected = zoo.load(run, recipe=run.recipe).view("dream", seed=3)
    np.testing.assert_array_equal(np.load(tmp_path / "d.npy"), expected)
    status, out, _ = call("view", "views", "codebook", *own)
    assert out == f"{run.pictures / 'codebook-seed-0.png'}  5 rows\n"


def test_the_command_lists_views(run, call):
    status, out, _ = call("view", "views")
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == "  mirror    Left is right." and len(lines) == 5
    assert lines[1] == "  spoil"
    status, _, err = call("view", "views", "miror", "--recipe", run.recipe)
    assert status == 2
    assert "unknown view 'miror'; did you mean 'mirror'?" in err
    status, out, _ = call("show", "views")
    assert "views mirror, spoil, dream, codebook, places (zoo view RUN NAME)" in out


def test_a_run_without_views_says_what_it_can(call, run):
    run.update(views={})
    status, _, err = call("view", "views")
    assert status == 2
    assert "tests.test_views" not in err
    assert "Showing has no views of its own; it can: sample, reconstruct" in err
