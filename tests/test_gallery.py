"""The gallery is that of the packs: cards, table and pictures."""

from __future__ import annotations

import pytest
from PIL import Image

from benchmarks import gallery

pytestmark = pytest.mark.backend_free


def test_cards_table_and_list_are_those_of_the_packs():
    made = gallery.pages()
    stale = [path for path, text in made.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "python -m benchmarks.gallery"
    cards = set(gallery.CARDS.glob("*.md"))
    assert cards == {path for path in made if path.parent == gallery.CARDS}


def test_every_model_that_samples_has_a_picture():
    for pack in gallery.packs():
        if "sample" in pack.manifest.abilities:
            with Image.open(gallery.PICTURES / f"{pack.id}.png") as image:
                assert min(image.size) > 100, pack.id


def test_the_walk_is_a_small_loop():
    with Image.open(gallery.WALK) as walk:
        assert walk.is_animated and walk.info["loop"] == 0
    assert gallery.WALK.stat().st_size < 400_000
