"""The gallery of shipped models: pictures, reports, cards as pages, the table of the home page.

    python -m benchmarks.gallery             all of it
    python -m benchmarks.gallery NAME        pictures and report of these models, all cards
    python -m benchmarks.gallery --pages     cards and table alone, from the packs

A new pack is in the gallery by itself. A report has about 0.3 MB, and takes ten seconds. The
pictures of docs/how-to/report.md are taken of two of them, with Chromium.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from tests.browser import opened, save_small
from zoo.plugin.dataset import ANYWHERE
from zoo.runs import card, parameters
from zoo.runs.run import RESULTS, Run
from zoo.runs.sharing import CARD
from zoo.runtime.console import figure

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
HOME, CARDS, PICTURES = DOCS / "index.md", DOCS / "reference/cards", DOCS / "pictures"
REPORTS = DOCS / "reports"
SITE = ROOT / "zensical.toml"
WALK = PICTURES / "vae_mnist.gif"
PLANE, DIMENSIONS, SAMPLES = "The latent plane", "Each latent dimension", "Samples"
_MARKS = "<!-- gallery: python -m benchmarks.gallery -->\n", "\n<!-- end -->"
_SITE_MARKS = "# cards: python -m benchmarks.gallery\n", "      # end"


def main() -> None:
    """Write everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--pages", action="store_true", help="make no pictures and no reports")
    options = parser.parse_args()
    if not options.pages:
        found = {pack.id: pack for pack in packs()}
        if missing := set(options.names) - set(found):
            parser.error(f"no pack is named {', '.join(sorted(missing))}")
        chosen = [found[name] for name in options.names or found]
        draw(chosen)
        report(chosen)
        photograph()
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def packs() -> list[Run]:
    """The packs in this repository; those that draw first."""
    found = [Run(path.parent) for path in ROOT.glob("plugins/*/*/pretrained/*/run.json")]
    return sorted(found, key=lambda pack: ("sample" not in pack.manifest.abilities, pack.id))


def report(chosen: Sequence[Run]) -> None:
    """The report of each pack, ``NAME.html``."""
    from zoo.cli import main as zoo

    REPORTS.mkdir(exist_ok=True)
    for pack in chosen:
        zoo(["report", f"pretrained:{pack.id}", "-o", str(REPORTS / f"{pack.id}.html")])


