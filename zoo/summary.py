"""The last lines of a run: its numbers, where things are, what to type next."""

from __future__ import annotations

from zoo import runs
from zoo.runs import Run


def finished(run: Run) -> str:
    """What came of a finished run, in lines."""
    results = run.read_json("results.json")
    lines = [
        f"trained on {results['data']}, {_epochs(results['epochs'])} in {results['seconds']:.0f} s"
    ]
    for name, measured in results["metrics"].items():
        value = f"{measured['value']:.2f} {measured['unit']}".strip()
        lines.append(f"  test {name}  {value}  ({measured['protocol']})")
    terms = "  ".join(f"{name} {value:.4g}" for name, value in results["test"].items())
    lines.append(f"  test losses  {terms}")
    lines += [f"  {run.path / picture}" for picture in results["pictures"]]
    return "\n".join([*lines, *_next(run)])


def interrupted(run: Run) -> str:
    """What is left of an interrupted run, in lines."""
    if not run.weights.exists():
        return f"interrupted before any weights were kept; what there is: {run.path}"
    epochs = run.manifest.get("epoch", 0)
    return "\n".join([f"interrupted after {_epochs(epochs)}; weights kept", *_next(run)])


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"


def _next(run: Run) -> list[str]:
    manifest = run.manifest
    found_by_id = run.path.absolute().parents[1] == runs.root().absolute()
    name = run.id if found_by_id else str(run.path)
    registered = manifest["model"]["name"] and not manifest["networks"]
    recipe = "" if registered else f" --recipe {run.recipe}"
    return [
        f"run {run.name}  ({run.path})",
        f"next: zoo sample {name}{recipe}, or zoo show {name}",
    ]
