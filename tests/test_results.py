"""Finished runs as files of ``benchmarks/results``, and the page that is made of them."""

from __future__ import annotations

import json

import pytest

from benchmarks.results import kept, page, published
from benchmarks.results.published import Figure
from tests.manifests import manifest
from zoo.config import recipe_files
from zoo.errors import ZooError
from zoo.runs.run import Run

pytestmark = pytest.mark.backend_free

RING = recipe_files.shipped()["published/gan_ring"]
PLACE = {"processor": "AMD EPYC", "cores": 2, "memory": 24 * 2**30}
VERSIONS = {"python": "3.11.7", "keras": "3.15.1", "jax": "0.10.2", "numpy": "2"}


def finished(root, seed=0, modes=8.0, good=0.9, recipe=RING, source=None, short="", **changes):
    """The folder of a run that was never trained."""
    folder = root / recipe.stem / f"20261121T10150{seed}Z-000{seed}"
    folder.mkdir(parents=True)
    run = Run(folder)
    run.recipe.write_text(source or recipe.read_text())
    model = {"name": "pacgan", "class": "zoo_gan:PacGAN", "settings": {"packing": 1}}
    described = {"recipe": recipe.stem, "seed": seed, "epochs": 400, "model": model}
    described |= {
        "finished_in_seconds": 60.0,
        "machine": PLACE,
        "versions": VERSIONS,
        "changes": [f"seed={seed}"],
    }
    run.write_manifest(manifest(**{**described, **changes}))
    measured = {
        "value": modes,
        "better": "higher",
        "unit": "of 8 modes",
        "protocol": "ring: 2,500 samples",
        "details": {"high_quality": good},
        **({"shortened": short} if short else {}),
    }
    told = {"data": "ring", "epochs": 400, "test": {}, "pictures": []}
    times = {"seconds": 60.0, "processor_seconds": 90.0 + seed}
    run.write_json("results.json", {**told, **times, "metrics": {"mode_coverage": measured}})
    return run


@pytest.fixture
def few(tmp_path):
    """Three runs that differ in their seeds, as kept files have them."""
    for seed, modes in enumerate((6.0, 7.0, 8.0)):
        run = finished(tmp_path / "runs", seed, modes, 0.9 + seed / 100)
        kept.write(kept.of_run(run), tmp_path)
    return kept.all_of(tmp_path)


def test_a_file_has_the_command_and_is_read_as_it_was_written(tmp_path):
    one = kept.of_run(finished(tmp_path, 3, on_nan="skip", changes=["seed=3", "model.prior=A(2)"]))
    assert one.command == (
        "zoo run published/gan_ring seed=3 'model.prior=A(2)' --full --backend jax --device cpu "
        "--on-nan skip"
    )
    path = kept.write(one, tmp_path)
    assert path.name == "published-gan_ring-20261121T101503Z-0003.json"
    assert kept.all_of(tmp_path) == [one]
    assert (one.machine, one.processor_seconds) == ("2 cores (AMD EPYC), 24 GB", 93.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "interrupted"}, "is interrupted, and only a finished one is kept: zoo resume"),
        ({"short": "10 of 2,500 samples"}, "mode_coverage is of a shortened protocol.*--full"),
        ({"resumed": ["after epoch 1: x"]}, "went on with other settings .after epoch 1: x.: no"),
        ({"weights_from": "gan_ring/x"}, "began with the weights of gan_ring/x"),
        ({"source": "recipe ="}, "no recipe that Python reads"),
        ({"source": "recipe = 1"}, "other code than each shipped recipe.*zoo run gan_ring --full"),
    ],
)
def test_what_no_command_makes_again_is_refused(tmp_path, changes, words):
    with pytest.raises(ZooError, match=words):
        kept.of_run(finished(tmp_path, **changes))


def test_a_docstring_that_tells_of_the_result_leaves_a_recipe_what_it_is(tmp_path):
    run = finished(tmp_path, source='"""Older words."""\n' + RING.read_text().split('"""', 2)[2])
    assert kept.of_run(run).recipe == "published/gan_ring"


def test_runs_whose_recipes_differ_in_the_docstring_alone_are_one_row(tmp_path):
    code = RING.read_text().split('"""', 2)[2]
    found = [
        kept.of_run(
            finished(tmp_path, seed, source=f'"""{told}"""\n{code}', networks=["generator"])
        )
        for seed, told in enumerate(("Seed 0.", "Both seeds."))
    ]
    assert found[0].key == found[1].key and found[0].settings["recipe.py"]


def test_a_pack_which_has_no_code_is_of_the_recipe_of_its_name(tmp_path):
    info = {"format": 1, "dtype": "float16", "which": "last", "license": "", "without": []}
    assert kept.of_run(finished(tmp_path, source="recipe = 1", pack=info)).recipe == "gan_ring"


