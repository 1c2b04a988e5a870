"""``zoo compress``: pictures as the codes of a model, in a small file."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli.options import input_label_option, model_options, out_option
from zoo.errors import ZooError
from zoo.runs.folders import RULE


@click.command("compress", epilog=RULE)
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE|DIR|NPZ")
@click.argument("run")
@click.option(
    "--loss",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    metavar="DB",
    help="What rounding the codes may cost, in decibels of PSNR: more makes the file smaller.",
)
@input_label_option
@out_option(".zoo")
@model_options
def command(
    path: Path,
    run: str,
    loss: float,
    label: str | None,
    out: Path | None,
    recipe: str | None,
    backend: str | None,
    device: str | None,
    runs_folder: str | None,
) -> None:
    """Write your pictures as the codes of RUN, rounded and entropy coded, into a file .zoo.

    It prints bits per pixel and PSNR beside those of PNG, and of JPEG at the same size. Pictures
    are fitted to the size of the run's first, and what that loses is not counted; nor is the
    model, which has to be there to decompress. Needs pip install "keras-zoo[compress]".

    \b
      zoo compress photos latest -o photos.zoo
      zoo compress photos latest -o smaller.zoo --loss 1
      zoo decompress photos.zoo -o again
    """
    import numpy as np

    from zoo.cli.trained import opened, own, writing
    from zoo.runs import artifact, codes_file, folders
    from zoo.runtime.console import counted, fitted, printable, sized
    from zoo.runtime.waiting import waiting

    codes_file.require_constriction()
    found, model = opened(run, runs_folder, recipe, backend, device)
    from zoo.metrics import codecs
    from zoo.reports.pictures import is_picture

    if not is_picture(model.data.shape):
        raise ZooError(f"{model.where} is of examples of shape {model.data.shape}, not of pictures")
    for ability in ("encode", "decode"):
        if not model.can(ability):
            raise ZooError(f"{model.where} cannot {ability}, which compressing needs")
    weights = artifact.sha256(found, found.manifest)
    given = own(found, model, [path], label, binarized=False)
    x = given.split.x
    if x.dtype != np.uint8:
        raise ZooError(f"{path}: pictures to compress are uint8, not {x.dtype}")
    y = given.split.y if model.plugin.conditional else None
    with waiting(f"encoding {counted(len(x), 'picture')}"):
        z = model.encode(x, labels=y)
        few = codes_file.as_vectors(z)
        if few is None:
            step = codecs.coarsest_step(model, x, z, y, loss)
            symbols, vectors = codes_file.rounded(z, step), None
        else:
            step, (symbols, vectors) = 1.0, few
    names = given.names if path.is_dir() else []
    if not all(map(codes_file.is_name, names)):
        names = []
    file = codes_file.CodesFile(folders.title(found), weights, names, symbols, step, vectors, y)
    content = codes_file.encoded(file)
    target = out or Path(f"{path.absolute().stem}.zoo")
    with writing(target, found) as written:
        written.write(content)
    pixels = len(x) * x.shape[1] * x.shape[2]
    bits, raw = 8 * len(content) / pixels, 8 * x.shape[3]
    first = np.asarray(x[: codecs.MOST_COMPARED])
    with waiting("comparing with PNG and JPEG"):
        again = model.decode(file.codes(), labels=y)
        quality = codecs.psnr(x, again)
        lossless, other = codecs.png(first), codecs.jpeg(first, bits)
    how = f"rounded to {step:.3g}" if vectors is None else f"{len(vectors):,} vectors"
    lines = [
        f"{target}  {counted(len(x), 'picture')} of {x.shape[1]} x {x.shape[2]} in "
        f"{sized(len(content))}, codes of {printable(file.run)} {how}",
        f"  {'':<6} {'bits/pixel':>10} {'ratio':>9} {'PSNR':>8}",
        _row("zoo", bits, raw, f"{quality:.1f} dB"),
        _row("JPEG", other.bits, raw, f"{other.psnr:.1f} dB") + f"  quality {other.quality}",
        _row("PNG", lossless.bits, raw, "exact"),
        _verdict(quality, bits, other),
    ]
    if len(first) < len(x):
        lines.append(f"PNG and JPEG are of the first {len(first):,}")
    lines.append(f"next: zoo decompress {target} -o DIR")
    click.echo(fitted("\n".join(lines)))


def _row(name: str, bits: float, raw: int, psnr: str) -> str:
    return f"  {name:<6} {bits:>10.4f} {raw / bits:>7,.1f}:1 {psnr:>8}"


def _verdict(quality: float, bits: float, other) -> str:
    """Who wins, in a sentence."""
    gain = quality - other.psnr
    if not other.fits:
        times = other.bits / bits
        if gain >= 0:
            return (
                f"JPEG at its lowest quality is {times:.1f} times larger, and {gain:.1f} dB worse"
            )
        return f"JPEG at its lowest quality is {times:.1f} times larger, and {-gain:.1f} dB better"
    if gain >= 0:
        return f"at this size the model is {gain:.1f} dB better than JPEG"
    return f"at this size JPEG is {-gain:.1f} dB better than the model: JPEG wins on these pictures"
