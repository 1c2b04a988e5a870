"""Results of the benchmark on a GPU as tables in Markdown."""

from __future__ import annotations

from statistics import median

from benchmarks.cases import CASES
from benchmarks.running import Job
from benchmarks.setting import PRECISIONS
from benchmarks.table import NAMES, RATE, grid, machine_of

BEGIN = "<!-- measured: python -m benchmarks --gpu -->"

_PRECISIONS = {"float32": "float32", "bfloat16": "bfloat16", "tf32": "TF32"}

_CAPTION = """\
Pictures per second, each measured once, one process after the other. "Chunks" are several steps in
a call; "one step" is a chunk of one step. The share of peak is that of the zoo with chunks. It
divides the operations per second of training by those of a large matrix product, measured in the
same process, backend and precision. Operations are the multiplications and additions of dense
layers and convolutions, forward and backward, counted from the networks. float32 is without TF32.
bfloat16 is Keras's policy `mixed_bfloat16`, and `torch.autocast` by hand on PyTorch."""


def key(job: Job) -> str:
    """A measurement's name in the results."""
    assert job.setting
    steps = "chunks" if job.setting.chunks else "one step"
    who = f"zoo {steps}" if job.variant == "zoo" else job.variant
    return f"{job.case} {job.backend} {job.setting.precision} {who}"


def share(told: dict) -> float:
    """Of the speed of a matrix product, how much a process reached in training."""
    return told["flops_per_picture"] * told[RATE] / told["product"]


def rendered(results: dict) -> str:
    """The tables, or how to come by them."""
    if not results:
        return (
            "It has not been run on a GPU yet. Where there is one, this command measures for ten "
            "minutes and writes its tables here:\n\n"
            "```sh\npython -m benchmarks --gpu\n```\n"
        )
    parts = [_machine(results["machine"])]
    if results["measured"]:
        parts += [_CAPTION, _training(results), _products(results["measured"])]
    parts.append(_left(results["left"]))
    return "\n\n".join(filter(None, parts)) + "\n"


def _machine(machine) -> str:
    tiny = " Tiny networks: only to see that all of it runs." if machine["tiny"] else ""
    where = machine.get("card") or f"On the {machine['device'].upper()}"
    return f"{where}; {machine_of(machine)}{tiny}"


def _training(results) -> str:
    rows = []
    for name, case in CASES.items():
        for backend in NAMES:
            for precision in PRECISIONS:
                start = f"{name} {backend} {precision}"
                whole, hand, one = (
                    results["measured"].get(f"{start} {rest}")
                    for rest in ("zoo chunks", "hand", "zoo one step")
                )
                if whole or hand or one:
                    titles = [f"{name}: {case.title}", NAMES[backend], _PRECISIONS[precision]]
                    rows.append([*titles, *_compared(whole, hand, one)])
    head = ["model", "backend", "precision", "zoo, chunks", "zoo, one step", "by hand"]
    return grid([*head, "zoo / by hand", "chunks / one step", "share of peak"], rows)


def _compared(whole, hand, one) -> list[str]:
    def ratio(other):
        return f"{whole[RATE] / other[RATE]:.2f}" if whole and other else ""

    rates = [f"{told[RATE]:,.0f}" if told else "" for told in (whole, one, hand)]
    part = f"{100 * share(whole):.2g}%" if whole else ""
    return [*rates, ratio(hand), ratio(one), part]


def _products(measured) -> str:
    rows = []
    for backend in NAMES:
        found = [
            [told["product"] for k, told in measured.items() if k.split()[1:3] == [backend, p]]
            for p in PRECISIONS
        ]
        if any(found):
            rows.append([NAMES[backend], *(f"{median(f) / 1e12:.3g}" if f else "" for f in found)])
    title = "A large matrix product, in TFLOP/s (median of the processes):\n\n"
    return title + grid(["backend", *(_PRECISIONS[p] for p in PRECISIONS)], rows)


def _left(left) -> str:
    lines = [f"- {name}: {why}" for name, why in left.items()]
    return "\n".join(["Not measured:", "", *lines]) if lines else ""
