"""What a run, or several, came to: one HTML file that needs nothing else.

Whatever a run says of itself is text in the page, never markup: Jinja2 escapes it, and the page's
own policy lets a browser fetch nothing from anywhere.
"""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.reports import comparison, diagnosis, differences, entry, losses, tables
from zoo.reports import pictures as drawing
from zoo.reports.charts import Chart, chart
from zoo.runs import card, curves, folders, parameters, results
from zoo.runs.curves import Curve
from zoo.runs.frames import Frame
from zoo.runs.run import RESULTS, Run
from zoo.runtime.console import clock, figure, number

FOLDER = Path(__file__).parent
WIDEST = 720  # pixels of a picture
BUDGET = 1_500_000  # bytes of the pictures of one kind
MOST_FRAMES = 24
MOST_CHARTS = 24
LONGEST = 80  # characters of settings in a legend
EXTRA = 'pip install "keras-zoo[report]"'

TITLES = {
    "samples": "Samples",
    "reconstructions": "Reconstructions",
    "codes": "Codes by class",
    "posterior": "Codes beside the prior, dimension by dimension",
    "traversals": "One latent dimension a row",
    "interpolations": "From one example to another",
    "manifold": "The latent plane, decoded",
}
LATENT = ("codes", "posterior", "manifold", "traversals", "interpolations")
ABOVE = ("real", "floor", "chance")
"""Details of a metric that say what its best or worst value is on these data."""


@dataclass(frozen=True)
class Film:
    """Pictures of one kind as the page has them.

    Attributes:
        title: what they show.
        frames: ``(when, address of the picture itself)``.
    """

    title: str
    frames: list[tuple[str, str]]


