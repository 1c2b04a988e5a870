"""Results as tables in Markdown."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from benchmarks.cases import CASES
from zoo.runtime.console import counted

BEGIN, END = "<!-- measured: python -m benchmarks -->", "<!-- end -->"
NAMES = {"jax": "JAX", "tensorflow": "TensorFlow", "torch": "PyTorch"}
RATE = "pictures_per_second"

GOALS = {
    "jax": (1.0, 0.97, 0.97, 0.97, 0.95, 0.97),
    "tensorflow": (0.97, 0.97, 0.97, 0.97, 0.95, 0.97),
    "torch": (1.0, 1.0, 0.98, 0.98, 0.95, 0.98),
}
"""Of the speed by hand, for each case in order."""


def put(text: str, path: Path, begin: str = BEGIN) -> None:
    """Write a text between the two marks in a file, in place of what is there."""
    before, found, rest = path.read_text().partition(begin)
    if not found:
        raise SystemExit(f"{path} has no {begin}: put it, and {END} below it, where the table goes")
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{begin}\n\n{text}\n{END}{after}")


def rendered(results: dict) -> str:
    """All tables that there are results for, each part with the machine that it was measured on."""
    found = []
    for part, renders in (
        ("speed", (_speed, _ratios, _between, _waiting, _costs)),
        ("start", (_start,)),
        ("scaling", (_scaling,)),
    ):
        if results.get(part):
            first, *others = filter(None, (render(results[part]) for render in renders))
            title, _, rest = first.partition("\n\n")
            machine = machine_of(results.get("machines", {}).get(part, {}))
            found += ["\n\n".join(filter(None, [title, machine, rest])), *others]
    return "\n\n".join(found) + "\n"


def machine_of(machine) -> str:
    """A line on the processor and the versions."""
    if not machine:
        return ""
    versions = ", ".join(f"{NAMES.get(n, n)} {v}" for n, v in machine["versions"].items())
    cores = counted(machine["cores"], "core")
    return f"{cores} ({machine['processor']}), {machine['memory']} GB; {versions}."


def grid(head, rows) -> str:
    """A table, its head and its rows being lists of strings."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _spread(values, form) -> str:
    """Median, and the least and the most."""
    if not values:
        return ""
    middle, low, high = (form(v) for v in (median(values), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({low} to {high})"


def _whole(value) -> str:
    return f"{value:,.0f}"


def _ratio(value) -> str:
    return f"{value:.2f}"


def _seconds(value) -> str:
    return f"{value:.1f}"


def _each(results):
    """``(case, backend, {variant: rows})``, in order."""
    for name in CASES:
        for backend in NAMES:
            if found := results.get(name, {}).get(backend):
                yield name, backend, found


def _speed(results) -> str:
    titles = {"zoo": "zoo", "keras": "Keras's fit", "hand": "by hand", "pythae": "pythae"}
    rows = [
        [
            f"{name}: {CASES[name].title}",
            NAMES[backend],
            *(_spread([r[RATE] for r in found.get(v, [])], _whole) for v in titles),
        ]
        for name, backend, found in _each(results)
    ]
    return "### Pictures a second\n\n" + grid(["model", "backend", *titles.values()], rows)


def _against(one, other) -> str:
    pairs = zip(one, other, strict=False)
    return _spread([a[RATE] / b[RATE] for a, b in pairs], _ratio)


def _ratios(results) -> str:
    rows, others = [], ("hand", "keras", "pythae")
    for name in CASES:
        own = results.get(name, {})
        if not any(other in found for found in own.values() for other in others):
            continue
        for backend in [b for b in NAMES if b in own]:
            zoo = own[backend].get("zoo", [])
            hand, *ratios = (_against(zoo, own[backend].get(other, [])) for other in others)
            goal = _ratio(GOALS[backend][[*CASES].index(name)])
            rows.append([name, NAMES[backend], hand, goal, *ratios])
    head = ["model", "backend", "zoo / by hand", "goal", "zoo / Keras's fit", "zoo / pythae"]
    return "### Ratios, pair by pair\n\n" + grid(head, rows)


def _between(results) -> str:
    rows = []
    for name in CASES:
        own = {b: found for b, found in results.get(name, {}).items() if found.get("zoo")}
        rates = {b: median(r[RATE] for r in found["zoo"]) for b, found in own.items()}
        if not rates:
            continue
        slowest, best = (choose(rates, key=rates.__getitem__) for choose in (min, max))
        if slowest != best:
            which = f"the slowest, {NAMES[slowest]}, / the fastest, {NAMES[best]}"
            rows.append([name, which, _ratio(rates[slowest] / rates[best])])
        if pythae := own.get("torch", {}).get("pythae"):
            times = rates[best] / median(r[RATE] for r in pythae)
            rows.append([name, f"the fastest, {NAMES[best]}, / pythae", _ratio(times)])
    if not rows:
        return ""
    return "### The zoo's backends: ratios of medians\n\n" + grid(["model", "", ""], rows)


def _costs(results) -> str:
    rows = []
    for name, backend, found in _each(results):
        for variant, told in found.items():
            if told:
                columns = ("start", "first_step", "memory")
                values = [median(r[c] for r in told) for c in columns]
                start, first, memory = values
                shown = [_seconds(start), _seconds(first - start), _whole(memory)]
                rows.append([name, NAMES[backend], variant, *shown])
    head = ["model", "backend", "who", "imports, s", "from there to the first step, s", "MB"]
    return "### Start and memory\n\nNothing compiled is kept.\n\n" + grid(head, rows)


def _waiting(results) -> str:
    rows = []
    for name, backend, found in _each(results):
        shares = [100 * r["waiting"] for r in found.get("zoo", []) if "waiting" in r]
        if shares:
            rows.append([name, NAMES[backend], _spread(shares, lambda v: f"{v:.1f}%")])
    if not rows:
        return ""
    head = ["model", "backend", "share of the zoo's time in which steps wait for their batches"]
    return "### Waiting for data\n\n" + grid(head, rows)


def _start(results) -> str:
    rows = []
    for name in CASES:
        for backend, found in results.get(name, {}).items():
            pairs = zip(found["first"], found["second"], strict=True)
            sooner = [100 * (1 - b["first_step"] / a["first_step"]) for a, b in pairs]
            times = [
                _spread([r["first_step"] for r in found[which]], _seconds)
                for which in ("first", "second")
            ]
            rows.append([name, NAMES[backend], *times, _spread(sooner, lambda v: f"{v:.0f}%")])
    head = ["model", "backend", "first start, s", "second start, s", "sooner by"]
    return "### From the command to the first step\n\n" + grid(head, rows)


def _scaling(results) -> str:
    rows = []
    for settings in results.values():
        for words, found in settings.items():
            rates = [_whole(found[b][RATE]) if found.get(b) else "" for b in NAMES]
            rows.append([words, *rates])
    head = ["A with", *NAMES.values()]
    return "### Growth: pictures a second, measured once\n\n" + grid(head, rows)
