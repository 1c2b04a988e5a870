"""A recipe made ready: its data loaded, its model built, every name checked."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass

import keras

from zoo.callbacks import Callback
from zoo.config.recipe import Recipe
from zoo.datasets import Access, Batches, Data, Split, pipeline
from zoo.datasets.pipeline import binarize_once
from zoo.engine import distributed
from zoo.engine.checks import check_abilities
from zoo.engine.distributed import reduction
from zoo.engine.model import GenerativeModel, build
from zoo.errors import ZooError
from zoo.metrics import evaluate
from zoo.plugin import loading, sizes
from zoo.runtime.keras import copy_of, pinned, precision

ADAPTED = 1000  # training examples that a model is given for statistics

SHOWN = 1000  # training examples in pictures, where there are none for validation


@dataclass
class Experiment:
    """A recipe with its data loaded and its model built and compiled.

    Attributes:
        recipe: the recipe.
        data: its data.
        evaluated: the same, with validation and test binarized once where the dataset binarizes.
        model: compiled, untrained.
        batches: the training batches of an epoch, each of all repeats of a step.
    """

    recipe: Recipe
    data: Data
    evaluated: Data
    model: GenerativeModel
    batches: Batches

    @property
    def validation(self) -> Split:
        """Validation examples, as evaluated."""
        return self.evaluated.validation

    @property
    def test(self) -> Split:
        """Test examples, as evaluated."""
        return self.evaluated.test

    @property
    def shown(self) -> Split:
        """What pictures are of: validation examples, or training examples where there are none."""
        if len(self.validation):
            return self.validation
        some = self.batches.split.some(SHOWN)
        if not self.batches.binarize:
            return some
        return dataclasses.replace(some, x=binarize_once(some.x, self.recipe.seed, "train"))


@pinned()
def prepare(recipe: Recipe, access: Access | None = None, on_nan: str = "stop") -> Experiment:
    """Load the data, build the model, check every name: all but train.

    Args:
        recipe: the experiment.
        access: where data may come from.
        on_nan: as in ``train``.

    Raises:
        ZooError: whatever is wrong with the recipe or its data.
    """
    # For what Keras draws itself, such as weights of layers that name no initializer: its
    # own seeds come from here. keras.utils.set_random_seed would import TensorFlow.
    random.seed(recipe.seed)
    with distributed.first_alone():  # who may have to download them
        data = loading.load(recipe.dataset, access or Access())
    data.check()
    with precision(recipe.precision):
        model = build(
            recipe.model,
            data.spec,
            weights=recipe.weights,
            networks=recipe.networks,
            seed=recipe.seed,
        )
    rows = min(recipe.dataset.batch_size * model.repeats, len(data.train))
    networks = [network for _, network in model.networks.items()]
    sizes.check_batch(networks, data.spec.shapes.values(), rows)
    model.of_run, model.class_names = True, tuple(getattr(data, "class_names", None) or ())
    check_abilities(model)
    model.compile(
        optimizers=_fresh(recipe.optimizers), ema=recipe.ema, skip_nonfinite=on_nan == "skip"
    )
    if recipe.sampler and not (model.can("encode") and model.can("decode")):
        raise ZooError(
            f"recipe.sampler needs a model that can encode and decode, and {model.where} cannot"
        )
    if recipe.sampler and len(data.train) < recipe.sampler.fewest:
        raise ZooError(
            f"recipe.sampler, {recipe.sampler}, needs {recipe.sampler.fewest} training examples, "
            f"and {data.name} has {len(data.train)}: sampler.components=1 needs two, and "
            "sampler=None leaves it out"
        )
    binarize = getattr(recipe.dataset, "binarize", None)
    evaluated = pipeline.as_evaluated(data, binarize, recipe.seed)
    for callback in recipe.callbacks:
        if isinstance(callback, Callback):
            callback.check(model, evaluated)
    evaluate.refuse_unmeasurable(
        recipe.metrics, model, evaluated, sampler=recipe.sampler is not None
    )
    train = data.train
    if binarize == "fixed":
        train = dataclasses.replace(train, x=binarize_once(train.x, recipe.seed, "train"))
    if model.can("adapt"):
        some = min(ADAPTED, len(train))
        first = Batches(train, some, seed=recipe.seed, shuffle=True, binarize=binarize == "dynamic")
        model.adapt(*first[0])
    batches = Batches(
        train,
        recipe.dataset.batch_size,
        seed=recipe.seed,
        shuffle=True,
        binarize=binarize == "dynamic",
        repeats=model.repeats,
        augment=recipe.augment,
    )
    if distributed.team is not None:
        if distributed.batch_norm != "per-device":
            reduction.synchronize(model)
        batches.place = distributed.team.rank.number, distributed.team.rank.of
    return Experiment(recipe, data, evaluated, model, batches)


def averaging(recipe: Recipe) -> list[keras.callbacks.Callback]:
    """The callback by which a moving average of the weights is validated and kept, if any is."""
    return [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if recipe.ema else []


def _fresh(optimizers):
    """Copies, so that training a recipe twice starts twice from the beginning."""
    return {
        player: copy_of(optimizer)
        if isinstance(optimizer, keras.optimizers.Optimizer)
        else optimizer
        for player, optimizer in optimizers.items()
    }


def prepared_metrics(experiment: Experiment, access: Access | None, runs_folder: str | None):
    """The recipe's metrics, with what they need beside the model.

    Its callbacks get theirs too, in the first process.
    """
    given = experiment.evaluated, access or Access(), runs_folder
    with distributed.first_alone():  # who may have to download it
        for callback in experiment.recipe.callbacks:
            if isinstance(callback, Callback) and distributed.is_first():
                callback.prepare(*given)
        return [metric.prepare(*given) for metric in experiment.recipe.metrics]