def photograph() -> None:
    """The pictures of docs/how-to/report.md: a report, and one in the dark and on a phone."""
    report = _photographed("dcgan_mnist", 1000, 1400)
    save_small(report, PICTURES / "report.png")
    dark = _photographed("vae2d_mnist", 1000, 1400, dark=True)
    phone = _photographed("vae2d_mnist", 390, 844)
    phone = phone.resize((phone.width * dark.height // phone.height, dark.height))
    both = Image.new("RGB", (dark.width + phone.width, dark.height))
    both.paste(dark, (0, 0))
    both.paste(phone, (dark.width, 0))
    save_small(both, PICTURES / "report-dark-phone.png")


def _photographed(name: str, width: int, height: int, dark: bool = False) -> Image.Image:
    """The upper part of the report of a pack, in a browser of a width."""
    with opened(REPORTS / f"{name}.html", width, dark) as (page, wrong):
        shot = page.screenshot(
            clip={"x": 0, "y": 0, "width": width, "height": height}, full_page=True
        )
        assert not wrong, wrong
    return Image.open(io.BytesIO(shot)).convert("RGB")


def draw(chosen: Sequence[Run]) -> None:
    """A picture of each model that samples, and a walk through a latent space."""
    from zoo.cli.trained import unexplored
    from zoo.reports import views
    from zoo.reports.pictures import files
    from zoo.runs import results
    from zoo.runs.load import load

    for pack in chosen:
        if "sample" not in pack.manifest.abilities:
            continue
        model = load(pack)
        if _shows(pack) == PLANE:
            shown = views.manifold(model, unexplored(model))
        elif _shows(pack) == DIMENSIONS:
            shown = views.traversals(model, results.data_of(pack, ANYWHERE).test)
        else:
            whole = 6 * model.data.classes if model.plugin.conditional else 64  # whole rows
            shown = views.samples(model, whole)
        if shown.image is not None:
            files.save(PICTURES / f"{pack.id}.png", shown.image)
        if pack.id == WALK.stem:
            walk(model, WALK)


def walk(model, path: Path, frames: int = 32) -> None:
    """Pictures on great circles through the prior, as a GIF that ends where it begins."""
    import numpy as np
    from PIL import Image

    from zoo.reports.pictures import grids

    ends = np.random.default_rng(3).standard_normal((2, 24, 16)).astype("float32")
    images = []
    for turn in np.linspace(0, 2 * np.pi, frames, endpoint=False):
        codes = np.cos(turn) * ends[0] + np.sin(turn) * ends[1]
        image = grids.grid(model.decode(codes), columns=8, scale=2)
        images.append(Image.fromarray(image).convert("L").quantize(8))
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=80, loop=0, optimize=True
    )


def pages() -> dict[Path, str]:
    """Cards, home page and the site's list of cards, as the packs have them."""
    found = packs()
    cards = {CARDS / f"{pack.id}.md": _card(pack) for pack in found}
    rows = [f"| {_picture(pack)} | {_about(pack)} |" for pack in found]
    table = "\n".join(["", "| it makes | model |", "|---|---|", *rows, ""])
    listed = "".join(f'      {{ "{p.id}" = "reference/cards/{p.id}.md" }},\n' for p in found)
    return {**cards, HOME: _between(HOME, _MARKS, table), SITE: _between(SITE, _SITE_MARKS, listed)}


def _between(path: Path, marks: tuple[str, str], text: str) -> str:
    """A file with this text between two marks."""
    before, start, rest = path.read_text(encoding="utf-8").partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not end:
        raise ValueError(f"{path} has not the marks {marks}")
    return "".join([before, start, text, end, after])


def _card(pack: Run) -> str:
    title, rest = (pack.path / CARD).read_text(encoding="utf-8").split("\n", 1)
    shown = f"[Report](../../reports/{pack.id}.html): curves, pictures, metrics, settings.\n"
    if "sample" in pack.manifest.abilities:
        shown = f"![{_alt(pack)}](../../pictures/{pack.id}.png)\n\n{shown}"
    return f"{title}\n\n{shown}{rest}"


def _picture(pack: Run) -> str:
    if "sample" not in pack.manifest.abilities:
        return ""
    return f'<img src="pictures/{pack.id}.png" alt="{_alt(pack)}" width="150">'


def _about(pack: Run) -> str:
    results, made = pack.read_json(RESULTS), pack.manifest
    first = [f"{n.replace('_', ' ')} {figure(m, 4)}" for n, m in results["metrics"].items()][:1]
    device = "a CPU" if made.device == "cpu" else "a GPU"
    lines = [
        f"[**{pack.id}**](reference/cards/{pack.id}.md): `{made.model.title}` on {made.data.name}",
        *first,
        f"{parameters.count(pack):,} parameters, {results['seconds'] / 60:.0f} min on {device}",
        f"`{_command(pack)}`, [report](reports/{pack.id}.html)",
    ]
    return "<br>".join(lines)


def _command(pack: Run) -> str:
    if _shows(pack) == PLANE:
        return f"zoo traverse {pack.id} --plane"
    if _shows(pack) == DIMENSIONS:
        return f"zoo traverse {pack.id}"
    return f"zoo {card.use(pack.manifest)} {pack.id}"


def _alt(pack: Run) -> str:
    return f"{_shows(pack)} of {pack.id}"


def _shows(pack: Run) -> str:
    """What the picture of a model that samples shows."""
    settings = pack.manifest.model.settings
    if settings.get("latent_dim") == 2 and "decode" in pack.manifest.abilities:
        return PLANE
    return DIMENSIONS if "mig" in pack.read_json(RESULTS)["metrics"] else SAMPLES


if __name__ == "__main__":
    main()
