"""A folder of pictures as people have them: of many sizes and modes, some of them broken.

    python -m benchmarks.photos photos            # 1,000 of them, in two class folders
    python -m benchmarks.photos few --n 40 --seed 1

Each is a landscape of hills, by day or by night, drawn from the seed. Colours, sizes, formats and
modes differ: JPEG, PNG, GIF, WebP and TIFF; colour, grey, palettes, CMYK, transparent parts, 16
bits; some are turned by their camera's tag. Two in a hundred are no pictures that can be read.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

CLASSES = ("day", "night")
SIZES = ((96, 64), (128, 96), (160, 120), (64, 96), (120, 120), (200, 112))
BROKEN_EVERY = 50


def landscape(draws: np.random.RandomState, night: bool, width: int, height: int) -> Image.Image:
    """A sky with a sun or a moon, and three rows of hills before it, in RGB."""
    y, x = np.mgrid[0:height, 0:width].astype("float64")
    y, x = y / height, x / width
    top, bottom = ((70, 130, 210), (215, 225, 235)) if not night else ((8, 10, 40), (60, 50, 95))
    tint = draws.normal(0, 12, 3)
    sky = np.array(top) + (np.array(bottom) - top) * y[..., None] + tint
    place, size = draws.uniform((0.15, 0.1), (0.85, 0.4)), draws.uniform(0.05, 0.12)
    aspect = width / height
    far = np.hypot((x - place[0]) * aspect, y - place[1])
    disc = np.clip((size - far) * height / 2, 0, 1)[..., None]
    light = np.array((255, 236, 150) if not night else (232, 232, 215))
    glow = np.exp(-np.maximum(far - size, 0) / 0.15)[..., None] * (0.5 if not night else 0.25)
    picture = sky + (light - sky) * np.maximum(disc, glow)
    base = np.array((95, 150, 85) if not night else (32, 46, 62)) + draws.normal(0, 14, 3)
    for row in range(3):
        level = 0.5 + 0.14 * row + draws.uniform(-0.06, 0.06)
        waves = draws.uniform(1, 3.5, 3), draws.uniform(0, 2 * np.pi, 3)
        line = sum(0.035 * np.sin(2 * np.pi * f * x[0] + p) for f, p in zip(*waves, strict=True))
        below = np.clip((y - level - line) * height, 0, 1)[..., None]
        picture += (base * (1.15 - 0.25 * row) - picture) * below
    picture += draws.normal(0, 3, picture.shape)
    return Image.fromarray(np.clip(picture, 0, 255).astype("uint8"))


def keep(image: Image.Image, stem: Path, kind: int) -> None:
    """Write a picture in one of the forms that cameras, scanners and the web give."""
    if kind < 10:
        image.save(stem.with_suffix(".jpg"), quality=90)
    elif kind < 13:
        image.save(stem.with_suffix(".png"))
    elif kind == 13:
        turned = Image.Exif()
        turned[0x0112] = 6  # the camera was held upright
        image.rotate(90, expand=True).save(stem.with_suffix(".jpg"), exif=turned)
    elif kind == 14:
        image.convert("L").save(stem.with_suffix(".png"))
    elif kind == 15:
        image.quantize(64).save(stem.with_suffix(".gif"))
    elif kind == 16:
        image.convert("CMYK").save(stem.with_suffix(".jpg"), quality=90)
    elif kind == 17:
        image.save(stem.with_suffix(".webp"), quality=85)
    elif kind == 18:
        whole = Image.new("L", image.size, 0)
        whole.paste(255, (2, 2, image.width - 2, image.height - 2))
        image.putalpha(whole.filter(ImageFilter.GaussianBlur(1)))
        image.save(stem.with_suffix(".png"))
    else:
        grey = np.asarray(image.convert("L")).astype("uint16") * 257
        Image.fromarray(grey).save(stem.with_suffix(".tif"))


def damage(stem: Path, kind: int) -> None:
    """What is named like a picture and is none."""
    if kind == 0:
        whole = stem.with_suffix(".jpg").read_bytes()
        stem.with_suffix(".jpg").write_bytes(whole[: len(whole) // 3])
    else:
        stem.with_suffix(".jpg").write_bytes((b"", b"a note, not a picture\n")[kind - 1])


def write(folder: Path, n: int, seed: int = 0) -> None:
    """Fill a folder with n files; the same seed gives the same pictures.

    Args:
        folder: is made; class folders come below.
        n: how many, broken ones among them.
        seed: of all draws.
    """
    draws = np.random.RandomState(seed)  # whose numbers no release of NumPy changes
    for name in CLASSES:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(n):
        night = draws.uniform() < 0.4
        width, height = SIZES[draws.randint(len(SIZES))]
        kind = draws.randint(20)
        broken = number % BROKEN_EVERY == BROKEN_EVERY // 2
        stem = folder / CLASSES[night] / f"IMG_{number:04d}"
        keep(landscape(draws, night, width, height), stem, 0 if broken else kind)
        if broken:
            damage(stem, number // BROKEN_EVERY % 3)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    write(given.folder, given.n, given.seed)
