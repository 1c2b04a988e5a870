"""``zoo report`` and ``zoo animate``: what a browser shows, and what files hold."""

from __future__ import annotations

import dataclasses
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from tests import browser
from tests.resumable import Few, recipe, train
from zoo import callbacks
from zoo.cli import main
from zoo.datasets import Data
from zoo.reports import report as report_page
from zoo.reports.comparison import ALIKE, Comparison, Row
from zoo.runs import frames
from zoo.runs.run import Run

pytest.importorskip("altair", reason="the extra report is not installed")
pytest.importorskip("vl_convert", reason="the extra report is not installed")

HOSTILE = "<img src=x onerror=alert(1)>"


@dataclasses.dataclass(frozen=True)
class Named(Few):
    """Digits whose classes have names that a page must not run."""

    def load(self, access=None):
        data = super().load()
        names = tuple(f"</script><b>{i}" for i in range(10))
        return Data(data.name, data.spec, data.train, data.validation, data.test, class_names=names)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs that differ in a weight."""
    folder = tmp_path_factory.mktemp("runs")
    drawn = [callbacks.SampleGrid(), callbacks.ReconstructionGrid(), callbacks.LatentManifold()]
    first = recipe(
        "vae",
        dataset=Named(size=8, batch_size=17, binarize="dynamic"),
        callbacks=[*drawn, callbacks.LatentScatter(), callbacks.TensorBoard()],
        epochs=3,
    )
    second = dataclasses.replace(first, weights={"autoencoder": {"kl": 4.0}})
    return [train(each, folder, name=HOSTILE) for each in (first, second)]


def written(capsys, *arguments) -> str:
    assert main([str(a) for a in arguments]) == 0, capsys.readouterr()
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def report(runs, tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "report.html"
    assert main(["report", str(runs[0].path), "-o", str(path)]) == 0
    return path


PANELS = ("diagnosis", "curves", "samples", "reconstructions", "latent")


def test_nothing_a_run_says_is_markup(report):
    text = report.read_text("utf-8")
    assert HOSTILE not in text and "<b>" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert len(text) < 3_000_000
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)


@pytest.mark.parametrize("width, dark", [(1200, False), (1200, True), (390, False)])
def test_a_browser_shows_every_panel(report, width, dark):
    with browser.opened(report, width, dark) as (page, told):
        page.wait_for_selector("#curves svg")
        for panel in PANELS:
            box = page.locator(f"#{panel}").bounding_box()
            assert box["height"] > 60, panel
        lines = page.locator("#curves .chart svg path[aria-roledescription='line mark']")
        assert lines.count() >= 6 and page.locator("#curves .chart").count() >= 3
        shown = page.locator("#samples img:visible")
        assert shown.count() == 1
        assert shown.evaluate("image => image.complete && image.naturalWidth > 50")
        assert all(i.get_attribute("alt") for i in page.locator("img").all())
        assert all(c.get_attribute("aria-label") for c in page.locator(".chart").all())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(255, 255, 255)") is not dark
    assert told == []


def test_the_slider_goes_through_the_training(report):
    with browser.opened(report) as (page, told):
        film = page.locator("#samples .film")
        seen = set()
        for place, when in enumerate(("epoch 1", "epoch 2", "epoch 3")):
            film.locator("input").fill(str(place))
            assert film.locator("output").inner_text() == when
            seen.add(film.locator("img:visible").get_attribute("src"))
        assert len(seen) == 3
        page.emulate_media(media="print")
        assert film.locator("img:visible").count() == 3 and not film.locator("input").is_visible()
    assert told == []


def test_several_runs_stand_beside_each_other(runs, tmp_path, capsys):
    path = tmp_path / "two.html"
    pattern = f"{glob(HOSTILE)}/*"
    written(capsys, "report", pattern, "--runs", runs[0].path.parents[1], "-o", path)
    with browser.opened(path) as (page, told):
        page.wait_for_selector("#curves svg")
        assert page.locator("h1").inner_text() == "2 runs compared"
        table = page.locator("#table table").inner_text()
        assert "kl" in table and "4" in table
        assert page.locator("#samples img").count() == 2
        legend = page.locator("#curves .chart").first.inner_text()
        assert "validation" in legend
    assert told == []


def test_each_run_has_a_label_of_its_own_however_long_its_settings_are():
    """Else the curve of one would stand for those of all."""

    def row(value, *runs):
        settings = {"model.units": "a" * 90 + value}
        return Row(
            dict.fromkeys(ALIKE, ""), settings, [*range(len(runs))], [*runs], {}, None, None, []
        )

    rows = [row("b", "r/1-a", "r/1-b"), row("c", "r/2-a"), row("d", "r/3-a")]
    found = report_page.labels(Comparison(rows, ["model.units"], []))
    assert len(set(found.values())) == 4
    assert found["r/1-b"].endswith("aaa, seed 1") and found["r/3-a"].endswith("aaa, 3-a")


def glob(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)


def test_what_has_no_pictures_is_drawn_from_the_model(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(capsys, "report", "pretrained:vae2d_mnist", "-o", "pack.html")
    with browser.opened(tmp_path / "pack.html") as (page, told):
        page.wait_for_selector("#curves svg")
        assert page.locator("#samples img").evaluate("image => image.naturalWidth") > 100
        kinds = page.locator("#latent figcaption").all_inner_texts()
        assert any("Codes by class" in kind for kind in kinds)  # which the pack keeps
        assert page.locator("#metrics tbody tr").count() >= 1
    assert told == []


def test_a_damaged_picture_is_left_out(runs, tmp_path, capsys):
    copy = Run(tmp_path / "a" / runs[0].id)
    shutil.copytree(runs[0].path, copy.path)
    (copy.pictures / "samples-epoch-0002.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    written(capsys, "report", copy.path)
    text = (copy.path / "report.html").read_text("utf-8")
    assert 'data-when="epoch 1"' in text and "Samples of" in text
    samples = text.partition('id="samples"')[2].partition("</section>")[0]
    assert 'data-when="epoch 2"' not in samples and 'data-when="epoch 3"' in samples


# --- animate


def test_a_gif_has_a_frame_per_epoch(runs, tmp_path, capsys):
    for kind in ("samples", "manifold"):
        path = tmp_path / f"{kind}.gif"
        written(capsys, "animate", runs[0].path, kind, "-o", path)
        with Image.open(path) as image:
            assert image.n_frames == 3 and image.info["loop"] == 0
            seen = []
            for place in range(3):
                image.seek(place)
                seen.append(np.asarray(image.convert("RGB")))
        assert not np.array_equal(seen[0], seen[2])


def test_a_strip_is_a_png_with_all_epochs(runs, tmp_path, capsys):
    path = tmp_path / "strip.png"
    written(capsys, "animate", runs[0].path, "--strip", "-o", path)
    with Image.open(path) as image:
        assert image.format == "PNG" and image.width > 2 * image.height


def test_a_walk_comes_back_to_where_it_began(runs):
    import zoo
    from zoo.datasets import Split
    from zoo.reports import views

    model = zoo.load(runs[0])
    nothing = Split(np.zeros((0, 8, 8, 1), "uint8"))
    steps = views.walk(model, nothing, 3, stops=4, steps=6)
    assert steps.shape == (24, 3, 8, 8, 1)
    strides = np.abs(np.diff(np.concatenate([steps, steps[:1]]), axis=0)).mean(axis=(1, 2, 3, 4))
    assert strides[-1] < 3 * strides[:-1].mean()  # the last step to the first is one of them


def test_what_a_run_has_no_pictures_of_is_told_in_words(runs, tmp_path, capsys):
    assert main(["animate", str(runs[0].path), "posterios", "-o", str(tmp_path / "x.gif")]) == 2
    error = capsys.readouterr().err
    assert "no two pictures of 'posterios'" in error and "manifold, " in error and "walk" in error
    assert main(["animate", str(runs[0].path), "--strip", "-o", str(tmp_path / "x.gif")]) == 2
    assert ".png" in capsys.readouterr().err
    assert not (tmp_path / "x.gif").exists()


def test_pictures_of_events_stand_in_for_those_of_the_folder(runs, tmp_path):
    copy = Run(tmp_path / "a" / runs[0].id)
    shutil.copytree(runs[0].path, copy.path)
    shutil.rmtree(copy.pictures)
    found = frames.over_training(copy)
    assert len(found["samples"]) == 3 and found["samples"][0].when == "step 4"
    assert {"reconstructions", "posterior", "traversals"} <= set(found)