def test_a_file_that_was_not_written_by_the_command_is_refused(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"metrics": {}, "seed": 1}))
    with pytest.raises(ZooError, match=r"a\.json was not written by python -m benchmarks"):
        kept.all_of(tmp_path)


def test_seeds_are_a_row_and_published_figures_stand_beside(few):
    text = "Before.\n<!-- results: published/* | mode_coverage mode_coverage.high_quality -->\n"
    figures = [
        Figure("published/gan_ring", {"model.packing": "2"}, "mode_coverage", 1.0, "other", ""),
        Figure(
            "published/gan_ring", {"epochs": "400"}, "mode_coverage", 6.3, "A 2018, table 1", "b"
        ),
    ]
    after = page.rendered(f"{text}old\n<!-- end -->\nAfter.\n", few, figures)
    cells = "| 3: 0 1 2 | 7 ± 1 | 6.3 | 0.91 ± 0.01 | - | 60 | 91 |"
    assert after.startswith(text) and after.endswith("<!-- end -->\nAfter.\n")
    assert cells in after and "old" not in after
    assert "- mode\\_coverage, mode\\_coverage.high\\_quality: ring: 2,500 samples\n" in after
    assert "- mode\\_coverage, published: A 2018, table 1 (b)\n" in after
    assert "- trained on 2 cores (AMD EPYC), 24 GB\n" in after
    assert "- with Python 3.11.7, Keras 3.15.1, JAX 0.10.2\n" in after
    assert page.rendered(after, few, figures) == after


def test_the_best_of_the_first_column_comes_first_and_abilities_are_no_result(tmp_path):
    for seed, (name, modes) in enumerate((("gan_ring", 7.0), ("wgan_gp_ring", 8.0))):
        shipped = recipe_files.shipped()[name]
        able = ["sample", "decode"][: seed + 1]
        run = finished(tmp_path, seed, modes, 0.9, shipped, abilities=able)
        kept.write(kept.of_run(run), tmp_path)
    text = "<!-- results: *_ring | mode_coverage -->\n<!-- end -->\n"
    after = page.rendered(text, kept.all_of(tmp_path))
    rows = [line for line in after.splitlines() if line.startswith("| ")]
    assert " can " not in rows[0]
    assert [row.split(" | ")[0] for row in rows[2:]] == ["| wgan\\_gp\\_ring", "| gan\\_ring"]


def test_the_figure_of_the_runs_budget_comes_first_and_another_tells_its_own():
    short, whole = (
        Figure("published/gan_ring", {"epochs": n, "model.packing": "1"}, "elbo", v, "A", "")
        for n, v in (("40", 1.0), ("400", 2.0))
    )
    given = {"epochs": "400", "model.packing": "1"}
    found = published.fitting([short, whole], "published/gan_ring", given, "elbo")
    assert found is whole and found.written(given) == "2"
    fewer = given | {"epochs": "20"}
    assert published.fitting([whole], "published/gan_ring", fewer, "elbo") is whole
    assert whole.written(fewer) == "2 (400 epochs)"
    smaller = Figure(
        "published/gan_ring", {"epochs": "400", "dataset.n": "9000"}, "elbo", 2, "A", ""
    )
    assert smaller.written({"epochs": "20", "dataset.n": "9"}) == "2 (400 epochs of 9,000 examples)"
    assert smaller.written({"epochs": "400", "dataset.n": "9"}) == "2 (9,000 examples)"
    other = given | {"model.packing": "2"}
    assert published.fitting([short, whole], "published/gan_ring", other, "elbo") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<!-- results: vae_mnist | elbo -->\n<!-- end -->", "no run of vae_mnist is kept"),
        ("<!-- results: published/* | elbo -->\n<!-- end -->", "no run of published/.* has elbo"),
        ("<!-- results: published/* | mode_coverage -->\n", "has no <!-- end -->"),
        (
            "<!-- results: published/* | mode_coverage -->\n"
            "<!-- results: published/* | mode_coverage -->\n<!-- end -->",
            "has no <!-- end -->",
        ),
    ],
)
def test_a_mark_that_nothing_can_be_shown_for_is_refused(few, text, words):
    with pytest.raises(ZooError, match=words):
        page.rendered(text, few)


def test_the_page_is_what_the_files_give():
    text, every = page.PAGE.read_text(), kept.all_of()
    assert page.rendered(text, every, published.figures()) == text, (
        "python -m benchmarks.results writes the page anew"
    )
    assert page.unshown(text, every) == []


def test_kept_and_published_figures_are_of_shipped_recipes():
    names = {each.recipe for each in kept.all_of()} | {f.recipe for f in published.figures()}
    assert names <= set(recipe_files.shipped())
    assert all(figure.source for figure in published.figures())
