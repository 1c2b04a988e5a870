"""What a trained model can show, as numbers and as a picture of them.

Callbacks show it of the validation examples, commands of the test examples. Each function
takes a ``GenerativeModel``, and those on the latent space raise ``Unable`` where it has none to
show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.datasets import Split
from zoo.errors import ZooError, unknown
from zoo.plugin.views import ROWS, find
from zoo.random import host_permutation
from zoo.reports import latents, pictures, restoration
from zoo.reports.latents import Unable

MOST_COLUMNS = 20  # classes that can stand side by side


@dataclass(frozen=True)
class Shown:
    """What a model made.

    Attributes:
        numbers: float32; examples ``(..., *data.shape)``, or codes ``(n, d)``.
        image: the picture of it, uint8 ``(height, width, 3)``; None where such examples
            cannot be drawn.
        plain: the same without text and not enlarged, for a terminal; None where it is no grid.
    """

    numbers: np.ndarray
    image: np.ndarray | None
    plain: np.ndarray | None = None


def samples(
    model: Any, n: int, *, seed: int = 0, label: int | None = None, reference: Any = None
) -> Shown:
    """Draws from the model; of a conditional one, each class in a column of its own.

    Args:
        model: one that can sample.
        n: how many.
        seed: of the noise.
        label: of all of them, for a conditional model; None for its classes in turn.
        reference: what points in the plane should look like, float ``(m, 2)``, or None.

    Raises:
        ZooError: the model cannot sample or there is no such class; or it is not conditional,
            and a label is given.
    """
    if label is not None and not model.plugin.conditional:
        raise ZooError(f"{model.where} is not conditional: it cannot draw samples of one label")
    labels = None if label is None else np.full(n, label)
    numbers = model.sample(n, seed=seed, labels=labels)
    if numbers.shape[1:] == (2,):
        return Shown(numbers, pictures.scatter(numbers, reference))
    if not pictures.is_picture(numbers.shape[1:]):
        return Shown(numbers, None)
    return _grid(model, numbers, in_turn=label is None)


def label_of(model: Any, text: str) -> int:
    """The label that a class's number or name stands for.

    Raises:
        ZooError: the text is neither a number nor the name of a class.
    """
    if text in model.class_names:
        return model.class_names.index(text)
    try:
        return int(text)
    except ValueError:
        raise unknown("class", text, model.class_names or ("its number",)) from None


def _grid(model, numbers, in_turn):
    """Pictures in rows and columns; a column for each class where they come in turn."""
    in_turn = in_turn and model.plugin.conditional and model.data.classes <= MOST_COLUMNS
    if not in_turn:
        return Shown(numbers, pictures.grid(numbers), pictures.grid(numbers, scale=1))
    names = pictures.class_names(range(model.data.classes), model.class_names)
    image = pictures.framed(pictures.grid(numbers, columns=len(names)), columns=names)
    return Shown(numbers, image, pictures.grid(numbers, len(names), scale=1))


def own(model: Any, name: str, split: Split, n: int = ROWS, *, seed: int = 0) -> Shown:
    """A view of the model's own: pictures beside what they are made of, or points over them.

    Args:
        model: one with views.
        name: of the view.
        split: the examples; a view of noise or of nothing needs none.
        n: examples or rows of noise, as far as there are so many.
        seed: of the noise.

    Returns:
        What is shown; of several columns, the numbers are those of the last.

    Raises:
        Unable: there are no examples to show it of.
        ZooError: there is no such view.
    """
    view, some = find(model.plugin, name), split.some(n)
    inputs, groups, labels = view.inputs, {}, None
    if view.of_examples:
        if not len(split):
            raise Unable(f"there are no examples to show {name!r} of")
        groups = some.sources(model.data) if inputs == "batch" else {"input": some.x}
        n = min(map(len, groups.values()))  # of an unpaired source there may be fewer
        groups = {source: x[:n] for source, x in groups.items()}
        labels = None if some.y is None else some.y[:n]
        of = groups if inputs == "batch" else some.x
        made = model.view(name, of, seed=seed, labels=labels)
    else:
        made = model.view(name, n=n, seed=seed)
    made = made if isinstance(made, Mapping) else {name: made}
    last = list(made.values())[-1]
    if last.ndim == 2:
        return Shown(last, _points(model, made, some, labels))
    groups = {key: x for key, x in groups.items() if pictures.is_picture(x.shape[1:])}
    groups |= {f"{key} (made)" if key in groups else key: x for key, x in made.items()}
    if len(groups) > 1:
        alike = pictures.alike(groups)
        return Shown(last, pictures.compare(alike), pictures.compare(alike, plain=True))
    return _grid(model, last, in_turn=inputs == "noise")


def _points(model, made, first, labels):
    """Points of a view: over the data where these are points too, else coloured by label."""
    last = list(made.values())[-1]
    if len(made) > 1:
        return pictures.scatter(last, next(iter(made.values())))
    if model.data.shape == (2,):
        return pictures.scatter(last, first.x if len(first) else None)
    return pictures.by_label(last, labels, names=model.class_names)


def reconstructions(model: Any, split: Split) -> Shown:
    """Examples above what the model makes of them.

    Raises:
        Unable: there are no examples.
        ZooError: the model cannot reconstruct.
    """
    if not len(split):
        raise Unable("there are no examples to reconstruct")
    again = model.reconstruct(split.x, labels=split.y)
    return compared({"original": split.x, "reconstruction": again})


def denoised(model: Any, split: Split, sigma: float) -> tuple[Shown, float, float]:
    """What the model reconstructs from noisy examples.

    Args:
        model: one that can reconstruct.
        split: the examples.
        sigma: standard deviation of the noise, black being 0 and white 1.

    Returns:
        The view, and the mean squared error of the noisy examples and of what is
        reconstructed from them.
    """
    noisy = restoration.noisy(split.x, sigma)
    again = model.reconstruct(noisy, labels=split.y)
    view = compared({"original": split.x, "noisy": noisy, "reconstruction": again})
    return view, _squared_error(noisy, split.x), _squared_error(again, split.x)


def completed(model: Any, split: Split, what: str) -> tuple[Shown, float, float]:
    """What the model puts into the hidden part of pictures, by ``restoration.completed``.

    Args:
        model: one that can reconstruct.
        split: pictures.
        what: is hidden, as in ``restoration.mask``.

    Returns:
        The view, and the mean squared error of the hidden pixels before, as grey, and after.

    Raises:
        ZooError: the examples are no pictures, or there is no such mask.
    """
    if not pictures.is_picture(split.x.shape[1:]):
        raise ZooError("only pictures can be hidden in part")
    hidden = restoration.mask(split.x.shape, what)
    grey = restoration.covered(split.x, hidden)
    whole = restoration.completed(model, split.x, hidden, split.y)
    view = compared({"original": split.x, "masked": grey, "completed": whole})
    return view, _squared_error(grey, split.x, hidden), _squared_error(whole, split.x, hidden)


def _squared_error(made, x, where=True) -> float:
    """The mean over all numbers, or over those where a mask is true."""
    error = np.square(made - restoration.unit(x), dtype="float64")
    return float(error.mean(where=where))


def compared(groups: Mapping[str, np.ndarray]) -> Shown:
    """The same examples in several states, the last of which is what counts as made.

    Args:
        groups: ``{name: examples}``, all of one shape.
    """
    first, last = next(iter(groups.values())), list(groups.values())[-1]
    if last.shape[1:] == (2,):
        return Shown(last, pictures.scatter(last, first))
    if not pictures.is_picture(last.shape[1:]):
        return Shown(last, None)
    return Shown(last, pictures.compare(groups), pictures.compare(groups, plain=True))


def manifold(model: Any, split: Split, side: int = 20) -> Shown:
    """The plane of a 2-D latent, decoded at the quantiles of a normal distribution.

    Kingma & Welling 2014, figure 4; of a conditional model, the plane of label 0.

    Args:
        model: one that can decode.
        split: examples, which a model without a prior encodes to see where its codes lie.
        side: pictures in a row and in a column.

    Raises:
        Unable: the model cannot decode, or its latent has not 2 dimensions.
    """
    latents.plane(latents.codes(model, split, 1), side)  # refused before much is encoded
    found = latents.codes(model, split)
    z, quantiles = latents.plane(found, side)
    labels = np.zeros(z.shape[:2], "int32") if found.conditional else None
    numbers = _decoded(model, z, labels)
    names = [f"{value:.2f}" for value in quantiles]
    image = _table(numbers, names[::-1], names, padding=0)
    text = ["z0 to the right, z1 up, at normal quantiles", found.unit]
    [label] = pictures.class_names([0], model.class_names)
    text += [f"label {label}"] if found.conditional else []
    return _captioned(numbers, image, ", ".join(filter(None, text)))


def codes(
    model: Any, split: Split, labels: np.ndarray | None = None, class_names: Sequence[str] = ()
) -> Shown:
    """Where the codes of all these examples lie, coloured by label.

    Of a latent of more than 2 dimensions, the first two principal components are drawn.

    Args:
        model: one that can encode.
        split: the examples.
        labels: of classes that are not the model's, ``(n,)``; None for those of the split.
        class_names: of ``labels`` in order.

    Raises:
        Unable: there are no examples.
        ZooError: the model cannot encode.
    """
    if not len(split):
        raise Unable("there are no examples to encode")
    z = model.encode(split.x, labels=split.y)
    if labels is None:
        labels, class_names = split.y, model.class_names
    return Shown(z, of_codes(z, labels, class_names))


def of_codes(z: np.ndarray, labels: np.ndarray | None, names: Sequence[str] = ()) -> np.ndarray:
    """An image of where codes ``(n, d)`` lie; as ``codes``."""
    n, size = z.shape
    axes, text = ("z0", "z1"), f"the codes of {n:,} examples"
    if size == 1:
        points, axes = np.stack([z[:, 0], np.zeros(n)], axis=1), ("z0", "")
    elif size == 2:
        points = z
    else:
        points, share = latents.principal(z)
        axes = ("component 1", "component 2")
        text += f": the first two principal components\nof {size} dimensions, "
        text += f"{share:.0%} of the variance"
    return pictures.caption(pictures.by_label(points, labels, axes, names=names), text)


def posterior(model: Any, split: Split, most: int = 16) -> Shown:
    """The aggregate posterior of these examples beside the prior, a dimension at a time.

    A blue line is the histogram of one draw from q(z|x) for each example, grey that of as many
    draws from the prior; see ``metrics.AggregatePosterior``.

    Args:
        model: one with a posterior.
        split: the examples.
        most: dimensions, those in which the posterior's mean varies most.

    Raises:
        Unable: there are no examples, or the model has no prior.
        ZooError: the model has no posterior.
    """
    if not len(split):
        raise Unable("there are no examples to encode")
    if not model.can("latent"):
        raise Unable(f"{model.where} has no prior to compare codes with")
    found = model.posterior(split.x, labels=split.y)
    labels = split.y if model.plugin.conditional else None
    prior = model.draw(len(split), labels=labels, fitted=False)
    variances = found["mean"].var(axis=0)
    shown = np.sort(np.argsort(-variances, kind="stable")[:most])
    names = [f"z{i}" for i in shown]
    image = pictures.histograms(found["draw"][:, shown], prior[:, shown], names)
    text = f"blue: codes of {len(split):,} examples, grey: the prior"
    if len(shown) < len(variances):
        text += f"\nthe {len(shown)} of {len(variances)} dimensions that vary most"
    return Shown(found["draw"], pictures.caption(image, text))


def traversals(
    model: Any,
    split: Split,
    dimensions: Sequence[int] | None = None,
    *,
    most: int = 10,
    index: int = 0,
    steps: int = 13,
) -> Shown:
    """One code, with one of its dimensions at values from -3 to 3 in each row.

    Args:
        model: one that can decode.
        split: the examples.
        dimensions: which ones; by default those that say most of an example, the first most: by
            their KL, which stands beside them, else by the variance of the codes.
        most: how many those are.
        index: of the example whose code it is, or of the draw, in a model that does not
            encode.
        steps: values in a row, at least 2.

    Raises:
        Unable: the model cannot decode.
        ZooError: there is no such dimension or example.
    """
    found = latents.codes(model, split, max(1000, index + 1))
    if not 0 <= index < len(found.z):
        raise ZooError(f"there is no example {index}: they are 0 to {len(found.z) - 1:,}")
    of_data = found.x is not None
    kl = latents.kl(model, found) if of_data else None
    if dimensions is None:
        dimensions = latents.by_say(found, kl, of_data)[:most]
    for i in dimensions:
        if not 0 <= i < found.size:
            raise ZooError(
                f"{model.where} has {found.size} latent dimensions, 0 to {found.size - 1}, "
                f"and none is {i}"
            )
    values = np.linspace(-latents.REACH, latents.REACH, steps)
    z = latents.traversal(found.z[index], found, dimensions, values)
    label = None if found.labels is None else found.labels[index]
    labels = np.full(z.shape[:2], label) if found.conditional else None
    names = [f"z{i}" if kl is None else f"z{i}  {kl[i]:.2f} nats" for i in dimensions]
    what = "draw" if found.x is None else "example"
    text = [f"around the code of {what} {index}, one dimension a row", found.unit]
    numbers = _decoded(model, z, labels)
    image = _table(numbers, names, [f"{value:.3g}" for value in values])
    return _captioned(numbers, image, ", ".join(filter(None, text)))


def interpolations(
    model: Any, split: Split, n: int = 8, *, steps: int = 9, seed: int | None = 0
) -> Shown:
    """From one code to another, a pair in each row, decoded.

    In a straight line between the codes of two examples, which stand at both ends; on a great
    circle between two draws of noise in a model that does not encode. In a conditional model,
    both have the same label.

    Args:
        model: one that can decode.
        split: the examples.
        n: how many pairs, as far as there are so many examples.
        steps: codes in a row, both ends included, at least 2.
        seed: of the choice of examples, or of the noise, which is that of ``samples``; None for
            neighbours in the order of the examples.

    Raises:
        Unable: the model cannot decode, or there are not two examples (of one label).
    """
    if model.can("encode") and seed is not None:
        split = split.take(host_permutation(seed, len(split), "interpolate")[:1000])
    found = latents.codes(model, split, max(1000, 2 * n), seed or 0)
    of_label = found.labels if found.conditional else None
    chosen = latents.pairs(np.arange(len(found.z)), n, of_label)
    if not len(chosen):
        raise Unable("there are no two examples to go between")
    start, end = chosen.T
    shares = np.linspace(0, 1, steps)
    way = latents.spherical if found.x is None else latents.linear
    z = way(found.z[start], found.z[end], shares)
    labels = None if of_label is None else np.repeat(of_label[start][:, None], steps, axis=1)
    numbers = _decoded(model, z, labels)
    names = [f"{share:.2f}" for share in shares]
    if not pictures.is_picture(numbers.shape[2:]):
        return Shown(numbers, None)
    scale = pictures.enlarged(numbers.shape[2:4], steps + (0 if found.x is None else 2))
    middle = _table(numbers, [], names, scale=scale)
    if found.x is None:
        return _captioned(numbers, middle, "spherical, between two draws of noise a row")
    first, last = (
        _table(restoration.unit(found.x[rows])[:, None], [], [name], scale=scale)
        for rows, name in ((start, "from"), (end, "to"))
    )
    image = pictures.beside(first, middle, last)
    return _captioned(numbers, image, "linear, between the codes of the examples at both ends")


def walk(
    model: Any, split: Split, n: int, *, stops: int = 4, steps: int = 12, seed: int = 0
) -> np.ndarray:
    """Loops through the latent space, decoded: from code to code, and back to the first.

    On great circles between draws of noise; in straight lines between codes of examples in a
    model without a prior. In a conditional model, each loop keeps its label.

    Args:
        model: one that can decode.
        split: examples; a model with a prior needs none.
        n: loops side by side.
        stops: codes that a loop comes by.
        steps: from one stop to the next.
        seed: of the noise.

    Returns:
        What the codes decode to, float32 ``(stops * steps, n, ...)``.

    Raises:
        Unable: the model cannot decode, or there are too few examples.
    """
    found = latents.codes(model, split, max(1000, n * stops), seed)
    labels, rows = None, np.arange(len(found.z))
    if found.conditional and found.labels is not None:
        classes = np.unique(found.labels)
        labels = classes[np.arange(n) % len(classes)]
        rows = np.concatenate(
            [
                np.resize(rows[found.labels == label], stops * n).reshape(n, stops)[i]
                for i, label in enumerate(labels)
            ]
        )
    if len(rows) < n * stops:
        raise Unable(f"there are {len(rows)} examples to go between, and {n * stops} are needed")
    at = found.z[rows[: n * stops].reshape(n, stops)]
    way = latents.spherical if found.x is None else latents.linear
    shares = np.arange(steps) / steps
    parts = [way(at[:, i], at[:, (i + 1) % stops], shares) for i in range(stops)]
    z = np.concatenate(parts, axis=1).swapaxes(0, 1)
    own = None if labels is None else np.tile(labels, (len(z), 1))
    return _decoded(model, np.ascontiguousarray(z), own)


def _decoded(model, z, labels):
    """Examples ``(rows, columns, ...)`` of codes ``(rows, columns, d)``."""
    flat = None if labels is None else labels.reshape(-1)
    numbers = model.decode(z.reshape(-1, z.shape[-1]), labels=flat)
    return numbers.reshape(*z.shape[:2], *numbers.shape[1:])


def _table(numbers, rows, columns, padding=1, scale=None):
    """Examples ``(rows, columns, ...)`` under names; None where they cannot be drawn."""
    if not pictures.is_picture(numbers.shape[2:]):
        return None
    cells = numbers.reshape(-1, *numbers.shape[2:])
    image = pictures.grid(cells, numbers.shape[1], padding, scale)
    return pictures.framed(image, rows, columns)


def _captioned(numbers, image, text):
    """Numbers ``(rows, columns, ...)`` and their picture, if there is one, with a caption."""
    if image is None:
        return Shown(numbers, None)
    cells = numbers.reshape(-1, *numbers.shape[2:])
    return Shown(
        numbers, pictures.caption(image, text), pictures.grid(cells, numbers.shape[1], scale=1)
    )
