"""What the curves of a run, and what its model makes, say of a training: in plain words.

Each rule sees one thing that goes wrong, and says it with its number and the page that helps. The
thresholds were chosen on runs made to be ill, and judged on others: docs/how-to/diagnosis.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zoo.runs import curves, results
from zoo.runs.curves import Curve
from zoo.runs.manifest import Manifest
from zoo.runs.run import Run
from zoo.runs.signs import Signs, least_steps
from zoo.runtime.console import counted

PAGE = "docs/how-to/problems.md"

LEAST_EPOCHS = 5  # of a curve that is judged by its shape
LEAST_NORMS = 10  # gradient norms that are judged likewise
BURST = 100.0  # times what a gradient norm usually is
VANISHED = 0.01  # of the largest gradient norm of the first fifth
TOLD_APART = 0.98  # of pairs of a real and a made example
WON = 0.1  # loss of a discriminator; 2 ln 2 = 1.39 is that of a draw
COLLAPSED = 0.2  # of what training examples cover
DUPLICATES = 0.5  # of the samples
UNUSED = 0.02  # nats of a latent dimension
MOST_UNUSED = 0.75  # of the latent dimensions
RISE = 0.03  # of all that the loss of validation fell
GAIN = 0.03  # likewise, in the last fifth of the epochs


@dataclass(frozen=True)
class Finding:
    """What a rule saw.

    Attributes:
        name: of the rule, such as ``"mode_collapse"``.
        text: in words, with the number.
        page: that helps.
        ill: whether it is a fault of the training; else worth knowing.
    """

    name: str
    text: str
    page: str
    ill: bool = True

    def __str__(self) -> str:
        return f"{self.text} See {self.page}"


@dataclass(frozen=True)
class Diagnosis:
    """All that was seen.

    Attributes:
        findings: the gravest first.
        unseen: ``{rule: why it could not look}``.
        looked: how many rules could.
    """

    findings: list[Finding]
    unseen: dict[str, str]
    looked: int


@dataclass(frozen=True)
class Evidence:
    """What a run holds that rules look at.

    Attributes:
        epochs: every column of the table of epochs, with ``val_`` for validation.
        steps: every scalar of training that TensorBoard was told, by step.
        signs: what was seen of the model at the end; None where nobody looked.
        made: steps that were trained.
        failure: why the training was broken off, where it was.
    """

    epochs: Mapping[str, Curve]
    steps: Mapping[str, Curve] = field(default_factory=dict)
    signs: Signs | None = None
    made: int = 0
    failure: str = ""

    @property
    def adversarial(self) -> list[str]:
        """The players of a game; empty where there is one player."""
        players = curves.players(self.epochs)
        return players if len(players) > 1 else []

    def epoch(self, name: str) -> np.ndarray:
        """The values of one column, those that are numbers."""
        return np.array(curves.finite(self.epochs.get(name, Curve())).values)

    def norms(self, player: str) -> np.ndarray:
        """The norms of a player's gradients that TensorBoard was told, those that are numbers."""
        return np.array(curves.finite(self.steps.get(f"gradient_norm/{player}", Curve())).values)


def read(run: Run, signs: Signs | None = None) -> Evidence:
    """What the files of a run say.

    Args:
        run: the run or pack.
        signs: of its model, where somebody looked anew; by default those of ``results.json``.

    Raises:
        ZooError: a file of it is damaged.
    """
    manifest = run.manifest
    training, _ = curves.by_step(run)
    if signs is None and run.has_ended(manifest):
        signs = results.signs(run)
    table = curves.by_epoch(run)
    return Evidence(
        epochs=table,
        steps=training,
        signs=signs,
        made=_made(manifest, training, signs),
        failure=manifest.failure if manifest.status == "failed" else "",
    )


