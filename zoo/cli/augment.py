"""``zoo augment``: a labelled folder of samples, to train other models with."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import model_options
from zoo.errors import ZooError
from zoo.plugin import limits
from zoo.runs.folders import RULE


@click.command("augment", epilog=RULE)
@click.argument("run")
@click.option(
    "--per-class",
    default=100,
    show_default=True,
    type=click.IntRange(1, limits.MOST_DRAWS),
    help="Samples of each class.",
)
@click.option("--seed", default=0, show_default=True, help="Of the noise.")
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder to write PNG files to, a folder for each class: a new one, or an empty one.",
)
@model_options
def command(
    run: str,
    per_class: int,
    seed: int,
    out: Path,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
) -> None:
    """Draw samples of each class of RUN, a conditional model, into class folders.

    dataset=folder reads such a folder. Whether samples help a classifier, zoo evaluate
    --metric augmentation_gain tells.

    \b
      zoo augment latest --per-class 500 -o more
      zoo run classifier_cifar10 dataset=folder dataset.path=more
    """
    import numpy as np

    from zoo.cli.trained import loaded, meant, new_folder
    from zoo.runtime.console import counted, fitted
    from zoo.runtime.waiting import waiting

    found = meant(run, runs_folder)
    shape, count = tuple(found.manifest.data.shape), found.manifest.data.classes
    if per_class * max(count, 1) > limits.MOST_DRAWS:
        most = limits.MOST_DRAWS // count
        raise ZooError(f"--per-class {per_class}: up to {most:,} of each of {count:,} classes")
    with new_folder(out) as save:
        model = loaded(found, recipe, backend, device)
        from zoo.reports.pictures import is_picture

        if not (model.plugin.conditional and model.can("sample")):
            raise ZooError(
                f"{model.where} is not a conditional model that samples: a class cannot be asked "
                "for. Train one, as with model.conditional=true"
            )
        if not is_picture(shape):
            raise ZooError(
                f"{model.where} makes examples of shape {shape}, not pictures: zoo sample "
                "--label CLASS --out FILE.npy writes them as numbers"
            )
        wide = len(str(per_class - 1))
        with waiting(f"drawing {counted(per_class * count, 'sample')}"):
            for label, name in enumerate(_folders(model.class_names, count)):
                labels = np.full(per_class, label, "int32")
                made = model.sample(per_class, seed=seed, labels=labels, first=label * per_class)
                for i, picture in enumerate(made):
                    save(f"{name}/{i:0{wide}d}.png", picture)
    click.echo(
        fitted(
            f"{out}  {counted(per_class, 'sample')} of each of {count:,} classes\n"
            f"next: zoo data {out}"
        )
    )


def _folders(names: tuple[str, ...], count: int) -> list[str]:
    """A folder's name per class, whose order is that of the labels."""
    from zoo.runs.codes_file import is_name

    if list(names) == sorted(names) and all(is_name(n) and "/" not in n for n in names) and names:
        return list(names)
    wide = len(str(count - 1))
    return [f"{label:0{wide}d}" for label in range(count)]
