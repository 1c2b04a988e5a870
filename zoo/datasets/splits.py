"""Held out by a rule: the same rows every time, each class in proportion."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from zoo.errors import ZooError
from zoo.plugin.dataset import Split
from zoo.plugin.lazy import take
from zoo.random import host_permutation
from zoo.runtime.console import counted


def hold_out(
    n: int, validation: int, test: int, y: np.ndarray | None, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows for train, validation and test, each in ascending order.

    Args:
        n: how many there are.
        validation: how many of them are for validation.
        test: how many for test.
        y: their labels, ``(n,)``, of which each split gets its share; or None.
        name: of the dataset, so that two of one size are split apart.
    """
    shuffled = host_permutation(0, n, name, "split")
    by_class = shuffled if y is None else shuffled[np.argsort(y[shuffled], kind="stable")]
    # Rows evenly spaced along the classes hold each class in proportion.
    held_out = by_class[_evenly(validation + test, n)]
    for_test = held_out[_evenly(test, len(held_out))]
    rest = np.setdiff1d(held_out, for_test)
    return np.setdiff1d(by_class, held_out), rest, np.sort(for_test)


def _evenly(count: int, n: int) -> np.ndarray:
    """``count`` numbers of 0 to n - 1, evenly spaced."""
    return (np.arange(count) * n + n // 2) // max(count, 1)


def parted(
    given: Mapping[str, Split], validation: float, test: float, name: str
) -> tuple[Split, Split, Split]:
    """Train, validation and test: those given, and the others held out of the training ones.

    Of an unpaired source, the same shares are held out.

    Args:
        given: ``{"train": split}``, perhaps with ``"validation"`` and ``"test"``.
        validation: share of the training examples, in [0, 1), where it is not given. With 0 that
            split is empty.
        test: likewise.
        name: of the dataset.

    Raises:
        ZooError: a share above 0 has no example, or none is left for training.
    """
    whole = given["train"]
    counts = {
        part: 0 if part in given else round(share * len(whole))
        for part, share in (("validation", validation), ("test", test))
    }
    shares = {"validation": validation, "test": test}
    empty = [p for p, count in counts.items() if p not in given and count == 0 < shares[p]]
    if empty or sum(counts.values()) >= len(whole):
        raise ZooError(
            f"{name}: {counted(len(whole), 'training example')} cannot be split with validation="
            f"{validation:g} and test={test:g} of them: each split needs an example. "
            "validation=0 and test=0 train on all of them"
        )
    rows = hold_out(len(whole), counts["validation"], counts["test"], whole.y, "split")
    held = dict(zip(("train", "validation", "test"), rows, strict=True))
    found = {part: whole.take(own) for part, own in held.items()}
    for source, array in whole.unpaired.items():
        n = len(array)
        sizes = {part: 0 if part in given else round(shares[part] * n) for part in shares}
        rows = hold_out(n, sizes["validation"], sizes["test"], None, f"split {source}")
        for part, own in zip(held, rows, strict=True):
            unpaired = {**found[part].unpaired, source: take(array, own)}
            found[part] = dataclasses.replace(found[part], unpaired=unpaired)
    found |= {part: split for part, split in given.items() if part != "train"}
    return found["train"], found["validation"], found["test"]
