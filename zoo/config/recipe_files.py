"""Where recipe files are: a path, or the name of one that comes with the zoo."""

from __future__ import annotations

from pathlib import Path

from zoo.errors import ZooError, nearest


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
    beside = [path.with_name(file.name) for file in path.parent.glob("*.py")]
    namesakes = [name for name, file in known.items() if file.stem == path.stem]
    guess = nearest(text, beside)
    if not guess and namesakes:
        guess = f"; did you mean {namesakes[0]!r}?"
    guess = guess or nearest(text, known)
    raise ZooError(f"no recipe {text!r}{guess or '.'} By name there are: {_names(known)}.")


def _names(known: dict[str, Path]) -> str:
    return ", ".join(known) or "none"


def _folder() -> Path:
    """``zoo/recipes`` in a wheel; ``recipes`` beside ``zoo`` in a checkout."""
    package = Path(__file__).parents[1]
    inside, beside = package / "recipes", package.parent / "recipes"
    in_checkout = (package.parent / "pyproject.toml").is_file()
    return beside if in_checkout and not inside.is_dir() else inside
