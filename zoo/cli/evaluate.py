"""``zoo evaluate``: a trained model's numbers, measured again or for the first time."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import data_dir_option, full_option, json_option, model_options
from zoo.runs import folders
from zoo.runtime import jsons
from zoo.runtime.console import fitted, say


@click.command("evaluate", epilog=folders.RULE)
@click.argument("run")
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--metric",
    "names",
    multiple=True,
    metavar="NAME",
    help="What to measure, as often as you like. Default: what the run's recipe measures.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File that keeps what is measured. Default: evaluation.json in the run, or in the "
    "working folder for a pretrained model, with its name before.",
)
@full_option
@model_options
@data_dir_option
@json_option
def command(
    run: str,
    changes: tuple[str, ...],
    names: tuple[str, ...],
    out: Path | None,
    full: bool,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Measure RUN, a run or a pretrained model, from its saved weights on its test data.

    What is measured is kept as evaluation.json, besides the results. KEY=VALUE changes a metric,
    as for zoo run. A value after a tilde is of fewer examples or samples than its protocol has,
    so that measuring takes at most a quarter of the training's time; --full measures all.

    \b
      zoo evaluate latest
      zoo evaluate latest --full
      zoo evaluate latest --metric recognition --metric linear_probe
      zoo evaluate latest --metric log_likelihood metrics.LogLikelihood.samples=5000
    """
    from zoo.cli.trained import opened, place, writing
    from zoo.datasets import Access

    found, model = opened(run, runs_folder, recipe, backend, device)
    import keras

    from zoo.config import overrides
    from zoo.engine.backends import backend as engine
    from zoo.metrics import budget, evaluate
    from zoo.reports import summary
    from zoo.runs import results

    manifest, file = found.manifest, Path(recipe) if recipe else None
    metrics = results.metrics_of(found, names, file)
    metrics = overrides.override({"metrics": metrics}, changes)["metrics"]
    access = Access(data_dir=Path(data_dir) if data_dir else None, say=say)
    data = results.data_of(found, access, file)
    evaluate.refuse_unmeasurable(metrics, model, data, instead=evaluate.OTHERS)
    ready = [metric.prepare(data, access, runs_folder) for metric in metrics]
    seconds = None if full else budget.of(manifest.finished_in_seconds)
    measured = evaluate.measure(ready, model, data, manifest.seed, manifest.binarized, seconds)
    circumstances = {
        "seed": manifest.seed,
        "epoch": manifest.epoch,
        "backend": keras.backend.backend(),
        "device": engine.device(),
    }
    target = out or place(found, results.FILE)
    kept = results.keep(target, measured, **circumstances)
    with writing(target, found) as content:
        content.write((jsons.text(kept) + "\n").encode())
    if as_json:
        told = {"run": found.name, "path": str(found.path.absolute()), "metrics": measured}
        click.echo(jsons.text(told))
        return
    lines = [f"run {folders.title(found)}", *(f"  {line}" for line in summary.measured(measured))]
    if not target.is_relative_to(found.path):
        lines.append(f"  kept in {target}")
    click.echo(fitted("\n".join(lines)))
