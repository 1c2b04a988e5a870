"""The first files of somebody's plugin, from templates or from a plugin that there is."""

from __future__ import annotations

import importlib.util
import io
import keyword
import re
import tokenize
from collections.abc import Mapping
from pathlib import Path
from string import Template

from zoo import __version__
from zoo.errors import ZooError
from zoo.plugin import registry
from zoo.runtime.files import unwritable

KINDS = {"model": "models", "dataset": "datasets", "metric": "metrics", "feature-space": "features"}
"""What a plugin may add, as the command names it, and the registry."""

TEMPLATES = Path(__file__).parent / "templates"


def plugin(name: str, folder: Path, kind: str, source: str | None = None) -> list[Path]:
    """Write the project of a plugin and return its files.

    Args:
        name: what it will be called in recipes.
        folder: to be made; it must not exist.
        kind: one of ``KINDS``.
        source: a registered plugin of that kind to start from; else a small one.

    Raises:
        ZooError: the name cannot be or is taken, the folder exists or cannot be made, or
            the source is not known.
    """
    package = f"zoo_{name}"
    _check_name(name, kind, package)
    if folder.exists():
        raise ZooError(f"{folder} exists already: choose another name, or --folder")
    words = {
        "name": name,
        "kind": registry.noun(KINDS[kind]),
        "group": KINDS[kind],
        "maker": kind.replace("-", "_"),
        "package": package,
        "distribution": package.replace("_", "-"),
        "cls": "".join(part.capitalize() for part in name.split("_")),
        "version": __version__,
        "api": str(registry.PLUGIN_API),
    }
    players = ["autoencoder"]
    if source is None:
        code = _filled(kind, words)
    else:
        code, players = _copied(kind, source, words["cls"])
    files = {
        "pyproject.toml": _filled("pyproject", words),
        "README.md": _filled("readme", words),
        f"{package}/__init__.py": code,
        f"recipes/{name}.py": _recipe(kind, words, players),
        f"tests/test_{name}.py": _filled("test", words),
        ".gitignore": "__pycache__/\nruns/\ndist/\n*.egg-info/\n",
    }
    return _write(folder, files)


def recipe(source: Path, target: Path) -> Path:
    """Copy a recipe to a new file, whose name its own commands then say.

    Raises:
        ZooError: the file exists, is no Python file, or cannot be written.
    """
    if target.suffix != ".py":
        target = target.with_name(f"{target.name}.py")
    if not re.fullmatch(r"[A-Za-z_][\w-]*", target.stem):
        raise ZooError(f"{target.stem!r} cannot name a recipe: letters, digits, - and _ can")
    if target.exists():
        raise ZooError(f"{target} exists already: choose another name")
    text = source.read_text(encoding="utf-8")
    text = re.sub(
        rf"zoo run (recipes/(published/)?)?{source.stem}(\.py)?\b", f"zoo run {target}", text
    )
    return _write(target.parent, {target.name: text})[0]


def _check_name(name: str, kind: str, package: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        better = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")
        hint = f"; did you mean {better!r}?" if better and better != name else ""
        raise ZooError(
            f"{name!r} cannot name a plugin: small letters, digits and _ can, a letter first{hint}"
        )
    for record in registry.records(KINDS[kind]):
        if record.name == name:
            raise ZooError(
                f"there is a {registry.noun(KINDS[kind])} {name!r} already, of "
                f"{record.distribution} {record.version}: choose another name"
            )
    if importlib.util.find_spec(package) is not None:
        raise ZooError(f"there is a package {package} already: choose another name")


def _filled(template: str, words: Mapping[str, str]) -> str:
    return Template((TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")).substitute(words)


def _recipe(kind: str, words: Mapping[str, str], players: list[str]) -> str:
    name = words["name"]
    dataset, about = "datasets.Digits(batch_size=64)", f"{words['cls']} on digits of 8 x 8 pixels."
    model, settings, metrics, imports = name, "", "", ", datasets"
    if kind != "model":
        model, settings, players = "vae", ", latent_dim=8, units=(64,)", ["autoencoder"]
    if kind == "dataset":
        dataset, about = f'zoo.dataset("{name}", batch_size=64)', f"A small VAE on {name}."
        imports = ""
    if kind == "metric":
        about = f"A small VAE on digits of 8 x 8 pixels, measured by {name}."
        metrics = f'\n    metrics=[zoo.metric("{name}")],'
    if kind == "feature-space":
        about = f"A small VAE on digits of 8 x 8 pixels, measured in the feature space {name}."
        imports = ", datasets, metrics"
        metrics = f'\n    metrics=[metrics.Frechet(space=zoo.feature_space("{name}"))],'
    return _filled(
        "recipe",
        {
            "name": name,
            "about": about,
            "imports": imports,
            "model": model,
            "settings": settings,
            "dataset": dataset,
            "optimizers": ", ".join(f'"{p}": keras.optimizers.Adam(1e-3)' for p in players),
            "metrics": metrics,
        },
    )


def _copied(kind: str, source: str, cls: str) -> tuple[str, list[str]]:
    """The module of a registered plugin with its class renamed, and its players."""
    record = registry.find(KINDS[kind], source)
    made = registry.load(KINDS[kind], source)
    path = Path(getattr(importlib.util.find_spec(made.__module__), "origin", None) or "")
    if path.suffix != ".py":
        raise ZooError(
            f"{registry.noun(KINDS[kind])} {source!r} has no source to copy: {record.target}"
        )
    text = path.read_text(encoding="utf-8")
    players = list(registry.create("models", source).players()) if kind == "model" else []
    return _renamed(text, made.__name__, cls), players


def _renamed(text: str, old: str, new: str) -> str:
    """Python source with one name changed, in ``__all__`` too; other text stays."""
    lines = text.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    for token in reversed(tokens):
        if token.string in (old, f'"{old}"') and token.type in (tokenize.NAME, tokenize.STRING):
            (row, start), (_, end) = token.start, token.end
            line = lines[row - 1]
            lines[row - 1] = line[:start] + token.string.replace(old, new) + line[end:]
    return "".join(lines)


def _write(folder: Path, files: Mapping[str, str]) -> list[Path]:
    written = []
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:  # never over a file that is there
                file.write(text)
            written.append(path)
    except OSError as error:
        raise unwritable(path, error) from error
    return written