def _made(manifest: Manifest, training: Mapping[str, Curve], signs: Signs | None) -> int:
    """Steps that were trained: as was counted, else as the size of an epoch says."""
    if signs is not None and signs.steps:
        return signs.steps
    told = max((curve.at[-1] for curve in training.values() if curve.at), default=0)
    batch = manifest.dataset.settings.get("batch_size")
    if told or not isinstance(batch, int) or batch < 1:
        return told
    return manifest.epoch * -(-manifest.data.examples.get("train", 0) // batch)


def diagnose(evidence: Evidence) -> Diagnosis:
    """Have every rule look.

    A training that was too short for the others to mean anything is called that alone, unless its
    numbers leave what is finite.
    """
    findings, unseen = [], {}
    for name, rule in RULES.items():
        found = rule(evidence)
        if isinstance(found, Finding):
            findings.append(found)
        elif found:
            unseen[name] = found
        if name == "too_short" and isinstance(found, Finding):
            break
    findings.sort(key=lambda finding: not finding.ill)
    return Diagnosis(findings, unseen, len(RULES) - len(unseen))


def lines(found: Diagnosis) -> list[str]:
    """A diagnosis for people, a finding a line."""
    told = [str(finding) for finding in found.findings]
    if not told:
        told = [f"Nothing looks ill to {counted(found.looked, 'rule')}."]
    return told


# --- the rules; each returns what it saw, None, or why it could not look


def _broken_off(seen: Evidence) -> Finding | str | None:
    if not seen.failure or _not_finite(seen):  # of which the next rule tells
        return None
    return Finding(
        "broken_off", f"It was broken off: {seen.failure}", "docs/concepts/durability.md"
    )


def _nan_near(seen: Evidence) -> Finding | str | None:
    told = _not_finite(seen) or _runs_away(seen) or _bursts(seen)
    return Finding("nan_near", told, f"{PAGE}#unstable-training") if told else None


def _not_finite(seen: Evidence) -> str:
    """What was not finite, in words."""
    if "not finite" in seen.failure or "was skipped" in seen.failure:
        return f"It was broken off: {seen.failure}"
    if seen.signs is not None and not seen.signs.finite_samples:
        return "Samples hold numbers that are not finite."
    if skipped := int(seen.epoch("skipped").sum()):
        was = "was" if skipped == 1 else "were"
        return f"{counted(skipped, 'step')} {was} left out, for a term or gradient was not finite."
    for name, curve in {**seen.epochs, **seen.steps}.items():
        broken = sum(not math.isfinite(value) for value in curve.values)
        if broken and (name.endswith("loss") or name.startswith("gradient_norm")):
            return f"{name} was not finite {counted(broken, 'time')}."
    return ""


def _runs_away(seen: Evidence) -> str:
    """That a loss is worse than in the first epoch, after it had been better."""
    values = seen.epoch("loss")
    if seen.adversarial or len(values) < LEAST_EPOCHS:
        return ""
    best = float(values.min())
    fell, rose = float(values[0]) - best, float(values[-1]) - best
    if fell <= 0 or rose <= fell:
        return ""
    return (
        f"The loss runs away: it began with {values[0]:.4g}, was {best:.4g} at best and is "
        f"{values[-1]:.4g} now. The next step may be NaN."
    )


def _bursts(seen: Evidence) -> str:
    """That a gradient was far larger than it usually is."""
    for player in curves.players(seen.epochs):
        values = seen.norms(player)
        if len(values) < LEAST_NORMS:
            continue
        usual, largest = float(np.median(values)), float(values.max())
        if usual > 0 and largest > BURST * max(usual, float(values[0])):
            return (
                f"The gradient of {player} bursts: its norm was {largest:.3g} once, "
                f"{largest / usual:,.0f} times what it usually is. The next burst may be NaN."
            )
    return ""


def _too_short(seen: Evidence) -> Finding | str | None:
    if not seen.made:
        return "the number of steps is not known"
    least = least_steps(max(len(seen.adversarial), 1))
    if seen.made >= least:
        return None
    kind = "a GAN" if seen.adversarial else "a model"
    return Finding(
        "too_short",
        f"{counted(seen.made, 'step')}: {kind} of this size shows what it can after some "
        f"{least:,}. Too short to judge.",
        f"{PAGE}#slow-convergence",
        ill=False,
    )


def _vanishing_gradient(seen: Evidence) -> Finding | str | None:
    if not seen.adversarial:
        return "there is one player"
    norms = {p: seen.norms(p) for p in seen.adversarial if p not in _judges(seen)}
    if not any(map(len, norms.values())):
        return "no gradient norms are kept: callbacks.TensorBoard() writes them"
    known = {player: values for player, values in norms.items() if len(values) >= LEAST_NORMS}
    if not known:
        return f"too few gradient norms are kept: fewer than {LEAST_NORMS} are finite"
    for player, values in known.items():
        start, end = float(values[: len(values) // 5].max()), _end(values)
        if end < VANISHED * start:
            return Finding(
                "vanishing_gradient",
                f"The gradient of {player} vanished: its norm fell from {start:.2g} to {end:.2g}.",
                f"{PAGE}#vanishing-gradient",
            )
    return None


def _judges(seen: Evidence) -> set[str]:
    """Players that tell real from made, called as their networks are."""
    told = set(seen.signs.told_apart) if seen.signs else set()
    return told | {"discriminator", "critic"}


def _discriminator_wins(seen: Evidence) -> Finding | str | None:
    if seen.signs is None or not seen.signs.told_apart:
        return "no network tells real from made"
    for network, share in seen.signs.told_apart.items():
        loss = seen.epoch(f"{network}/loss")
        if len(loss) < LEAST_EPOCHS:
            continue
        if loss.min() < 0:  # a critic's loss has no zero: telling apart is what it is for
            continue
        end = _end(loss)
        if share > TOLD_APART and end < WON:
            return Finding(
                "discriminator_wins",
                f"{network} wins: it tells real from made in {share:.1%} of pairs (50% is a draw), "
                f"and its loss is {end:.2g}.",
                f"{PAGE}#discriminator-wins",
            )
    return None


def _mode_collapse(seen: Evidence) -> Finding | str | None:
    signs = seen.signs
    if not seen.adversarial:
        return "there is one player"
    if signs is None or signs.coverage is None or signs.duplicates is None:
        return "no samples were compared with examples"
    if isinstance(_discriminator_wins(seen), Finding):
        return "samples are not like the examples at all"
    real = signs.coverage_of_real or 1.0
    if signs.coverage < COLLAPSED * real and signs.duplicates > DUPLICATES:
        return Finding(
            "mode_collapse",
            f"Modes collapse: samples cover {signs.coverage:.0%} of held-out examples (as many "
            f"training examples cover {real:.0%}), and {signs.duplicates:.0%} of them are nearly "
            "the same as another one.",
            f"{PAGE}#mode-collapse",
        )
    return None


def _kl_collapse(seen: Evidence) -> Finding | str | None:
    if seen.signs is None or not seen.signs.kl:
        return "the model has no KL of each latent dimension"
    kl = np.array(seen.signs.kl)
    dead = int((kl < UNUSED).sum())
    if not dead:
        return None
    told = f"{dead} of {len(kl)} latent dimensions carry less than {UNUSED:g} nats each"
    page = f"{PAGE}#kl-collapse"
    if dead / len(kl) > MOST_UNUSED:
        text = f"The KL collapsed: {told}, so that the decoder hardly hears the code."
        return Finding("kl_collapse", text, page)
    return Finding("kl_collapse", f"{told}: fewer would do.", page, ill=False)


def _overfitting(seen: Evidence) -> Finding | str | None:
    train, held_out = seen.epoch("loss"), seen.epoch("val_loss")
    if seen.adversarial:
        return "losses of several players oppose each other"
    if len(held_out) < LEAST_EPOCHS or len(train) != len(held_out):
        return "no curve of validation"
    smooth, own = _smooth(held_out), _smooth(train)
    best = int(smooth.argmin())
    rise, fall = smooth[-1] - smooth[best], own[best] - own[-1]
    if best < len(smooth) - 1 and fall > 0 and rise > RISE * _range(smooth):
        return Finding(
            "overfitting",
            "It overfits: the loss of validation was best at epoch "
            f"{best + 1}, {smooth[best]:.4g}, and is {smooth[-1]:.4g} now (medians of three "
            "epochs), while that of training went on falling.",
            f"{PAGE}#overfitting",
        )
    return None


def _still_improving(seen: Evidence) -> Finding | str | None:
    if seen.adversarial:
        return "losses of several players oppose each other"
    name = "val_loss" if len(seen.epoch("val_loss")) >= LEAST_EPOCHS else "loss"
    values = seen.epoch(name)
    if len(values) < LEAST_EPOCHS:
        return f"fewer than {LEAST_EPOCHS} epochs"
    last = max(len(values) // 5, 2)
    smooth = _smooth(values)
    gain = smooth[-1 - last] - smooth[-1]
    noise = float(np.abs(np.diff(values[-2 * last :])).mean()) / math.sqrt(2)
    if gain > GAIN * _range(smooth) and gain > noise:
        share = gain / _range(smooth)
        what = "validation" if name == "val_loss" else "training"
        return Finding(
            "still_improving",
            f"It was still improving: of all that the loss of {what} fell, {share:.0%} was in the "
            f"last {last} of {len(values)} epochs.",
            f"{PAGE}#slow-convergence",
        )
    return None


RULES: dict[str, Callable[[Evidence], Finding | str | None]] = {
    "broken_off": _broken_off,
    "nan_near": _nan_near,
    "too_short": _too_short,
    "vanishing_gradient": _vanishing_gradient,
    "discriminator_wins": _discriminator_wins,
    "mode_collapse": _mode_collapse,
    "kl_collapse": _kl_collapse,
    "overfitting": _overfitting,
    "still_improving": _still_improving,
}
"""The gravest first: one that explains others comes before them."""


def _end(values: Sequence[float] | np.ndarray) -> float:
    """The median of the last fifth."""
    return float(np.median(values[-max(len(values) // 5, 1) :]))


def _smooth(values: np.ndarray) -> np.ndarray:
    """Medians of three neighbours: one epoch that strays decides nothing."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    return np.median([padded[:-2], padded[1:-1], padded[2:]], axis=0)


def _range(values: np.ndarray) -> float:
    """How far a curve fell from its start to its best."""
    return max(float(values[0] - values.min()), 1e-12)
