"""Curves as SVG, drawn by Vega-Lite, in the colours of the page around them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.runs.curves import Curve
from zoo.runtime.console import number

MOST_POINTS = 400  # of a line
COLOURS = ("#2f7fd1", "#d9730d", "#17936f", "#b5488f", "#8a7a0a", "#7a5bc4", "#a8443a", "#4a7d8c")
"""That colour-blind people tell apart, on white and on black."""

WIDTH, HEIGHT = 320, 170


@dataclass(frozen=True)
class Chart:
    """A chart as the page has it.

    Attributes:
        title: what it shows.
        svg: the drawing. Vega escapes every text in it.
        alt: what a person reads who does not see it.
    """

    title: str
    svg: str
    alt: str


def chart(
    title: str,
    lines: Mapping[tuple[str, str], Curve],
    across: str = "epoch",
    logarithmic: bool = False,
) -> Chart | None:
    """Lines over a training.

    Args:
        title: what they show.
        lines: ``{(colour's name, dash's name): curve}``.
        across: what ``curve.at`` counts.
        logarithmic: whether equal factors are equally far, for positive numbers.

    Returns:
        None where no line has a number to show.
    """
    import altair as alt
    import vl_convert

    rows: list[dict[str, Any]] = []
    told: list[str] = []
    for (colour, dash), curve in lines.items():
        points = [
            (at, value)
            for at, value in _thinned(curve)
            if math.isfinite(value) and (value > 0 or not logarithmic)
        ]
        name = " ".join(filter(None, (colour, dash)))
        for at, value in points:
            text = f"{name}, {across} {at:,}: {number(value)}"
            rows.append({"x": at, "y": value, "c": colour, "d": dash, "t": text})
        if points:
            ends = f"{number(points[0][1])} to {number(points[-1][1])}"
            told.append(f"{name} from {ends}")
    if not rows:
        return None
    colours = list(dict.fromkeys(row["c"] for row in rows))
    dashes = list(dict.fromkeys(row["d"] for row in rows))
    scale = alt.Scale(type="log") if logarithmic else alt.Scale(zero=False, nice=True)
    several = len({(row["c"], row["d"]) for row in rows}) > 1
    few = all(len(curve) < 40 for curve in lines.values())
    # below, a run a line, where the lines' kinds have the place above
    of_colours = _legend(alt, "bottom", 1) if len(dashes) > 1 else _legend(alt)
    encoding: dict[str, Any] = {
        "x": alt.X(
            "x:Q",
            title=across,
            scale=alt.Scale(zero=False),
            axis=alt.Axis(tickMinStep=1, format=",d", grid=False, values=_ticks(rows)),
        ),
        "y": alt.Y("y:Q", title=None, scale=scale),
        "color": alt.Color(
            "c:N",
            title=None,
            scale=alt.Scale(domain=colours, range=[COLOURS[i % 8] for i in range(len(colours))]),
            legend=of_colours if several and len(colours) > 1 else None,
        ),
        "description": alt.Description("t:N"),
    }
    if len(dashes) > 1:
        encoding["strokeDash"] = alt.StrokeDash(
            "d:N",
            title=None,
            scale=alt.Scale(domain=dashes, range=[[1, 0], [5, 4]]),
            legend=_legend(alt, symbolStrokeColor="currentColor"),
        )
    made = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(strokeWidth=2, point={"size": 22} if few else False)
        .encode(**encoding)
        .properties(width=WIDTH, height=HEIGHT, background="transparent")
        .configure(
            font="system-ui, sans-serif",
            axis=alt.AxisConfig(
                labelColor="currentColor",
                titleColor="currentColor",
                tickColor="currentColor",
                domainColor="currentColor",
                gridColor="currentColor",
                gridOpacity=0.13,
                domainOpacity=0.4,
                tickOpacity=0.4,
                labelFontSize=12,
                titleFontSize=12,
                titleFontWeight="normal",
            ),
            legend=alt.LegendConfig(labelColor="currentColor", labelFontSize=12, labelLimit=260),
            view=alt.ViewConfig(stroke=None),
        )
    )
    # not validated: a schema is read for that, which takes seconds and asks for pandas' types
    drawn = vl_convert.vegalite_to_svg(made.to_dict(validate=False))
    return Chart(title, drawn, f"{title}: {'; '.join(told)}.")


def _ticks(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Every epoch, where there are few; else as it comes."""
    import altair as alt

    at = {row["x"] for row in rows}
    return sorted(at) if len(at) <= 6 else alt.Undefined


def _legend(alt: Any, orient: str = "top", columns: int = 2, **more: Any) -> Any:
    return alt.Legend(
        orient=orient,
        direction="horizontal",
        columns=columns,
        symbolType="stroke",
        symbolSize=240,
        offset=8,
        **more,
    )


def _thinned(curve: Curve) -> Sequence[tuple[float, float]]:
    """Points at equal distances, the last among them."""
    points = list(zip(curve.at, curve.values, strict=True))
    every = -(-len(points) // MOST_POINTS)
    return points[::-1][:: max(every, 1)][::-1]
