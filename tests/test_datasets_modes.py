"""Pictures of every mode and depth: none is clipped, and what cannot be known is asked."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from zoo.datasets import Access, Folder
from zoo.errors import ZooError

pytestmark = pytest.mark.backend_free

RAMP = np.linspace(0, 1, 1024).reshape(32, 32)
BYTES = np.rint(RAMP * 255)


@pytest.fixture
def lines():
    return []


@pytest.fixture
def first(tmp_path, lines):
    """Save a picture (or bytes) into a folder, load the folder, and return its first example."""

    def load(image, suffix, save=None, **settings):
        path = tmp_path / f"1.{suffix}"
        path.write_bytes(image) if isinstance(image, bytes) else image.save(path, **save or {})
        folder = Folder(str(tmp_path), validation=0, test=0, **settings)
        return folder.load(Access(say=lines.append)).train.x[0]

    return load


def tiff(values, photometric=1, bits=None, sample_format=None):
    """The bytes of a TIFF of one strip, of any type."""
    content = values.tobytes() if bits != 12 else _packed(values)
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    tags = [
        (256, values.shape[1]),
        (257, values.shape[0]),
        (258, bits or 8 * values.dtype.itemsize),
        (259, 1),
        (262, photometric),
        (273, 8),
        (277, 1),
        (278, values.shape[0]),
        (279, len(content)),
        (339, sample_format or kind),
    ]
    entries = b"".join(
        tag.to_bytes(2, "little") + b"\4\0\1\0\0\0" + value.to_bytes(4, "little")
        for tag, value in tags
    )
    at = 8 + len(content)
    return (
        b"II*\0"
        + at.to_bytes(4, "little")
        + content
        + len(tags).to_bytes(2, "little")
        + entries
        + bytes(4)
    )


def _packed(values):
    """Two values of 12 bits in three bytes."""
    a, b = values.ravel()[::2].astype(int), values.ravel()[1::2].astype(int)
    return np.stack([a >> 4, (a & 15) << 4 | b >> 8, b & 255], 1).astype("u1").tobytes()


def pgm(top):
    values = np.rint(RAMP * top).astype(">u2")
    return f"P5 32 32 {top}\n".encode() + values.tobytes()


def plain_pgm(top):
    return (
        f"P2 32 32 {top} ".encode()
        + " ".join(map(str, np.rint(RAMP * top).astype(int).ravel())).encode()
    )


DEEP = {
    "png 16": (Image.fromarray(np.rint(RAMP * 65535).astype("<u2")), "png"),
    "pgm 16": (pgm(65535), "pgm"),
    "pgm 10": (pgm(1023), "pgm"),
    "pgm 16, in text": (plain_pgm(65535), "pgm"),
    "tiff 16": (tiff(np.rint(RAMP * 65535).astype("<u2")), "tif"),
    "tiff 16, white is 0": (tiff(np.rint((1 - RAMP) * 65535).astype("<u2"), 0), "tif"),
    "tiff 12": (tiff(np.rint(RAMP * 4095).astype("<u2"), bits=12), "tif"),
    "tiff float": (tiff(RAMP.astype("<f4")), "tif"),
    "tiff float, by PIL": (Image.fromarray(RAMP.astype("<f4")), "tiff"),
}


@pytest.mark.parametrize("case", DEEP)
def test_deep_greys_are_scaled(first, lines, case):
    image, suffix = DEEP[case]
    x = first(image, suffix)
    assert x.shape == (32, 32, 1)
    np.testing.assert_allclose(x[..., 0], BYTES, atol=1)
    assert len(lines) == 1 and "scaled to 0 to 255" in lines[0]
    assert first(image, suffix, mode="rgb").shape == (32, 32, 3)


UNKNOWN = {
    "int32": (RAMP * 65535).astype("<i4"),
    "uint32": (RAMP * 65535).astype("<u4"),
    "int16": (RAMP * 65535 - 32768).astype("<i2"),
    "int8": (RAMP * 255 - 128).astype("i1"),
    "float to 255": (RAMP * 255).astype("<f4"),
    "float from -1": (RAMP * 2 - 1).astype("<f4"),
    "uint32, all of it": (RAMP * (2**32 - 1)).astype("<u4"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_ranges_that_are_not_known_are_asked(first, case):
    values = UNKNOWN[case]
    low, high = float(values.min()), float(values.max())
    with pytest.raises(ZooError, match=r"1\.tif is not used: it holds .* set .* value_range=\("):
        first(tiff(values), "tif")
    x = first(tiff(values), "tif", value_range=(low, high))
    np.testing.assert_allclose(x[..., 0], BYTES, atol=1)


@pytest.mark.parametrize(
    ("case", "guess"),
    [("int32", r"\(0, 65535\)"), ("float to 255", r"\(0, 255\)"), ("float from -1", r"\(-1, 1\)")],
)
def test_the_range_to_type_is_said(first, case, guess):
    with pytest.raises(ZooError, match=f"value_range={guess}"):
        first(tiff(UNKNOWN[case]), "tif")


def test_a_range_is_a_window(first):
    values = np.array([[-2000, -1000, 0, 1000, 3000]], "<i2")
    x = first(tiff(values), "tif", value_range=(-1000, 1000))
    assert x.ravel().tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_floats_that_are_not_finite_are_named(first, lines, value):
    values = RAMP.astype("<f4")
    values[3, 4] = value
    with pytest.raises(ZooError, match="no picture that can be read"):
        first(tiff(values), "tif")
    assert f"1.tif is left out: row 3, column 4 holds {value}" in lines[0]


# Palettes and alpha.


def palette(colours, pixels):
    image = Image.fromarray(np.asarray(pixels, "u1"), "P")
    image.putpalette(np.asarray(colours, "u1").ravel().tolist())
    return image


@pytest.mark.parametrize("suffix", ["png", "gif", "tif", "bmp"])
def test_palettes_of_greys_are_grey(first, suffix):
    greys = palette([[0, 0, 0], [90, 90, 90], [200, 200, 200], [1, 2, 3]], [[0, 1, 2]])
    assert first(greys, suffix).tolist() == [[[0], [90], [200]]]
    coloured = palette([[0, 0, 0], [90, 90, 90], [200, 0, 0]], [[0, 1, 2]])
    assert first(coloured, suffix).shape == (1, 3, 3)


LOGO = np.array([[[0, 255], [0, 0], [200, 255]]], "u1")  # black, transparent, grey


@pytest.mark.parametrize(
    ("image", "channels"),
    [
        (Image.fromarray(LOGO, "LA"), 1),
        (Image.fromarray(LOGO, "LA").convert("RGBA"), 3),
        (palette([[0] * 3, [9] * 3, [200] * 3], [[0, 1, 2]]), 1),
        (Image.fromarray(np.array([[0, 77, 200 * 257]], "<u2")), 1),
    ],
)
def test_transparent_parts_become_background(first, lines, image, channels):
    save = {"LA": {}, "RGBA": {}, "P": {"transparency": 1}}.get(image.mode, {"transparency": 77})
    for background, value in (("black", 0), ("white", 255)):
        x = first(image, "png", save, background=background)
        assert x.shape == (1, 3, channels)
        assert x[0, :, 0].tolist() == [0, value, 200]
        assert f"transparent parts, which become {background} (background)" in "".join(lines)


def test_opaque_alpha_is_not_told(first, lines):
    first(Image.new("RGBA", (4, 4), (1, 2, 3, 255)), "png")
    assert lines == []


@pytest.mark.parametrize(
    ("mode", "suffix", "channels"),
    [
        ("1", "png", 1),
        ("CMYK", "jpg", 3),
        ("YCbCr", "jpg", 3),
        ("L", "webp", 3),
        ("PA", "tif", 1),
        ("LAB", "tif", 3),
    ],
)
def test_other_modes(first, mode, suffix, channels):
    image = Image.new("RGB", (4, 4), (250, 250, 250)).convert("P" if mode == "PA" else mode)
    image = image.convert(mode)
    save = {"lossless": True} if suffix == "webp" else {}
    try:
        x = first(image, suffix, save)
    except OSError:
        pytest.skip(f"PIL writes no {mode} as {suffix}")
    assert x.shape == (4, 4, channels)
    assert 240 <= x.min() <= x.max()


# Files of several pictures.


def several(n, format, **how):
    frames = [Image.fromarray(np.full((4, 4), 10 + i, "u1")) for i in range(n)]
    file = io.BytesIO()
    frames[0].save(file, format, save_all=True, append_images=frames[1:], **how)
    return file.getvalue()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_pages_of_tiff_are_pictures(tmp_path, lines, n):
    for part in ("cat", "dog"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "1.tif").write_bytes(several(n, "TIFF"))
    data = Folder(str(tmp_path), validation=0, test=0).load(Access(say=lines.append))
    assert data.train.x[:, 0, 0, 0].tolist() == [10 + i for i in range(n)] * 2
    assert data.train.y.tolist() == [0] * n + [1] * n
    assert data.class_names == ("cat", "dog")
    assert len(lines) == (n > 1)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_of_an_animation_the_first_picture_counts(tmp_path, lines, suffix):
    how = {"lossless": True} if suffix == "webp" else {}
    (tmp_path / f"1.{suffix}").write_bytes(several(3, suffix.upper(), **how))
    data = Folder(str(tmp_path), validation=0, test=0).load(Access(say=lines.append))
    assert data.train.x[..., 0].ravel().tolist() == [10] * 16
    assert "of an animation the first counts" in lines[0]


# Sizes.

WIDE = np.zeros((4, 12, 3), "u1")
WIDE[:, 4:8] = 200


@pytest.mark.parametrize(
    ("size", "fit", "expected"),
    [
        (4, "crop", [[200] * 4] * 4),
        ((4, 6), "crop", [[0, 200, 200, 200, 200, 0]] * 4),
        (6, "stretch", None),
        (12, "pad", [[0] * 12] * 4 + [[0] * 4 + [200] * 4 + [0] * 4] * 4 + [[0] * 12] * 4),
        ((4, 14), "pad", [[0] * 5 + [200] * 4 + [0] * 5] * 4),
        ([1, 3], "stretch", None),
    ],
)
def test_fit(first, size, fit, expected):
    x = first(Image.fromarray(WIDE), "png", size=size, fit=fit)
    height, width = (size, size) if isinstance(size, int) else size
    assert x.shape == (height, width, 3)
    if expected:
        assert x[..., 0].tolist() == expected
    else:
        assert x[0, width // 2, 0] > 140 and x[0, 0, 0] < 60


def test_pad_has_the_background(first):
    x = first(Image.fromarray(WIDE), "png", size=12, fit="pad", background="white")
    assert x[0, 0].tolist() == [255] * 3 and x[5, 0].tolist() == [0] * 3
    line = Image.new("L", (1000, 1), 50)
    assert first(line, "png", size=8, fit="pad").shape == (8, 8, 1)


# What is no file.


@pytest.mark.parametrize("kind", ["pipe", "device", "link to a pipe"])
def test_a_pipe_or_device_does_not_hang(tmp_path, kind):
    folder = tmp_path / "a"
    folder.mkdir()
    for i in range(3):
        Image.new("L", (4, 4), i).save(folder / f"{i}.png")
    if kind == "device":
        (folder / "odd.png").symlink_to("/dev/zero")
    else:
        os.mkfifo(tmp_path / "pipe")
        place = folder / "odd.png"
        place.symlink_to(tmp_path / "pipe") if "link" in kind else os.mkfifo(place)
    code = (
        "import sys; from zoo.datasets import Folder, Arrays; from zoo.errors import ZooError\n"
        "print(len(Folder(sys.argv[1], validation=0, test=0).load().train))\n"
        "for name in ('x.npz', 'x.npy'):\n"
        "    try: Arrays(sys.argv[1] + '/' + name).load()\n"
        "    except ZooError as error: print(error)\n"
    )
    for name in ("x.npz", "x.npy"):
        os.mkfifo(folder / name)
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("3\n"), done.stderr
    assert done.stdout.count("no file, but a pipe") == 2
    assert "odd.png is left out: it is no file, but a pipe, a device or a socket" in done.stderr
