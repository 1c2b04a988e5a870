"""What the author of a model needs: ``Model``, ``Move``, ``Batch`` and ``DataSpec``."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.errors import ZooError, nearest
from zoo.plugin import limits
from zoo.plugin.checked import Checked

_TAKEN = ("x", "labels", "label", "sources", "rows", "of", "size")  # names that no source may have

if TYPE_CHECKING:
    from zoo.plugin.views import View


@dataclass(frozen=True)
class DataSpec:
    """What a model knows of the data when its networks are built: shapes and classes.

    Attributes:
        shape: shape of one example, channels last: ``(28, 28, 1)`` for pictures,
            ``(2,)`` for points. Of data with named sources, that of the first; leave it out.
        classes: number of label classes, labels being integers from 0; 0 when
            the data has no labels.
        sources: ``{name: shape of one example}`` for data with several sources, such as
            ``{"photo": (32, 32, 3), "sketch": (32, 32, 1)}``. The first is also ``batch.x``,
            which abilities, pictures and metrics work on. Empty for data with one source.
        unpaired: names of the sources that have a size and an order of their own. Row i of
            any other source belongs to row i of the first.
        missing_labels: whether a label may be -1, for an example without one.

    Raises:
        ZooError: a name that no source can have, two shapes of the first source, or a shape or a
            number of classes beyond ``zoo/plugin/limits.py``.
    """

    shape: tuple[int, ...] = ()
    classes: int = 0
    sources: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    unpaired: tuple[str, ...] = ()
    missing_labels: bool = False

    def __post_init__(self):
        sources = {name: tuple(map(int, shape)) for name, shape in self.sources.items()}
        shape = tuple(int(size) for size in self.shape)
        first = next(iter(sources.values()), shape)
        for name in sources:
            if not name.isidentifier() or name.startswith("_") or name in _TAKEN:
                raise ZooError(
                    f"DataSpec: {name!r} cannot name a source. A name is an identifier such as "
                    f"'photo', and none of {', '.join(_TAKEN)}"
                )
        for name in self.unpaired:
            if name not in list(sources)[1:]:
                raise ZooError(
                    f"DataSpec: unpaired names {name!r}, which is no source beside the first; "
                    f"those are: {', '.join(list(sources)[1:]) or 'none'}"
                )
        if shape not in ((), first):
            raise ZooError(
                f"DataSpec: shape is that of the first source, {first}, not {shape}: leave it out"
            )
        limits.check_shapes(sources or {"x": first}, "DataSpec: shape")
        limits.check_classes(self.classes, "DataSpec")
        for name, value in {"shape": first, "sources": sources}.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "unpaired", tuple(self.unpaired))

    def __repr__(self):
        more = [n for n in ("sources", "unpaired", "missing_labels") if getattr(self, n)]
        values = (f"{name}={getattr(self, name)!r}" for name in ("shape", "classes", *more))
        return f"DataSpec({', '.join(values)})"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """``{source: shape}``; a single source without a name is ``x``."""
        return dict(self.sources) or {"x": self.shape}

    @property
    def is_image(self) -> bool:
        """Whether one example is a picture ``(height, width, channels)``."""
        return len(self.shape) == 3


@dataclass(frozen=True)
class Batch:
    """One batch as a loss sees it.

    Attributes:
        x: float32 tensor ``(n, *data.shape)``, pictures in the model's ``value_range``.
        labels: int32 tensor ``(n,)``, or None where the data has none. -1 is a missing label,
            which only data with ``missing_labels`` have.
        sources: ``{name: tensor (n, ...)}``, as ``x``, where the data have named sources. Each
            is an attribute too: ``batch.photo``.
    """

    x: Any
    labels: Any = None
    sources: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> Any:
        """The number of examples n, an int or an int32 scalar tensor."""
        from keras import ops

        return ops.shape(self.x)[0]

    @classmethod
    def of(cls, sources: Mapping[str, Any], labels: Any) -> Batch:
        """The batch of these sources, ``{name: tensor (n, ...)}``; the first is ``x``."""
        return cls(next(iter(sources.values())), labels, sources)

    def rows(self, which: slice) -> Batch:
        """The batch of some of the examples, such as ``batch.rows(slice(0, 8))``."""
        labels = None if self.labels is None else self.labels[which]
        sources = self.sources or {"x": self.x}
        return Batch.of({name: tensor[which] for name, tensor in sources.items()}, labels)

    def __getattr__(self, name: str):
        sources = vars(self).get("sources", {})
        if name in sources:
            return sources[name]
        there = dict.fromkeys(["x", "labels", *sources])
        raise NoSource(
            f"there is no batch.{name}{nearest(name, there) or '.'} This batch has "
            f"{', '.join(there)}; a model says which sources it needs, as in "
            f'sources = ("photo", "sketch")'
        )


class NoSource(ZooError, AttributeError):
    """A batch does not have the source that a loss asks for."""


@dataclass(frozen=True)
class Move:
    """One forward pass, and one gradient step for each player in it.

    Attributes:
        loss: ``loss(nets, batch, rng)`` returning ``{player: {term: value}}``;
            each value a scalar or one value per example, shape ``(n,)``. A
            player minimises the weighted sum of the means of its terms.
        repeat: how often the move is made in a step, each time on a batch of
            its own (five for the critic of a Wasserstein GAN).
        when: ``when(step, terms)`` returning ``{player: bool}`` (Python or scalar
            tensors), asked after the forward pass: a player whose value is false
            sits this move out: its weights, optimizer slots and iteration count
            stay as they are. ``step`` is an int32 scalar; ``terms`` holds the mean of
            each term as ``{player: {term: scalar}}``. Players left out move.
        updates: names of the networks whose statistics (batch norm's averages)
            this move changes. Default: the networks that its players train.
    """

    loss: Callable
    repeat: int = 1
    when: Callable | None = None
    updates: Sequence[str] | None = None

    def __post_init__(self):
        limits.check_count(self, "repeat", 1, where=f"Move({self.name})")

    @property
    def name(self) -> str:
        """The name of the loss method, for logs and messages."""
        return getattr(self.loss, "__name__", type(self.loss).__name__)


class Model(Checked):
    """A generative model: its hyperparameters, networks, players and losses.

    Subclasses are frozen dataclasses. A model holds no network: a run builds
    them from ``networks`` and hands them to the losses as ``nets``, which also knows the
    data: ``nets.data.shape``.

    Abilities are optional methods that switch on the commands and pictures that
    use them; tensors in and out are as in ``Batch`` (batch first, float32):

    - ``sample(nets, n, rng)`` -> ``(n, *data.shape)``
    - ``reconstruct(nets, x)`` -> like ``x``
    - ``encode(nets, x)`` -> ``(n, d)``
    - ``decode(nets, z)`` -> ``(n, *data.shape)``
    - ``log_likelihood(nets, x, rng, samples=1)`` -> ``(n,)``, a lower
      bound of log p(x) in nats from that many importance samples (one: the ELBO)
    - ``posterior(nets, x)`` -> q(z|x), a ``zoo.nn.distributions.Distribution`` of n codes
      ``(n, d)``, with a ``mean``, such as ``distributions.Normal.of(nets.encoder(x))``
    - ``classify(nets, x)`` -> ``(n, classes)``, probabilities

    A method that has a parameter ``labels`` is given them, int32 ``(n,)``, or None where there
    are none.

    ``latent`` is the prior that ``decode`` makes samples of. A model that has it and ``decode``
    can sample; one that has ``encode`` and ``decode`` can reconstruct.
    """

    abilities: ClassVar[tuple[str, ...]] = (
        "sample",
        "reconstruct",
        "encode",
        "decode",
        "log_likelihood",
        "posterior",
        "classify",
    )

    value_range: ClassVar[tuple[float, float] | None] = (0.0, 1.0)
    """Range that pictures are scaled to; None takes data as it is."""

    likelihood_support: ClassVar[str] = ""
    """The values whose log-likelihood ``log_likelihood`` bounds, as in
    ``zoo.nn.distributions.Distribution.support``; empty where it is not said."""

    conditional: ClassVar[bool] = False
    """Whether abilities need labels. A model that lets one choose makes it a field."""

    sources: ClassVar[tuple[str, ...]] = ()
    """Sources of the data that losses use by name, as ``batch.photo``; the first is ``batch.x``."""

    unpaired: ClassVar[tuple[str, ...]] = ()
    """The ``sources`` that belong to no row of the first: they have their own order and number."""

    missing_labels: ClassVar[bool] = False
    """Whether labels may be -1, for an example without one."""

    shared: ClassVar[Sequence[Sequence[str]]] = ()
    """Groups of networks that have layers in common, as in ``(("critic", "classifier"),)``."""

    check_shapes: ClassVar[Sequence[tuple[int, ...]]] = ()
    """Shapes of examples that a model is for, where it refuses the usual ones: ``((64, 64, 3),)``.
    Checks take the first, and build for all of them."""

    def networks(self, data: DataSpec) -> Mapping[str, Any]:
        """Build the networks, for data of this shape.

        Losses call each as ``nets.NAME``. Initial weights are drawn from the seed, except
        in frozen networks.

        Args:
            data: shapes of the examples, and the number of classes.

        Returns:
            ``{name: keras.Model or keras.Layer}``.

        Raises:
            ZooError: where the model is not for data of this shape.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define networks(data)")

    def players(self) -> Mapping[str, Sequence[str]]:
        """Say who trains what: ``{player: names of its networks}``.

        Each player has an optimizer of its own, and a loss: the terms that moves return for it.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define players()")

    def moves(self) -> Sequence[Move | Callable]:
        """List what one training step does, in order.

        Returns:
            Loss methods ``(nets, batch, rng)``, each made once per step, or ``zoo.Move``.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define moves()")

    def weights(self) -> Mapping[str, Mapping[str, Any]]:
        """Default weights of the terms, which a recipe may change.

        Returns:
            ``{player: {term: number or schedule}}``. A term that is not named has weight 1.
        """
        return {}

    def views(self) -> Mapping[str, View]:
        """Pictures of the model's own, besides those of its abilities: ``{name: zoo.View}``.

        Each has a command, ``zoo view RUN NAME``, and a picture in TensorBoard;
        ``zoo.callbacks.ViewGrid(name)`` saves one in the run's folder.
        """
        return {}

    def latent(self, nets):
        """The prior p(z) of the codes; with a parameter ``labels``, p(z|labels).

        Args:
            nets: the networks, for a prior that is learned.

        Returns:
            A ``zoo.nn.distributions.Distribution`` of one code, such as
            ``distributions.StandardNormal(16)``. Without this method a model has no prior.
        """
        raise NotImplementedError(f"{type(self).__name__} has no prior: latent(nets)")

    def adapt(self, networks, batch, rng):
        """Set statistics of the training data before training, such as pseudo-inputs or a mean.

        It is called once, with up to 1,000 training examples in an order drawn from the seed.
        What it sets is kept in weights: those that it assigns.

        Args:
            networks: ``{name: Keras model or layer}``, whose variables it may assign.
            batch: a ``Batch`` of training examples, fewer than 1,000 where the data have fewer.
            rng: the ``zoo.random.Generator`` to draw from.
        """
        raise NotImplementedError(f"{type(self).__name__} adapts nothing")

    def sample(self, nets, n, rng, labels=None):
        """Draw codes from the prior ``latent`` and decode them.

        Args:
            nets: the networks, in inference mode.
            n: number of samples.
            rng: the ``zoo.random.Generator`` to draw from.
            labels: int32 ``(n,)``, or None.

        Returns:
            float32 ``(n, *data.shape)``, pictures in ``value_range``.
        """
        z = self.given_labels("latent", labels, nets).sample(rng, n)
        return self.given_labels("decode", labels, nets, z)

    def reconstruct(self, nets, x, labels=None):
        """Encode and decode.

        Args:
            nets: the networks, in inference mode.
            x: float32 ``(n, *data.shape)``, pictures in ``value_range``.
            labels: int32 ``(n,)``, or None.

        Returns:
            A tensor like ``x``.
        """
        z = self.given_labels("encode", labels, nets, x)
        return self.given_labels("decode", labels, nets, z)

    def can(self, ability: str) -> bool:
        """Whether the model has this ability; ``"latent"`` asks for a prior.

        >>> Model().can("sample")
        False
        """
        own = getattr(type(self), ability, None)
        if own is None or own is not getattr(Model, ability, None):
            return callable(own)
        needs = {"sample": ("latent", "decode"), "reconstruct": ("encode", "decode")}
        return ability in needs and all(self.can(needed) for needed in needs[ability])

    def given_labels(self, method: str, labels, *args, **options):
        """Call a method of the model, with the labels if it has a parameter for them."""
        function = getattr(self, method)
        if _takes_labels(getattr(type(self), method)):
            options["labels"] = labels
        return function(*args, **options)

    def replace(self, **changes) -> Model:
        """A copy with some settings changed; unknown names raise ``ZooError``."""
        from zoo.plugin.settings import check_settings

        return dataclasses.replace(self, **check_settings(type(self), changes))  # type: ignore[type-var]


@functools.cache
def _takes_labels(method: Callable) -> bool:
    return "labels" in inspect.signature(method).parameters


def as_move(move: Move | Callable) -> Move:
    """A bare loss method is a move made once."""
    if isinstance(move, Move):
        return move
    if callable(move):
        return Move(move)
    raise ZooError(f"moves() lists loss methods or zoo.Move, not {move!r}")
