"""Samples that a notebook shows, and that are NumPy arrays all the same; a run's table."""

from __future__ import annotations

import io
import pickle

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.errors import ZooError
from zoo.reports.pictures.shown import Pictures
from zoo.runs.trained import History


def pictures(n=6, side=28, channels=1):
    x = np.linspace(0, 1, n * side * side * channels, dtype="float32")
    return x.reshape(n, side, side, channels).view(Pictures)


def drawn(x):
    return Image.open(io.BytesIO(x._repr_png_()))


@pytest.mark.backend_free
def test_a_notebook_shows_a_grid():
    # 6 pictures of 28 in 3 columns and 2 rows, with lines between, enlarged by a whole factor
    assert drawn(pictures()).size == (9 * (3 * 29 + 1), 9 * (2 * 29 + 1))
    assert pictures().show(columns=6).size == (6 * (6 * 29 + 1), 6 * 30)
    assert drawn(pictures(channels=3)).mode == "RGB"
    assert drawn(pictures(n=1000, side=8)).size == (7 * (16 * 9 + 1),) * 2  # the first 256
    assert drawn(np.zeros((5, 2), "float32").view(Pictures)).size[0] > 100  # points
    assert pictures()[0, ..., 0]._repr_png_() is None  # the numbers then
    assert pictures()[:0]._repr_png_() is None


@pytest.mark.backend_free
def test_what_is_computed_is_plain():
    x = pictures()
    assert type(x[:3]) is Pictures and drawn(x[:3]).size == (9 * 59, 9 * 59)
    for plain in (x * 2, x + x, x.mean(axis=0), np.round(x), np.asarray(x), x > 0.5):
        assert type(plain) is np.ndarray
    for number in (x.mean(), x.max(), x.sum(), x[0, 0, 0, 0]):
        assert isinstance(number, np.float32)
    assert type(pickle.loads(pickle.dumps(x))) is np.ndarray
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(x)), x)


def test_every_backend_takes_them():
    x = pictures()
    np.testing.assert_allclose(keras.ops.convert_to_numpy(keras.ops.mean(x)), 0.5, rtol=1e-5)
    dense = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    assert dense(x).shape == (6, 784)
    assert dense.predict(x, verbose=0).shape == (6, 784)


@pytest.mark.backend_free
def test_show_takes_one_picture_and_bytes_and_refuses_the_rest():
    assert zoo.show(np.zeros((28, 28, 3), "uint8")).size == (9 * 30, 9 * 30)
    for wrong in (np.zeros((2, 28, 28, 2)), np.zeros(3), np.zeros((0, 8, 8, 1)), "x"):
        with pytest.raises(ZooError, match=r"zoo\.show draws pictures"):
            zoo.show(wrong)


def test_a_built_model_says_what_it_is(capsys):
    model = zoo.build(zoo.model("vae", latent_dim=2, units=(4,)), zoo.DataSpec((4, 4, 1), 3))
    assert repr(model).splitlines() == [
        "VAE for 4 x 4 x 1, 3 classes",
        "  networks (parameters): encoder (88), decoder (92)",
        "  can sample, reconstruct, encode, decode, log_likelihood, posterior",
    ]
    assert type(model.sample(2)) is Pictures and type(model.encode(model.sample(2))) is np.ndarray
    model.summary(expand_nested=True)
    out = capsys.readouterr().out
    assert "VAE for 4 x 4 x 1, 180 parameters" in out and "decoder  autoencoder  (None, 2)" in out
    assert "Total params: 92" in out


@pytest.mark.backend_free
def test_data_say_what_they_are_in_a_line():
    data = zoo.datasets.Digits().load()
    assert repr(data) == "digits: 8 x 8 x 1, 10 classes; 1,397 train, 200 validation, 200 test"
    assert repr(data.test) == "200 examples uint8 (8, 8, 1), labelled"


@pytest.mark.backend_free
def test_a_long_table_is_shown_by_its_ends():
    table = History(epoch=np.arange(1, 101), loss=np.full(100, 0.5))
    assert repr(table).splitlines()[1] == "    1   0.5"
    assert repr(table).splitlines()[7].split() == ["...", "..."]
    assert repr(table).splitlines()[-1] == "  100   0.5" and len(repr(table).splitlines()) == 14
    assert table._repr_html_().startswith("<table><tr><th>epoch</th><th>loss</th></tr><tr><td>1<")
    assert "<b>" not in History({"<b>": np.ones(1)})._repr_html_()
