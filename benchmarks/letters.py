"""Letters drawn as MNIST has digits: 28 x 28, white on black, within 20 x 20, by centre of mass.

    python -m benchmarks.letters letters                              # Pillow's own font
    python -m benchmarks.letters letters --font DejaVuSerif-Bold.ttf  # and as many more of this
    zoo score vae_mnist letters --against-test

All 52 letters of the Latin alphabet, in class folders; O, l and I among them look like digits.
Each is turned by up to 15 degrees, and drawn with a stroke of its own.
"""

from __future__ import annotations

import argparse
import string
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE, BOX = 28, 20
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def letter(character: str, font: Font, draws: np.random.RandomState) -> Image.Image:
    """One letter, in mode L."""
    large = Image.new("L", (240, 240))
    pen = ImageDraw.Draw(large)
    stroke = int(draws.randint(0, 6))
    pen.text((120, 120), character, 255, font, anchor="mm", stroke_width=stroke)
    large = large.rotate(draws.uniform(-15, 15), Image.Resampling.BILINEAR)
    large = large.crop(large.getbbox())
    scale = BOX / max(large.size)
    inner = max(1, round(large.width * scale)), max(1, round(large.height * scale))
    small = np.asarray(large.resize(inner, Image.Resampling.BOX), "float64")
    rows, columns = (np.arange(side) for side in small.shape)
    centre = (small.sum(1) @ rows, small.sum(0) @ columns) / small.sum()
    top, left = (
        int(np.clip(round(SIDE / 2 - 0.5 - middle), 0, SIDE - side))
        for middle, side in zip(centre, small.shape, strict=True)
    )
    whole = np.zeros((SIDE, SIDE), "uint8")
    whole[top : top + small.shape[0], left : left + small.shape[1]] = small.round()
    return Image.fromarray(whole)


def write(folder: Path, each: int, fonts: list[str], seed: int = 0) -> None:
    """Fill a folder with class folders of letters, ``each`` of a letter and a font."""
    draws = np.random.RandomState(seed)  # whose numbers no release of NumPy changes
    loaded: list[Font] = [ImageFont.load_default(160)]
    loaded += [ImageFont.truetype(name, 160) for name in fonts]
    for character in string.ascii_letters:
        # upper and lower case in names that every file system tells apart
        home = folder / (f"{character}_lower" if character.islower() else f"{character}_upper")
        home.mkdir(parents=True, exist_ok=True)
        for place, font in enumerate(loaded):
            for i in range(each):
                letter(character, font, draws).save(home / f"{place}-{i:03d}.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--font", action="append", default=[])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    write(given.folder, given.each, given.font, given.seed)