@dataclass
class Subject:
    """A run as a report tells of it.

    Attributes:
        run: the run or pack.
        pictures: by kind, from the first to the last.
        notes: what could not be shown, and why.
    """

    run: Run
    pictures: Mapping[str, Sequence[Frame]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def page(subjects: Sequence[Subject]) -> str:
    """The report of one run, or of several beside each other.

    Raises:
        ZooError: a run cannot be read, or the extra ``report`` is not installed.
    """
    environment = _environment()
    runs = [_of_run(subject) for subject in subjects]
    one = runs[0] if len(runs) == 1 else None
    compared = comparison.compare([subject.run for subject in subjects])
    content = environment.get_template("report.html").render(
        title=one["title"] if one else f"{len(runs)} runs compared",
        one=one,
        runs=runs,
        charts=one["charts"] if one else _together(subjects, compared),
        table=tables.grid(compared),
        mark=tables.MARK,
        style=(FOLDER / "report.css").read_text(encoding="utf-8"),
        script=(FOLDER / "report.js").read_text(encoding="utf-8"),
    )
    return content


def needed() -> None:
    """Refuse where the extra ``report`` is not installed, before anything takes long."""
    _environment()


def _environment() -> Any:
    try:
        import altair  # noqa: F401  # named here, so that one message tells of all
        import jinja2
        import vl_convert  # noqa: F401  # likewise
    except ImportError as error:
        raise ZooError(f"a report needs the extra report: {EXTRA}") from error
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def _of_run(subject: Subject) -> dict[str, Any]:
    run, manifest = subject.run, subject.run.manifest
    finished = run.has_ended(manifest)
    told = results.results(run) if finished else None
    found = diagnosis.diagnose(diagnosis.read(run))
    films = {
        kind: film for kind, frames in subject.pictures.items() if (film := _film(kind, frames))
    }
    weights = parameters.count(run)
    facts = {
        "model": manifest.model.title,
        "data": manifest.data.name,
        "status": "pretrained" if manifest.pack else run.status_of(manifest),
        "epochs": f"{manifest.epoch:,} of {manifest.epochs:,}",
        "parameters": "" if weights is None else f"{weights:,}",
        "seed": str(manifest.seed),
        "time": clock(told.seconds) if told else "",
    }
    return {
        "title": folders.title(run),
        "facts": {name: text for name, text in facts.items() if text},
        "findings": found.findings,
        "looked": found.looked,
        "unseen": found.unseen,
        "metrics": _metrics(run),
        "test": losses.shown(told.test) if told else [],
        "charts": _charts(run),
        "samples": films.get("samples"),
        "reconstructions": films.get("reconstructions"),
        "latent": [films[kind] for kind in LATENT if kind in films],
        "others": [
            film
            for kind, film in films.items()
            if kind not in (*LATENT, "samples", "reconstructions")
        ],
        "notes": subject.notes,
        "changes": list(manifest.changes),
        "settings": differences.settings(run, manifest),
        "environment": _environment_of(run),
        "command": card.command(manifest),
        "recipe": _source(run),
    }


def _source(run: Run) -> str:
    try:
        return run.source
    except (ZooError, SyntaxError, ValueError):
        return ""


def _metrics(run: Run) -> list[dict[str, str]]:
    rows, spreads = [], _spreads(run)
    for name, found in results.kept(run).items():
        details = found.get("details", {})
        above = [f"{key} {number(details[key])}" for key in ABOVE if key in details]
        others = [f"{k} {number(v)}" for k, v in details.items() if k not in ABOVE]
        rows.append(
            {
                "name": name,
                "value": figure(found),
                "floor": ", ".join(above),
                "spread": spreads.get(name, "one seed"),
                "details": ", ".join(others[:12]),
                "protocol": found["protocol"],
            }
        )
    return rows


def _spreads(run: Run) -> dict[str, str]:
    """By metric, the mean and deviation over finished runs that differ in their seed alone.

    Those beside the run in its folder count, not those of a pack, and not others of its seed.
    """
    if run.manifest.pack:
        return {}
    own, entries = entry.read(run), []
    for path in run.path.parent.glob(f"*/{RESULTS}"):
        with contextlib.suppress(ZooError):  # one that cannot be read does not count
            other = entry.read(Run(path.parent))
            if other.key == own.key and other.seed != own.seed:
                entries.append(other)
    [row] = comparison.compare_entries([own, *entries]).rows
    return {
        column.metric: f"{number(value.mean)} ± {number(value.deviation)}, {value.n} seeds"
        for column, value in row.values.items()
        if not column.detail and value.deviation is not None
    }


def _environment_of(run: Run) -> dict[str, str]:
    manifest = run.manifest
    told = {
        "made": manifest.created.partition(".")[0].replace("T", " "),
        "backend": f"{manifest.backend} on {manifest.device}",
        "machine": "" if manifest.machine is None else str(manifest.machine),
        "precision": manifest.precision,
        "accelerations": ", ".join(manifest.accelerations),
        **manifest.versions,
        "SHA-256 of the data": manifest.data.fingerprint,
        **{f"SHA-256 of {name}": digest for name, digest in manifest.sha256.items()},
    }
    return {name: text for name, text in told.items() if text}


# --- curves


def _charts(run: Run) -> list[Chart]:
    table = curves.by_epoch(run)
    training, validation = curves.by_step(run)
    made = []
    for name in _terms(table):
        own = {("training", ""): table.get(name, Curve())}
        if held_out := table.get(f"{curves.VALIDATION}{name}"):
            own["validation", ""] = held_out
        made.append(chart(name, own))
    measured = [n for n in validation if n not in table and n not in training]
    made += [chart(n, {("validation", ""): validation[n]}, "step") for n in measured]
    for name, title in (("gradient_norm", "gradient norm"), ("update_ratio", "update ratio")):
        own = {
            (tag.partition("/")[2], ""): curve
            for tag, curve in training.items()
            if tag.startswith(f"{name}/")
        }
        made.append(chart(title, own, "step", logarithmic=True))
    return [each for each in made if each][:MOST_CHARTS]


def _terms(table: Mapping[str, Curve]) -> list[str]:
    """The terms of training, a player's loss before its terms, none twice."""
    left_out = ("learning_rate", "skipped")
    names = [n for n in table if not n.startswith((curves.VALIDATION, *left_out))]
    if any(n.endswith("/loss") for n in names):
        names = [n for n in names if n != "loss"]  # of several players, whose sum says nothing
    return sorted(names, key=lambda n: (n != "loss", n.rpartition("/")[0], not n.endswith("loss")))


def _together(subjects: Sequence[Subject], compared: comparison.Comparison) -> list[Chart]:
    """The same term of all runs in one chart, a colour for each experiment."""
    label = labels(compared)
    of_runs = {
        label[subject.run.name]: curves.by_epoch(subject.run)
        for subject in subjects
        if subject.run.name in label
    }
    terms = dict.fromkeys(name for table in of_runs.values() for name in _terms(table))
    made = []
    for name in terms:
        lines: dict[tuple[str, str], Curve] = {}
        for title, table in of_runs.items():
            for prefix, dash in (("", "training"), (curves.VALIDATION, "validation")):
                if curve := table.get(f"{prefix}{name}"):
                    lines[title, dash] = curve
        made.append(chart(name, lines))
    return [each for each in made if each][:MOST_CHARTS]


def labels(compared: comparison.Comparison) -> dict[str, str]:
    """``{run: what a legend calls it}``, all different: what it differs by, and its seed."""
    short = differences.short(compared.settings)
    found: dict[str, str] = {}
    for row in compared.rows:
        told = [f"{short[p]} {row.settings[p]}" for p in compared.settings if p in row.settings]
        cut = ", ".join([*(row.about[key] for key in compared.differing), *told])[:LONGEST]
        for name, seed in zip(row.runs, row.seeds, strict=True):
            label = f"{cut}, seed {seed}" if cut else f"seed {seed}"
            label = label if len(row.runs) > 1 or not cut else cut
            if label in found.values():  # they differ in what was cut off
                label = f"{label}, {name.rpartition('/')[2]}"
            found[name] = label
    return found


# --- pictures


def _film(kind: str, frames: Sequence[Frame]) -> Film | None:
    """The pictures of a kind, as many as fit; None where none is whole."""
    every = max(1, -(-len(frames) // MOST_FRAMES))
    chosen = list(frames)[::-1][::every][::-1]
    found = [(frame.when, shown) for frame in chosen if (shown := _shrunk(frame.content))]
    while len(found) > 1 and sum(len(content) for _, content in found) > BUDGET:
        found = found[::-1][::2][::-1]
    if not found:
        return None
    addresses = [(when, _address(content)) for when, content in found]
    return Film(TITLES.get(kind, kind), addresses)


def _shrunk(content: bytes) -> bytes | None:
    """A picture as WebP, no wider than a page shows it; None for one that is damaged."""
    from PIL import Image

    try:
        image = Image.fromarray(drawing.fitted(drawing.read(content), WIDEST))
    except ValueError:
        return None
    out = io.BytesIO()
    image.save(out, "WEBP", quality=82)
    return out.getvalue()


def _address(content: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(content).decode()}"
