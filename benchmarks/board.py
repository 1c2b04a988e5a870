"""The pictures of docs/tutorials/tensorboard.md: what TensorBoard shows of runs made to be asked.

    python -m benchmarks.board                  train the runs and photograph the panels
    python -m benchmarks.board --runs FOLDER    keep the runs there, or use those that are there

The runs are small models on scikit-learn's digits: some ten seconds each. Needs Chromium.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

import zoo
from benchmarks.diagnosis import CASES, QUIET, falling, gan, vae
from tests.browser import chromium
from zoo.cli.board import served

PICTURES = Path(__file__).parents[1] / "docs/pictures/board"
EPOCHS = 40

RUNS: dict[str, Callable[[], zoo.Recipe]] = {
    "vae kl 0.05": lambda: vae(falling(3e-3, EPOCHS), EPOCHS, kl=0.05),
    "vae kl 1": lambda: vae(falling(3e-3, EPOCHS), EPOCHS),
    "vae kl 2": lambda: vae(falling(3e-3, EPOCHS), EPOCHS, kl=2.0),
    "vae kl 4": lambda: vae(falling(3e-3, EPOCHS), EPOCHS, kl=4.0),
    "gan slow generator": lambda: gan(1e-5, 2e-3, EPOCHS),
    "gan minimax": lambda: gan(1e-5, 2e-3, EPOCHS, adversarial="minimax"),
    "gan fast generator": lambda: gan(1e-2, 1e-4, EPOCHS),
    "vae few examples": CASES["overfitting"],
    "vae low rate": CASES["still_improving"],
}
"""Recipes by the names of their runs; the first four differ in a setting."""


def trained(folder: Path) -> None:
    """Train what is not there yet; ``vae kl 1`` is stopped after half of its epochs and resumed."""
    for name, made in RUNS.items():
        if (folder / name).exists():
            continue
        measures = [zoo.metrics.ELBO()] if name.startswith("vae kl") else []
        board = [zoo.callbacks.TensorBoard(every=EPOCHS // 4)]
        recipe = dataclasses.replace(made(), callbacks=board, metrics=measures, seed=5)
        part = dataclasses.replace(recipe, epochs=EPOCHS // 2) if name == "vae kl 1" else recipe
        print(f"training {name}", flush=True)
        run = zoo.train(part, name="recipe", runs_folder=str(folder), access=QUIET)
        if part is not recipe:
            zoo.resume(run, recipe=recipe, access=QUIET)
        run.path.rename(folder / name)  # which TensorBoard then calls it


@dataclasses.dataclass(frozen=True)
class Panel:
    """A part of TensorBoard that answers a question.

    Attributes:
        runs: that it shows.
        page: what stands after the address.
        text: that is on it once it is whole.
        size: of the window, in pixels.
        click: what is clicked first, as Playwright finds it.
    """

    runs: tuple[str, ...]
    page: str
    text: str
    size: tuple[int, int] = (1100, 420)
    click: tuple[str, ...] = ()


KL = ("vae kl 0.05", "vae kl 1", "vae kl 2", "vae kl 4")
LOSS = "?tagFilter=^loss&smoothing=0#timeseries"
WHOLE = 'text="Ignore outliers in chart scaling"'
LEGEND = ".toggle-matches-button"
CURVES = "#custom_scalars"
HIDDEN = (
    *("augment", "backend", "data.sha256", "dataset"),  # alike in all runs
    *(f"{of}autoencoder/{term}" for term in ("kl", "reconstruction") for of in ("", "validation.")),
    "codes/active_dimensions",
)
"""What HParams shows at first, and what does not say which setting helped."""
PANELS = {
    "wins": Panel(
        ("gan slow generator",), CURVES, "which player wins", (1100, 580), (WHOLE, LEGEND)
    ),
    "logits": Panel(
        ("gan slow generator",), "#histograms&tagFilter=logits", "logits/discriminator/fake"
    ),
    "gradient": Panel(
        ("gan minimax",),
        CURVES,
        "whose gradient vanishes",
        (1100, 580),
        ('text="which player wins"', 'text="which term grows"', WHOLE, LEGEND),
    ),
    "term": Panel(("vae kl 1",), CURVES, "which term grows", (1100, 580), (WHOLE, LEGEND)),
    "dead": Panel(
        ("vae kl 2",),
        "#images&tagFilter=traversals",
        "step 880",
        (1400, 860),
        ('text="Show actual image size"',),
    ),
    "prior": Panel(("vae kl 0.05",), "#histograms&tagFilter=codes/[ep]", "codes/prior"),
    "collapse": Panel(("gan fast generator",), "#images&tagFilter=samples", "samples", (1100, 640)),
    "overfit": Panel(("vae few examples",), LOSS, "vae few examples/validation", (1100, 640)),
    "improving": Panel(("vae low rate",), LOSS, "vae low rate/validation", (1100, 640)),
    "helped": Panel(
        KL,
        "#hparams",
        "weights.autoencoder.kl",
        (1100, 420),
        tuple(f"paper-checkbox:text-is('{name}')" for name in [*HIDDEN, "final/elbo"]),
    ),
    "resumed": Panel(("vae kl 1",), "#text&tagFilter=resumed", "Resumed after step 440"),
}
"""By the names of their pictures."""


def photographed(folder: Path, only: list[str]) -> None:
    """Photograph the panels of runs that are below a folder."""
    PICTURES.mkdir(exist_ok=True)
    addresses: dict[tuple[str, ...], str] = {}
    with tempfile.TemporaryDirectory() as links, chromium() as browser:
        for name in only:
            panel = PANELS[name]
            if panel.runs not in addresses:
                shown = Path(links) / str(len(addresses))
                shown.mkdir()
                for run in panel.runs:
                    (shown / run).symlink_to((folder / run).resolve())
                addresses[panel.runs] = served(shown, 0)
            print(f"photographing {name}", flush=True)
            shot = _shot(browser, addresses[panel.runs], panel)
            shot.save(PICTURES / f"{name}.png", optimize=True)


def _shot(browser: Any, address: str, panel: Panel) -> Image.Image:
    """A photograph in few colours, of at most 1,100 pixels' width."""
    width, height = panel.size
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(300_000)
    found = page.get_by_text(panel.text).first
    while not found.is_visible():  # TensorBoard reads the runs after it has begun to answer
        page.goto("about:blank")
        page.goto(address + panel.page, wait_until="commit")
        _settled(page)
    for each in panel.click:
        page.locator(each).locator("visible=true").first.click()
        _screenshot(page)
    _settled(page)  # curves come after what is around them
    shot = Image.open(io.BytesIO(_screenshot(page))).convert("RGB")
    page.close()
    shot.thumbnail((1100, height))
    return shot.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def _settled(page: Any) -> None:
    """Wait until a page has drawn itself, which without a window it does for a screenshot."""
    for _ in range(4):
        _screenshot(page)
        page.wait_for_timeout(2_500)


def _screenshot(page: Any) -> bytes:
    """A screenshot; Chromium fails at one now and then where other work fills the machine."""
    from playwright.sync_api import Error

    for _ in range(5):
        with contextlib.suppress(Error):
            return page.screenshot()
        page.wait_for_timeout(2_500)
    return page.screenshot()


def main() -> None:
    """Train, and photograph."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--only", nargs="+", choices=PANELS, default=list(PANELS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = options.runs or Path(folder)
        trained(runs)
        photographed(runs, options.only)


if __name__ == "__main__":
    main()
