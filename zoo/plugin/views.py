"""Views: what a model shows besides its abilities, as pictures or points."""

from __future__ import annotations

import inspect
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError, nearest, unknown
from zoo.plugin.settings import typed
from zoo.runtime.blame import blaming

if TYPE_CHECKING:
    from zoo.plugin.model import Model

GIVEN = {
    "examples": ("nets", "x"),
    "batch": ("nets", "batch"),
    "noise": ("nets", "n"),
    "nothing": ("nets",),
}
"""What the method of a view is called with, by ``View.inputs``; ``rng`` and ``labels`` by name."""

PICTURES = (
    "samples",
    "reconstructions",
    "manifold",
    "codes",
    "posterior",
    "traversals",
    "interpolations",
)
"""Names that pictures of abilities have."""

ROWS = 32  # of a view, unless told otherwise
_NAME = re.compile("[a-z][a-z0-9_]*")
_DRAWABLE = "pictures (n, height, width, 1 or 3), or points (n, 2)"


@dataclass(frozen=True)
class View:
    """A picture of a model's own: what one of its methods makes.

    Attributes:
        make: the method, called as ``inputs`` says. It may also have the parameters ``rng``, a
            ``zoo.random.Generator``, and ``labels``, int32 ``(n,)`` or None. It returns a tensor
            with a row for each input, or ``{name: such a tensor}``: float32 pictures
            ``(n, height, width, 1 or 3)`` in the model's ``value_range``, or points ``(n, 2)``.
        inputs: ``"examples"`` for ``make(nets, x)``, x as in ``Batch``: of data with several
            sources, the first; ``"batch"`` for ``make(nets, batch)``, a ``Batch`` with every
            source; ``"noise"`` for ``make(nets, n)``, n rows that are drawn; ``"nothing"`` for
            ``make(nets)``, which gives as many rows as it has.

    Raises:
        ZooError: ``make`` is no function, or has other parameters; there are no such inputs.

    Example:

    >>> def views(self):
    ...     return {"translate": zoo.View(self.translate)}
    """

    make: Callable
    inputs: str = "examples"

    def __post_init__(self):
        typed(self.make, Callable, "zoo.View")
        if self.inputs not in GIVEN:
            kinds = ", ".join(map(repr, GIVEN))
            guess = nearest(self.inputs, GIVEN)
            raise ZooError(f"{self}: inputs is one of {kinds}, not {self.inputs!r}{guess}")
        wanted, given = list(inspect.signature(self.make).parameters.values()), GIVEN[self.inputs]
        place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        first, others = wanted[: len(given)], wanted[len(given) :]
        odd = [p.name for p in others if p.name not in ("rng", "labels") and p.default is p.empty]
        if len(first) < len(given) or odd or any(p.kind not in place for p in first):
            raise ZooError(
                f"{self} is called as {self.name}({', '.join(given)}), with rng and labels where "
                f"it has parameters of these names, not as {self.name}"
                f"({', '.join(p.name for p in wanted)})"
            )

    def __str__(self) -> str:
        return f"zoo.View({self.name})"

    @property
    def name(self) -> str:
        """The name of the method."""
        return getattr(self.make, "__name__", type(self.make).__name__)

    @property
    def of_examples(self) -> bool:
        """Whether it shows what becomes of examples: of the first source, or of all of them."""
        return self.inputs in ("examples", "batch")

    @property
    def about(self) -> str:
        """What it shows, in one line: the first of the method's docstring."""
        return (inspect.getdoc(self.make) or "").partition("\n")[0]

    def rows(self, x: Any, n: int, where: str) -> Any:
        """What the view is called for: the examples, or the numbers of n rows.

        Raises:
            ZooError: a view of examples is given none, or another is given some.
        """
        if (x is None) == self.of_examples:
            with_x = where.replace(")", ", x)")
            takes = f"shows {self.inputs}" if x is not None else "shows what becomes of examples"
            raise ZooError(f"{where} {takes}: write {where if x is not None else with_x}")
        return range(n) if x is None else x

    def called(self, nets: Any, first: Any, n: Any, rng: Any, labels: Any) -> Any:
        """What the method makes of examples or a batch, ``first``, or of n rows of noise."""
        values = {"nets": nets, "x": first, "batch": first, "n": n}
        named = {"rng": rng, "labels": labels}
        has = inspect.signature(self.make).parameters
        given = [values[name] for name in GIVEN[self.inputs]]
        made = self.make(*given, **{name: named[name] for name in named if name in has})
        # JAX sorts the keys of a plain dict
        return OrderedDict(made) if isinstance(made, Mapping) and made else made

    def check(self, out: Any, n: int | None, where: str) -> None:
        """Refuse what cannot be drawn; ``n`` rows are wanted, None for any number of them."""
        parts = out if isinstance(out, Mapping) else {"": out}
        if not parts or not all(isinstance(name, str) for name in parts):
            raise ZooError(f"{where} gave {out!r}; a view gives a tensor, or {{name: tensor}}")
        n = None if self.inputs == "nothing" else n
        ranks = set()
        for name, part in parts.items():
            shape = tuple(getattr(part, "shape", ()))
            ranks.add(len(shape))
            drawable = (len(shape) == 4 and shape[-1] in (1, 3)) or shape[1:] == (2,)
            if not drawable or (None not in (n, shape[0]) and shape[0] != n):
                what = f"shape {shape}" if hasattr(part, "shape") else type(part).__name__
                of = f" for {name!r}" if name else ""
                rows = "" if n is None else f", with n = {n} for so many inputs"
                raise ZooError(f"{where} gave {what}{of}; a view gives {_DRAWABLE}{rows}")
        if len(ranks) > 1:
            raise ZooError(f"{where} gave both pictures and points; a view gives one of them")


def of(model: Model) -> dict[str, View]:
    """The views that a model declares, checked: ``{name: View}``."""
    where = f"{type(model).__name__}.views()"
    with blaming(where):
        said = model.views()
    for name, view in typed(said, Mapping, where, "is").items():
        if not isinstance(view, View):
            raise ZooError(
                f"{where}: {name!r} is a {type(view).__name__}; write zoo.View(self.METHOD), or "
                'zoo.View(self.METHOD, inputs="noise")'
            )
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ZooError(
                f"{where}: {name!r} cannot name a view: lower-case letters, digits and _ can, "
                "as in style_transfer"
            )
        if name in (*PICTURES, *model.abilities):
            raise ZooError(f"{where}: {name!r} has a meaning of its own; choose another name")
    return dict(said)


def find(model: Model, name: str) -> View:
    """The view of this name; ``ZooError`` names those that there are."""
    known = of(model)
    if name not in known:
        raise unknown("view", name, known, where=type(model).__name__)
    return known[name]


def lines(about: Mapping[str, str]) -> list[str]:
    """Views as lines for a terminal, from ``{name: what it shows}``."""
    width = max(map(len, about), default=0)
    return [f"  {name:<{width}}  {line}".rstrip() for name, line in about.items()]
