"""``zoo report``: a run, or several beside each other, as one HTML file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.options import data_dir_option, model_options, out_option
from zoo.errors import ZooError
from zoo.runs import folders
from zoo.runs.run import Run
from zoo.runtime.console import fitted, say, sized

if TYPE_CHECKING:
    from zoo.reports.report import Subject
    from zoo.runs.frames import Frame


@click.command("report", epilog=folders.RULE)
@click.argument("names", nargs=-1, required=True, metavar="RUN|PATTERN...")
@out_option(".html")
@model_options
@data_dir_option
def command(
    names: tuple[str, ...],
    out: Path | None,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
) -> None:
    """Write what RUN came to as one HTML file, which needs no other file and no network.

    Of one run or pretrained model: diagnosis, metrics with their protocols, curves, samples over
    time with a slider, reconstructions, the latent space, and how to repeat it. Of several runs,
    such as those of a sweep: one table with the spread over seeds, and their curves together.
    PATTERN stands for all finished runs whose names fit.

    It is written into the run as report.html, of several runs and of a pretrained model into the
    working folder, or to --out.

    \b
      zoo report latest
      zoo report vae_mnist -o vae.html
      zoo report "vae_mnist/*"
      zoo report latest 3f2a
    """
    from zoo.cli.compare import fitting
    from zoo.cli.trained import place, writing
    from zoo.runtime.quiet import held_back
    from zoo.runtime.waiting import waiting

    root = folders.root(runs_folder)
    runs: dict[Path, Run] = {}
    for name in names:
        pattern = any(sign in name for sign in "*?[") and not Path(name).exists()
        for run in fitting(name, root) if pattern else [folders.find(name, root, say)]:
            runs[run.path] = run
    found = list(runs.values())
    with held_back():  # what sums up a run imports Keras
        from zoo.reports import report
    report.needed()
    drawing = _Drawing(recipe, backend, device, data_dir)
    subjects = [_told(run, drawing, len(found) > 1) for run in found]
    with waiting("writing the report"):
        page = report.page(subjects).encode("utf-8", "backslashreplace")
    target = out or (place(found[0], "report.html") if len(found) == 1 else Path("report.html"))
    with writing(target, found[0]) as file:
        file.write(page)
    click.echo(fitted(f"{target}  {sized(len(page))}"))


class _Drawing:
    """Draws of a model what its run has no picture of.

    Args:
        recipe, backend, device, data_dir: as the options of these names.
    """

    def __init__(self, *options: str | None):
        self._recipe, self._backend, self._device, self._data_dir = options

    def pictures(self, run: Run, kinds: list[str]) -> tuple[dict[str, list[Frame]], list[str]]:
        """The pictures of these kinds, and in words why others could not be drawn."""
        from zoo.cli.trained import examples, loaded, unexplored
        from zoo.runtime.waiting import waiting

        try:
            model = loaded(run, self._recipe, self._backend, self._device)
        except ZooError as error:
            return {}, [f"No pictures were drawn anew: {error}"]
        from zoo.reports import views  # imports Keras, under the backend that is chosen now

        notes = []
        try:
            split = examples(run, self._data_dir, self._recipe)
        except ZooError as error:
            split = unexplored(model)
            notes.append(f"Nothing is shown of test examples: {error}")
        drawn = {}
        draw: dict[str, Callable[[], Any]] = {
            "samples": lambda: views.samples(model, 64),
            "reconstructions": lambda: views.reconstructions(model, split.some(32)),
            "codes": lambda: _codes(run, model, split),
            "posterior": lambda: views.posterior(model, split.some(2000)),
            "traversals": lambda: views.traversals(model, split),
            "manifold": lambda: views.manifold(model, split),
        }
        with waiting(f"drawing what {run.name} makes"):
            for kind in kinds:
                try:
                    image = draw[kind]().image
                except ZooError:  # the model lacks what that shows, as its abilities say
                    continue
                if image is not None:
                    drawn[kind] = [_frame(run, image)]
        return drawn, notes


def _codes(run: Run, model: Any, split: Any) -> Any:
    """Where codes lie: of examples, else those that a pack keeps."""
    from zoo.reports import views
    from zoo.runs import artifact

    kept = None if len(split) else artifact.codes(run, run.manifest)
    if kept is None or len(kept["codes"]) < 2:
        return views.codes(model, split.some(2000))
    z = kept["codes"].astype("float32")
    return views.Shown(z, views.of_codes(z, kept.get("labels"), model.class_names))


def _frame(run: Run, image: Any) -> Frame:
    from zoo.reports import pictures
    from zoo.runs.frames import Frame

    name = run.manifest.data.name
    if "stand-in" in name:
        image = pictures.caption(image, name)
    return Frame("the end", pictures.png(image))


NEEDS = {
    "samples": "sample",
    "reconstructions": "reconstruct",
    "codes": "encode",
    "posterior": "posterior",
    "traversals": "decode",
    "manifold": "decode",
}
"""The kinds that a report shows, and the ability that each needs."""


def _told(run: Run, drawing: _Drawing, brief: bool) -> Subject:
    """A run with its pictures; of one among several, its samples alone."""
    from zoo.reports.report import Subject
    from zoo.runs import frames

    there = frames.over_training(run)
    for kind, content in frames.last(run).items():
        there.setdefault(kind, [frames.Frame("the end", content)])
    kinds = ["samples"] if brief else list(NEEDS)
    able = run.manifest.abilities
    missing = [kind for kind in kinds if kind not in there and NEEDS[kind] in able]
    notes: list[str] = []
    if missing:
        drawn, notes = drawing.pictures(run, missing)
        there |= drawn
    return Subject(run, there, notes)
