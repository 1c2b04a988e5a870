"""``zoo embed``: the codes of pictures, for a classifier or a plot."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import (
    data_dir_option,
    input_label_option,
    input_option,
    model_options,
    out_option,
    split_option,
)
from zoo.runs.folders import RULE


@click.command("embed", epilog=RULE)
@click.argument("run")
@split_option
@input_option
@input_label_option
@out_option(".npz", ".png")
@model_options
@data_dir_option
def command(
    run: str,
    split: str,
    inputs: tuple[Path, ...],
    label: str | None,
    out: Path | None,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
) -> None:
    """Write what RUN encodes its test examples to, or your own, beside their labels.

    The .npz file holds codes, float32 (n, dimensions), and labels, int32 (n,), in the
    order of the data; of your own also their files and the names of their classes. A .png
    file shows them coloured by label.

    \b
      zoo embed latest --out codes.npz
      zoo embed latest --split train --out train.npz
      zoo embed latest --out codes.png
      zoo embed latest --input photos --out photos.npz
    """
    import numpy as np

    from zoo.cli.trained import examples, opened, own, place, writing, written
    from zoo.runtime.console import counted

    found, model = opened(run, runs_folder, recipe, backend, device)
    from zoo.reports import views  # imports Keras, under the backend that is chosen now

    given = None
    if inputs:
        given, split = own(found, model, inputs, label), "input"
        shown, labels, classes = given.split, given.labels, given.class_names
    else:
        shown = examples(found, data_dir, recipe, split)
        labels, classes = shown.y, model.class_names
    target = out or place(found, f"codes-{split}.npz")
    if target.suffix.lower() == ".png":
        view = views.codes(model, shown, labels, classes)
        click.echo(written(target, found, view, counted(len(shown), "code")))
        return
    arrays = {"codes": model.encode(shown.x, labels=shown.y)}
    if labels is not None:
        arrays["labels"] = labels
    if given is not None:
        arrays["files"] = np.array(given.names)
        arrays |= {"class_names": np.array(classes)} if classes else {}
    with writing(target, found) as file:
        np.savez(file, **arrays)
    listed = ", ".join(f"{name} {a.dtype} {a.shape}" for name, a in arrays.items())
    click.echo(f"{target}  {listed}")
