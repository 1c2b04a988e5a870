"""Trained classifiers, found or trained: those that judge, and whose features are compared."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from zoo.config import recipe_files
from zoo.errors import ZooError
from zoo.plugin import loading
from zoo.plugin.dataset import Access, Data
from zoo.plugin.model import DataSpec
from zoo.runs import folders, locks, pretrained
from zoo.runs.manifest import Manifest
from zoo.runs.run import MANIFEST, Run
from zoo.runtime.processes import answer

DEFAULT = "classifier_mnist"
OWN = "judges"
"""The folder below that of all runs in which judges are trained: none is ever anybody's newest."""


class TrainedClassifier:
    """A trained classifier, and what tells it from all others.

    Attributes:
        name: its run, with the start of the SHA-256 of its weights and its test accuracy.
        model: the model, which can classify.
        sha256: of the file of its weights.
        facts: the same for results: ``judge``, ``judge_sha256`` and, where it was measured,
            ``judge_accuracy``.

    Raises:
        ZooError: the run is no classifier, or cannot be loaded.
    """

    def __init__(self, run: Run):
        from zoo.runs import artifact, results
        from zoo.runs.load import load

        self.model = load(run)
        if not self.model.can("classify"):
            raise ZooError(f"run {run.name} is no classifier: name one that zoo run {DEFAULT} made")
        title = folders.title(run)
        self.sha256 = sha256 = artifact.sha256(run, run.manifest)
        right = results.kept(run).get("accuracy")
        self.facts: dict[str, str | float] = {"judge": title, "judge_sha256": sha256}
        accuracy = "test accuracy not measured"
        if right:
            self.facts["judge_accuracy"] = right["value"]
            mark = "~" if right.get("shortened") else ""
            accuracy = f"test accuracy {mark}{right['value']:.2%}"
        self.name = f"{title} (weights {sha256[:8]}, {accuracy})"

    def __call__(self, x) -> np.ndarray:
        """Probabilities float32 ``(n, classes)`` of pictures, uint8 or float in [0, 1]."""
        return self.model.classify(x)


def loaded(classifier: str, spec: DataSpec) -> TrainedClassifier:
    """The classifier that a setting names, loaded, for such data; errors as of ``run_of``."""
    run = run_of(classifier, spec, Access(), None)
    return _loaded(run, (run.path / MANIFEST).stat().st_mtime_ns)


@functools.lru_cache(maxsize=1)  # the metrics of a run ask the same one
def _loaded(run: Run, written: int) -> TrainedClassifier:
    return TrainedClassifier(run)


def run_of(classifier: str, spec: DataSpec, access: Access, runs_folder: str | None) -> Run:
    """The run that a setting ``classifier`` means, trained now where there is none.

    A pretrained classifier is taken by its name, also where its recipe's data are not here.

    Args:
        classifier: a recipe's name or file, or the folder of a run or a pack.
        spec: what the classifier has to be for; with 0 classes, for any number of them.
        access: where its data may come from, and who is told that it is trained.
        runs_folder: folder for runs; None for the usual one.

    Raises:
        ZooError: it is for data of another shape, or cannot be had.
    """
    folder = Path(classifier).expanduser()
    if (folder / MANIFEST).is_file():
        run = Run(folder)
        its = run.manifest.data
        _check(run.name, its.name, DataSpec(tuple(its.shape), its.classes), spec)
        return run
    from zoo.config import recipe as recipes

    name = classifier.removeprefix("runs:")
    # First those of the zoo: a run may name them, and no file in the working folder stands in.
    path = recipe_files.shipped().get(name) or recipe_files.find(name)
    pack = pretrained.get(name) if name == classifier else None
    dataset = recipes.load(path).dataset
    try:
        data = loading.load(dataset, access)
    except ZooError:  # these data are not here; the pack is
        if pack is None:
            raise
        return run_of(str(pack.path), spec, access, runs_folder)
    _check(path.stem, data.name, data.spec, spec)
    if pack and "stand-in" not in data.name:  # a judge of digits does not know other ones
        return Run(pack.path)
    root = folders.root(runs_folder)

    def found() -> Run | None:
        places = (folders.newest_finished(path.stem, p, _is_of(data)) for p in (root, root / OWN))
        return next(filter(None, places), None)

    if judge := found():
        return judge
    # runs that are trained side by side are judged by one
    with locks.awaited(root / OWN, access.say, f"another training of {path.stem}"):
        if judge := found():
            return judge
        access.say(
            f"training {path.stem} first: the classifier that judges what is made, kept in "
            f"{root / OWN}"
        )
        return _trained(path, access, root / OWN)


def _is_of(data: Data) -> Callable[[Manifest], bool]:
    return lambda described: described.data.fingerprint == data.fingerprint


def _check(name: str, data: str, its: DataSpec, wanted: DataSpec) -> None:
    if its.shape != wanted.shape or wanted.classes not in (0, its.classes):
        raise ZooError(
            f"classifier {name} is for {data}, {_words(its)}, and needed is one for "
            f"{_words(wanted)}: name another as the setting classifier of the metric or its "
            'space, or train without such metrics: "metrics=[]"'
        )


def _words(spec: DataSpec) -> str:
    return f"{' x '.join(map(str, spec.shape))} in {spec.classes:,} classes"


def _trained(path: Path, access: Access, root: Path) -> Run:
    """Train a classifier, the same whatever the backend and device of what it is to judge."""
    args = ["run", str(path), "--device", "cpu", "--runs", str(root), "--full"]
    args += ["--data-dir", str(access.data_dir)] if access.data_dir else []
    args += ["--strict-data"] if access.strict else []
    failed = f"training the classifier {path.stem} failed"
    return Run(Path(answer(args, own_backend=True, failed=failed)["path"]))
