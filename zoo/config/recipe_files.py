"""Where recipe files are: a path, or the name of one that comes with the zoo."""

from __future__ import annotations

import re
from pathlib import Path

from zoo.errors import ZooError, nearest
from zoo.plugin import about as plugin_about
from zoo.plugin import registry


def shipped() -> dict[str, Path]:
    """The recipes that come with the zoo, ``{name: file}``, sorted by name.

    Those in a folder have its name before theirs: ``published/vae_mnist_likelihood``.
    """
    folder = _folder()
    files = {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in folder.rglob("[!_]*.py")
    }
    return dict(sorted(files.items()))


def find(text: str) -> Path:
    """The file that a person means by a path, or by a shipped recipe's name.

    Raises:
        ZooError: there is no such file, with the nearest spelling.
    """
    path = Path(text).expanduser()
    if path.is_file():
        return path
    known = shipped()
    if text in known:
        return known[text]
    if path.is_dir():
        raise ZooError(f"{text} is a folder; a recipe is a Python file, or one of {_names(known)}")
    if other := _other(text):
        raise ZooError(f"{text!r} is {other}")
    beside = sorted(file.name for file in path.parent.glob("*.py"))
    within = "" if path.parent == Path() else f"{path.parent}/"
    guess = nearest(path.name, beside).replace("mean '", f"mean '{within}")
    if not path.parent.is_dir():  # its folder is spelt wrong
        guess = nearest(text, sorted(path.parent.parent.glob(f"*/{path.name}")))
    namesakes = [name for name, file in known.items() if file.stem == path.stem]
    if not guess and namesakes:
        guess = f"; did you mean {min(namesakes, key=len)!r}?"  # published/NAME is a longer one
    guess = guess or nearest(text, known)
    listed = f"By name there are: {_names(known)}."
    if beside and within:
        listed = f"In {path.parent} there are: {', '.join(beside[:20])}."
    raise ZooError(f"no recipe {text!r}{guess or '.'} {listed}")


def about(path: Path) -> str:
    """The first line of a recipe's docstring, read without running it."""
    try:
        return plugin_about.first_line(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""


def using(kind: str, name: str) -> list[str]:
    """The shipped recipes of a registered plugin, the likeliest first.

    Their text is read; nothing is run.
    """
    record = registry.find(kind, name)
    cls = record.target.rpartition(":")[2]
    by_name = (
        rf"""zoo\.{registry.noun(kind).replace(" ", "_")}\(\s*["']{re.escape(record.name)}["']"""
    )
    call = re.compile(rf"{by_name}|\b{kind}\.{cls}\(")
    found = [
        recipe
        for recipe, path in shipped().items()
        if call.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    simplest = (f"{record.name}_mnist", "vae_mnist")
    return sorted(found, key=lambda r: (r not in simplest, not r.startswith(f"{record.name}_")))


def plugin_of(text: str) -> str | None:
    """What a plugin's name is, with recipes of it; None for no such name."""
    for kind in registry.GROUPS:
        if any(text in (record.name, record.full_name) for record in registry.records(kind)):
            recipes = using(kind, text)
            some = ", ".join(recipes[:5]) + (" and others" if len(recipes) > 5 else "")
            renamed = f"RECIPE {kind[:-1]}={text}" if kind in ("models", "datasets") else "RECIPE"
            first = recipes[0] if recipes else renamed
            listed = f" Recipes with it: {some}." if recipes else ""
            return f"a {registry.noun(kind)}, and not a recipe.{listed} Type zoo run {first}"
    return None


def _other(text: str) -> str | None:
    """What a name is that is no recipe's."""
    if text == "latest" or re.fullmatch(r"(.+/)?\d{8}T\d{6}Z-[0-9a-f]{4}", text):
        return f"a run, and not a recipe. To continue it: zoo resume {text}"
    return plugin_of(text)


def _names(known: dict[str, Path]) -> str:
    return ", ".join(known) or "none"


def _folder() -> Path:
    """``zoo/recipes`` in a wheel; ``recipes`` beside ``zoo`` in a checkout."""
    package = Path(__file__).parents[1]
    inside, beside = package / "recipes", package.parent / "recipes"
    in_checkout = (package.parent / "pyproject.toml").is_file()
    return beside if in_checkout and not inside.is_dir() else inside
