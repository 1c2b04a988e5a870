"""``zoo score``: which pictures are unlike those that a model has learned."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from zoo.cli.options import (
    data_dir_option,
    input_label_option,
    input_option,
    model_options,
    out_option,
    split_option,
)
from zoo.errors import ZooError
from zoo.plugin import limits
from zoo.runs.folders import RULE


@click.command("score", epilog=RULE)
@click.argument("run")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE|DIR|NPZ]...")
@input_option
@input_label_option
@click.option(
    "--by",
    type=click.Choice(["likelihood", "error"]),
    help="-log p(x) in nats, or the mean squared error of the reconstruction. Default: the first "
    "that the model has.",
)
@click.option(
    "--samples",
    default=16,
    show_default=True,
    type=click.IntRange(1, limits.MOST_DRAWS),
    help="Importance samples of the likelihood's bound.",
)
@click.option(
    "-n",
    "--n",
    default=10,
    show_default=True,
    type=click.IntRange(1, limits.MOST_SHOWN),
    help="How many of the highest are printed or shown.",
)
@click.option(
    "--against-test",
    is_flag=True,
    help="Score the run's test examples too, and say how well scores tell yours from them (AUROC).",
)
@split_option
@out_option(".csv", ".png")
@model_options
@data_dir_option
def command(
    run: str,
    paths: tuple[Path, ...],
    inputs: tuple[Path, ...],
    label: str | None,
    by: str | None,
    samples: int,
    n: int,
    against_test: bool,
    split: str,
    out: Path | None,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
    data_dir: str | None,
) -> None:
    """Rank examples by how unlike those they are that RUN was trained on, the oddest first.

    A high score is an unlikely example. Without a FILE, DIR or NPZ of your own the run's test
    examples are ranked: the odd ones of your own data. All scores go into a .csv file; a .png
    file shows the highest above the lowest.

    \b
      zoo score latest photos
      zoo score latest photos --out odd.png
      zoo score vae_mnist letters --against-test
    """
    from zoo.cli.trained import examples, opened, own, place, writing, written
    from zoo.runtime.console import counted, fitted, printable

    found, model = opened(run, runs_folder, recipe, backend, device)
    from zoo.metrics import oddity

    by = by or ("likelihood" if model.can("log_likelihood") else "error")
    needs = "log_likelihood" if by == "likelihood" else "reconstruct"
    if not model.can(needs):
        raise ZooError(
            f"{model.where} cannot {needs}, which scores by {by} need; it can: "
            f"{', '.join(model.able())}"
        )
    wanted = (*paths, *inputs)
    if by == "error" and _is_given("samples"):
        raise ZooError("--samples is of the likelihood's bound: leave it out, or --by likelihood")
    if wanted and _is_given("split"):
        raise ZooError("--split is of the run's own data: leave it out with files of your own")
    if wanted:
        given = own(found, model, wanted, label)
        shown, names = given.split, given.names
        of = "-".join(path.resolve().stem for path in wanted[:2])[:60]
    elif against_test or label is not None:
        option = "--against-test" if against_test else "--label"
        raise ZooError(f"{option} is for examples of your own: name a file or a folder")
    else:
        shown, of = examples(found, data_dir, recipe, split), split
        names = [f"{split} {i}" for i in range(len(shown))]
    other = examples(found, data_dir, recipe) if against_test else None
    scores = oddity.scores(model, shown, by, samples, found.manifest.seed)
    order = oddity.ranked(scores)
    unit = f"-log p(x) in nats, {counted(samples, 'sample')}" if by == "likelihood" else "MSE"
    target = out or place(found, f"scores-{of}.csv")
    if target.suffix.lower() == ".png":
        view = oddity.extremes(shown, order, n)
        told = written(target, found, view, f"the {min(n, len(order))} highest and lowest")
    else:
        with writing(target, found) as file:
            file.write(oddity.table(names, scores, order).encode())
        told = f"{target}  {counted(len(order), 'score')}, {unit}"
    lines = [f"  {_number(scores[row]):>10}  {printable(names[row])}" for row in order[:n]]
    if len(order) > n:
        lines.append(f"  {_number(oddity.median(scores)):>10}  median")
    if other is not None:
        theirs = oddity.scores(model, other, by, samples, found.manifest.seed)
        lines.append(
            f"AUROC {oddity.auroc(scores, theirs):.3f}, {counted(len(scores), 'score')} of yours "
            f"against {counted(len(theirs), 'test example')}: 0.5 is chance, and below it yours "
            "are the likelier"
        )
    click.echo(fitted("\n".join([told, *lines])))


def _is_given(option: str) -> bool:
    context = click.get_current_context()
    return context.get_parameter_source(option) is ParameterSource.COMMANDLINE


def _number(score: float) -> str:
    return f"{score:,.1f}" if abs(score) >= 100 else f"{score:.4g}"
