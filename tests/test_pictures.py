"""Grids, comparisons, scatter plots, names, captions, PNG files."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from zoo.reports import pictures

pytestmark = pytest.mark.backend_free


def test_grid_lays_pictures_out_in_rows():
    images = np.arange(6, dtype="uint8").reshape(6, 1, 1, 1).repeat(2, 1).repeat(3, 2) * 40
    image = pictures.grid(images, columns=3, padding=1, scale=1)
    assert image.dtype == np.uint8
    assert image.shape == (2 * 3 + 1, 3 * 4 + 1, 3)
    assert (image[0] == pictures.BACKGROUND).all() and (image[:, -1] == pictures.BACKGROUND).all()
    for i in range(6):
        row, column = divmod(i, 3)
        top, left = 1 + row * 3, 1 + column * 4
        assert (image[top : top + 2, left : left + 3] == i * 40).all()


def test_grid_is_square_by_default_and_leaves_places_empty():
    image = pictures.grid(np.ones((5, 8, 8, 3), "float32"), padding=0, scale=1)
    assert image.shape == (16, 24, 3)
    assert (image[8:, 16:] == pictures.BACKGROUND).all()
    assert (image[8:, :16] == 255).all()


def test_small_pictures_are_enlarged_by_a_whole_factor():
    assert pictures.grid(np.zeros((64, 28, 28, 1))).shape == (4 * 233, 4 * 233, 3)
    assert pictures.grid(np.zeros((100, 32, 32, 3))).shape == (3 * 331, 3 * 331, 3)
    assert pictures.grid(np.zeros((1, 28, 28, 1)), padding=0).shape == (9 * 28, 9 * 28, 3)
    assert pictures.grid(np.zeros((1, 300, 20, 3)), padding=0).shape == (300, 20, 3)
    assert pictures.grid(np.zeros((400, 96, 96, 3)), padding=0).shape == (1920, 1920, 3)


def test_floats_are_cut_to_their_range_and_what_is_not_finite_is_drawn():
    values = np.array([-1, 0, 0.5, 1, 7, np.nan, np.inf], "float32")
    assert pictures.to_uint8(values).tolist() == [0, 0, 128, 255, 255, 0, 255]


@pytest.mark.parametrize("shape", [(4, 28, 28), (0, 8, 8, 1), (4, 8, 8, 2), (4, 2)])
def test_grid_refuses_what_is_no_picture(shape):
    with pytest.raises(ValueError, match="n, h, w"):
        pictures.grid(np.zeros(shape))


def test_comparisons_stand_in_blocks_with_their_names():
    originals = np.full((5, 256, 256, 1), 255, "uint8")  # too large to be enlarged
    image = pictures.compare({"original": originals, "made": np.zeros((5, 256, 256, 1), "float32")})
    left = image.shape[1] - (1 + 3 * 257)  # 3 columns; the rest is names
    assert (image[:515, :left] < 128).any() and (image[:515, :left] == 255).any()
    gap = pictures.grids.GAP
    assert image.shape[0] == 2 * 515 + gap and (image[515 : 515 + gap] == 255).all()
    first, second = image[:515, left:], image[515 + gap :, left:]
    empty = pictures.BACKGROUND
    assert first[128::257, 128::257, 0].tolist() == [[255, 255, 255], [0, 0, 0]]
    assert second[128::257, 128::257, 0].tolist() == [[255, 255, empty], [0, 0, empty]]


def test_comparisons_are_of_one_shape():
    originals = np.zeros((5, 8, 8, 1), "uint8")
    with pytest.raises(ValueError, match=r"differ: a \(5, 8, 8, 1\), b \(3, 8, 8, 1\)"):
        pictures.compare({"a": originals, "b": originals[:3]})


@pytest.mark.parametrize(("n", "groups", "blocks"), [(32, 3, 4), (32, 2, 4), (1, 2, 1), (7, 3, 2)])
def test_blocks_of_a_comparison_are_of_like_length(n, groups, blocks):
    x = np.zeros((n, 256, 256, 1), "uint8")
    image = pictures.compare({str(i): x for i in range(groups)})
    assert image.shape[0] == blocks * (groups * 257 + 1) + (blocks - 1) * pictures.grids.GAP


def test_names_stand_beside_rows_and_over_columns():
    image = np.full((60, 90, 3), 7, "uint8")
    framed = pictures.framed(image, rows=["z0", "z1"], columns=["-3", "0", "3"])
    top, left = framed.shape[0] - 60, framed.shape[1] - 90
    assert (framed[top:, left:] == image).all()
    for row in (framed[top : top + 30, :left], framed[top + 30 :, :left]):
        assert (row < 128).any()
    for i in range(3):
        assert (framed[:top, left + 30 * i : left + 30 * (i + 1)] < 128).any()
    assert (framed[:top, :left] == 255).all()
    assert (pictures.framed(image) == image).all()
    upright = pictures.framed(image, columns=["a long name", "b", "another"])
    assert upright.shape[0] > framed.shape[0] and upright.shape[1] == 90
    assert (upright[-60:] == image).all() and (upright[:-60, :30] < 128).any()


@pytest.mark.parametrize(
    ("labels", "names", "expected"),
    [
        ([0, 1], (), ["0", "1"]),
        ([1, 0], ("cat", "dog"), ["dog", "cat"]),
        ([2, -1], ("cat", "dog"), ["2", "-1"]),
        ([0], ("x" * 21,), ["x" * 19 + "…"]),
    ],
)
def test_what_classes_are_called(labels, names, expected):
    assert pictures.class_names(labels, names) == expected


def test_names_stay_upright_only_where_they_need_to():
    image = np.zeros((60, 300, 3), "uint8")
    assert pictures.framed(image, columns=["trouser", "dress"]).shape == (90, 300, 3)


def test_a_terminal_shows_two_pixels_a_character():
    image = np.array([[[255, 0, 0], [0, 0, 255]], [[0, 255, 0], [9, 9, 9]]], "uint8")
    first = "\x1b[38;2;255;0;0;48;2;0;255;0m▀"
    second = "\x1b[38;2;0;0;255;48;2;9;9;9m▀"
    assert pictures.half_blocks(image, 80) == f"{first}{second}\x1b[0m"
    of_256 = pictures.half_blocks(image, 80, deep=False)  # 196 red, 46 green, 21 blue, 232 grey
    assert of_256 == "\x1b[38;5;196;48;5;46m▀\x1b[38;5;21;48;5;232m▀\x1b[0m"


def test_a_picture_fits_its_terminal():
    lines = pictures.half_blocks(np.zeros((100, 200, 3), "uint8"), 60).split("\n")
    assert len(lines) == 15 and all(line.count("▀") == 60 for line in lines)
    odd = pictures.half_blocks(np.full((3, 7, 3), 255, "uint8"), 60).split("\n")
    assert len(odd) == 2 and "48;2;0;0;0" in odd[1]  # nothing below the last row
    assert odd[0].count("\x1b[") == 2  # a colour is said where it changes


def test_a_gif_goes_round():
    frames = [np.full((8, 8, 3), level, "uint8") for level in (0, 100, 200)]
    with Image.open(io.BytesIO(pictures.gif(frames, 50))) as image:
        assert (image.n_frames, image.info["loop"], image.info["duration"]) == (3, 0, 50)


def test_images_side_by_side():
    first, second = np.zeros((20, 5, 3), "uint8"), np.full((20, 7, 3), 9, "uint8")
    gap = pictures.grids.GAP
    image = pictures.beside(first, second)
    assert image.shape == (20, 12 + gap, 3)
    assert (image[:, :5] == 0).all() and (image[:, -7:] == 9).all()
    assert (image[:, 5 : 5 + gap] == 255).all()


def test_scatter_draws_points_where_they_are():
    image = pictures.scatter(np.array([[1.0, 1.0], [np.nan, 0.0], [99.0, 0.0]]), [[-1, -1], [1, 1]])
    assert image.shape == (800, 800, 3)
    blue = np.argwhere((image == pictures.BLUE).all(axis=2))
    row, column = blue.mean(axis=0)
    assert row < 200 and column > 600  # (1, 1) is at the top right
    assert len(blue) < 60  # one dot: the others are left out
    grey = np.argwhere((image == pictures.GREY).all(axis=2))
    assert grey.mean(axis=0)[0] > 600 > 200 > grey.mean(axis=0)[1]


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.full((3, 2), np.nan), np.ones((2, 2))])
def test_scatter_of_next_to_nothing_is_drawn(points):
    assert pictures.scatter(points).shape == (800, 800, 3)


def where(image, colour):
    """The mean row and column of a colour, and how many pixels have it."""
    found = np.argwhere((image == colour).all(axis=2))
    return *found.mean(axis=0), len(found)


def test_labels_have_colours_places_and_a_legend():
    points = np.array([[-1.0, -1.0], [-0.8, -1.0], [1.0, 1.0], [0.8, 1.0], [np.nan, 0.0]])
    labels = np.array([3, 3, 7, 7, 3])
    image = pictures.by_label(points, labels, axes=("z0", "z1"), size=400)
    plot = image[:408, :448]
    first, second = pictures.scatters.COLOURS[:2]  # of 3 and of 7
    row, column, _ = where(plot, first)
    assert row > 300 and column < 150  # at the bottom left
    row, column, _ = where(plot, second)
    assert row < 100 and column > 300
    for i, colour in enumerate((first, second)):  # the legend, in the order of the labels
        row, _, pixels = where(image[:, 448:], colour)
        assert abs(row - (20 + 28 * i)) < 3 and pixels > 50


def test_a_legend_has_room_for_names():
    points, labels = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0, 1])
    plain = pictures.by_label(points, labels)
    assert (plain == pictures.by_label(points, labels, names=("0", "1"))).all()
    named = pictures.by_label(points, labels, names=("ankle boot", "dress"))
    assert named.shape[0] == plain.shape[0] and named.shape[1] > plain.shape[1]


def test_points_without_labels_or_with_too_many_are_of_one_colour():
    points = np.stack(np.meshgrid(np.arange(5.0), np.arange(5.0)), axis=-1).reshape(-1, 2)
    plain = pictures.by_label(points)
    assert (plain == pictures.by_label(points, np.arange(25))).all()
    assert where(plain, pictures.BLUE)[2] > 25
    assert pictures.by_label(np.zeros((0, 2)), np.zeros(0, int)).shape == plain.shape


def test_axes_have_round_numbers():
    assert pictures.scatters._round_numbers(-3.3, 3.2) == [-3, -2, -1, 0, 1, 2, 3]
    assert pictures.scatters._round_numbers(-4, 12) == [-4, -2, 0, 2, 4, 6, 8, 10, 12]


def test_caption_is_a_strip_under_the_image():
    image = np.full((20, 300, 3), 7, "uint8")
    captioned = pictures.caption(image, "digits (stand-in for mnist)")
    assert captioned.shape[0] > 30 and captioned.shape[1] == 300
    assert (captioned[:20] == image).all()
    assert (captioned[20:] < 128).any() and (captioned[20:] == 255).any()


def test_caption_is_never_cut_off():
    narrow = pictures.caption(np.zeros((20, 10, 3), "uint8"), "digits (stand-in for mnist)")
    wide = pictures.caption(np.zeros((20, 400, 3), "uint8"), "digits (stand-in for mnist)")
    assert (narrow[20:] < 128).sum() == (wide[20:] < 128).sum()


def test_a_caption_may_have_several_lines():
    image = np.full((20, 300, 3), 7, "uint8")
    one, two = pictures.caption(image, "a line"), pictures.caption(image, "a line\nand one more")
    assert two.shape[0] > one.shape[0] + 8
    assert (two[-12:] < 128).any()


def test_save_writes_the_image_and_what_it_shows(tmp_path):
    image = np.arange(24, dtype="uint8").reshape(2, 4, 3)
    path = tmp_path / "new" / "picture.png"
    pictures.save(path, image, data="mnist", run="vae/1", epoch=3, note="π")
    with Image.open(path) as opened:
        assert (np.asarray(opened) == image).all()
        assert opened.text == {"data": "mnist", "run": "vae/1", "epoch": "3", "note": "π"}
    assert [p.name for p in path.parent.iterdir()] == ["picture.png"]


def test_a_save_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "picture.png"
    pictures.save(path, np.zeros((2, 2, 3), "uint8"))
    before = path.read_bytes()
    with pytest.raises(TypeError):
        pictures.save(path, np.zeros((2, 2, 3), "complex128"))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["picture.png"]
