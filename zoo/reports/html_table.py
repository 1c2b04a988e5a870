"""A comparison as one self-contained page, for screens of any width, light and dark."""

from __future__ import annotations

from html import escape

from zoo.reports import tables
from zoo.reports.comparison import Comparison

_STYLE = """\
:root { color-scheme: light dark; --line: #d3d9e2; --dim: #5a6675; --best: #e5f2e6; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3b4554; --dim: #a3afbf; --best: #1e3a24; }
  body { background: #14181e; color: #e6ecf5; }
}
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 80rem; }
h1 { font-size: 1.3rem; margin: 0; }
p, li { color: var(--dim); overflow-wrap: break-word; }
ul { padding-left: 1.2rem; font-size: 0.9rem; }
div { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: 0.4rem 0.7rem; text-align: left; }
th { font-weight: 600; vertical-align: bottom; }
.number { text-align: right; }
td.number { white-space: nowrap; }
.best { background: var(--best); font-weight: 700; }
@media (max-width: 45rem) {
  thead { position: absolute; left: -999rem; }
  table, tbody, tr, td { display: block; }
  tr { border: 1px solid var(--line); border-radius: 0.5rem; margin: 0.8rem 0; }
  td, td.number {
    display: flex; justify-content: space-between; gap: 1rem;
    text-align: right; overflow-wrap: anywhere; white-space: normal;
  }
  td:last-child { border-bottom: 0; }
  td::before {
    content: attr(data-title); color: var(--dim); font-weight: 400;
    text-align: left; overflow-wrap: normal;
  }
}
"""


def page(comparison: Comparison) -> str:
    """The page; whatever a run says of itself is text in it, never markup."""
    found = tables.grid(comparison)
    common = ", ".join(f"{heading} {value}" for heading, value in found.common.items())
    number = [cell.number for cell in found.rows[0]]
    head = "".join(
        f'<th scope="col"{_classes(is_number, False)}>{escape(heading)}</th>'
        for heading, is_number in zip(found.headings, number, strict=True)
    )
    rows = "\n".join(
        "<tr>"
        + "".join(
            f'<td data-title="{escape(heading)}"{_classes(cell.number, cell.best)}>'
            f"{escape(cell.text)}{' ' + tables.MARK if cell.best else ''}</td>"
            for heading, cell in zip(found.headings, row, strict=True)
        )
        + "</tr>"
        for row in found.rows
    )
    notes = "\n".join(f"<li>{escape(note)}</li>" for note in found.notes)
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Runs compared</title>
<style>
{_STYLE}</style>
</head>
<body>
<h1>Runs compared</h1>
<p>{escape(common)}</p>
<div>
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
<ul>
{notes}
</ul>
</body>
</html>"""


def _classes(number: bool, best: bool) -> str:
    names = [name for name, is_so in (("number", number), ("best", best)) if is_so]
    return f' class="{" ".join(names)}"' if names else ""
