"""The reference: what the code says of every public name, as Markdown.

    python -m tests.reference      write docs/reference/api.md, docs/reference/api/ and the pages of
                                   commands and fields anew

A page tells of the names in its topic, in order; a module there stands for all its other names.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
import inspect
import itertools
import re
import textwrap
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
TOPICS = {  # file: (title, names and modules)
    "models": (
        "Writing a model",
        "zoo.Model zoo.Move zoo.Batch zoo.DataSpec zoo.engine.nets.Nets zoo.engine.nets.Net "
        "zoo.View zoo.gradient",
    ),
    "random": ("Random numbers", "zoo.random.Generator zoo.random.loop zoo.random"),
    "networks": (
        "Networks",
        "zoo.nn.networks.encoder zoo.nn.networks.decoder zoo.nn.networks.discriminator "
        "zoo.nn.networks.generator zoo.nn.networks.Style zoo.nn.networks",
    ),
    "distributions": ("Distributions", "zoo.nn.distributions"),
    "losses": ("Losses and penalties", "zoo.nn.losses zoo.nn.losses.penalties"),
    "layers": ("Layers", "zoo.nn.layers zoo.nn.layers.diff_augment.differentiable"),
    "schedules": ("Schedules", "zoo.nn.schedules"),
    "samplers": ("Samplers", "zoo.nn.samplers"),
    "runs": (
        "Building, training, loading",
        "zoo.build zoo.engine.model.GenerativeModel zoo.Recipe zoo.train zoo.resume zoo.load "
        "zoo.runs.trained.TrainedRun zoo.show "
        "zoo.export zoo.runs.export.Exported "
        "zoo.model zoo.dataset zoo.metric zoo.feature_space",
    ),
    "datasets": (
        "Datasets",
        "zoo.Dataset zoo.datasets.Data zoo.datasets.Split zoo.datasets.Access zoo.datasets",
    ),
    "metrics": ("Metrics", "zoo.Metric zoo.metrics.Measured zoo.metrics"),
    "features": ("Feature spaces", "zoo.FeatureSpace zoo.features.Extractor zoo.features"),
    "callbacks": ("Callbacks", "zoo.callbacks.Callback zoo.callbacks.Context zoo.callbacks"),
    "testing": ("Checks of plugins", "zoo.testing"),
    "errors": ("Errors", "zoo.ZooError zoo.RunFailed"),
}
INTRO = """\
# Python API

Every public name, with its signature and docstring. In Python, `help(zoo.Model)` says the same.
`python -m tests.reference` writes these pages from the code.
"""
INSIDE = ("zoo.engine.backends", "zoo.engine.step")  # bases that only the engine calls


def resolved(name: str):
    """What a dotted name stands for: what is in a module, else a module."""
    module, _, attribute = name.rpartition(".")
    try:  # a function may have the name of the module that it is from
        found = getattr(importlib.import_module(module), attribute)
    except (AttributeError, ModuleNotFoundError, ValueError):
        return importlib.import_module(name)
    return importlib.import_module(name) if inspect.ismodule(found) else found


def public(module) -> list[str]:
    """The public names of a module, of which none is a module."""

    def is_own(value):
        described = inspect.isclass(value) or inspect.isfunction(value)
        return described and value.__module__ == module.__name__

    own = [name for name, value in vars(module).items() if is_own(value) and name[0] != "_"]
    listed = getattr(module, "__all__", own)
    return [f"{module.__name__}.{n}" for n in listed if not inspect.ismodule(getattr(module, n))]


@functools.cache
def told(topic: str) -> dict[str, Any]:
    """The names that a page tells of, and what they stand for."""
    listed = {name: resolved(name) for name in TOPICS[topic][1].split()}
    names = [
        n for name, v in listed.items() for n in (public(v) if inspect.ismodule(v) else [name])
    ]
    return {name: resolved(name) for name in names}


def heading(name: str) -> str:
    return f"class {name}" if inspect.isclass(resolved(name)) else name


def anchor(heading: str) -> str:
    """The anchor of a heading, on code hosts and on the site."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@functools.cache
def homes() -> dict[str, str]:
    """Where each name is: ``page.md#anchor``."""
    return {n: f"{topic}.md#{anchor(heading(n))}" for topic in TOPICS for n in told(topic)}


# --- signatures ------------------------------------------------------------------------


def shown(value) -> str:
    """A default as one would type it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [f for f in dataclasses.fields(value) if getattr(value, f.name) != f.default]
        given = (f"{f.name}={shown(getattr(value, f.name))}" for f in fields)
        return f"{type(value).__name__}({', '.join(given)})"
    if isinstance(value, str | tuple):
        return repr(value).replace("'", '"')
    named = "..." if getattr(value, "__name__", "") == "<lambda>" else None
    return named or getattr(value, "__name__", None) or repr(value)


def signature(name: str, function, of: type | None = None) -> str:
    """A call of a function, method or class, in lines that fit a narrow screen."""
    made = {f.name: f.default_factory for f in dataclasses.fields(of)} if of else {}
    parts, kind = [], None
    for place, p in enumerate(inspect.signature(function).parameters.values()):
        if place == 0 and p.name in ("self", "cls", "_cls"):
            continue
        if p.kind is p.KEYWORD_ONLY and kind not in (p.KEYWORD_ONLY, p.VAR_POSITIONAL):
            parts.append("*")
        star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        typed = "" if p.annotation is p.empty else f": {p.annotation}"
        factory = made.get(p.name, dataclasses.MISSING)
        value = p.default if factory is dataclasses.MISSING else factory()
        given = "" if value is p.empty else f" = {shown(value)}" if typed else f"={shown(value)}"
        parts.append(f"{star}{p.name}{typed}{given}")
        if p.kind is p.POSITIONAL_ONLY:
            parts.append("/")
        kind = p.kind
    returned = getattr(function, "__annotations__", {}).get("return")
    after = f" -> {returned}" if returned and not name[0].isupper() else ""
    line = f"{name}({', '.join(parts)}){after}"
    return line if len(line) <= 76 else f"{name}(\n    " + ",\n    ".join(parts) + f",\n){after}"


def constructor(cls: type) -> str | None:
    """How a class is called; None where Keras or Python says so."""
    if hasattr(cls, "_fields"):
        return f"{cls.__name__}({', '.join(cls._fields)})"
    init = next((vars(c)["__init__"] for c in cls.__mro__ if "__init__" in vars(c)), None)
    owner = next(c for c in cls.__mro__ if "__init__" in vars(c))
    if not owner.__module__.startswith("zoo.") or owner.__module__.startswith("zoo.engine."):
        return None
    return signature(cls.__name__, init, cls if dataclasses.is_dataclass(cls) else None)


# --- docstrings ------------------------------------------------------------------------

SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Example):\n((?:    .*\n|\n)*)", re.M)


def inline(text: str, page: str = "") -> str:
    """Text with code in single backticks and, given a page, links to the names in it."""

    def span(part):
        if not part.startswith("``"):
            return re.sub(r"(\*(?! )|(?<! )\*|<|(?<!\w)_|_(?!\w))", r"\\\1", part)
        code, name = f"`{part[2:-2]}`", re.split(r"[(\[]", part[2:-2])[0]
        found = page and homes().get(name)
        return f"[{code}]({found.removeprefix(page)})" if found else code

    return "".join(map(span, re.split(r"(``.+?``)", " ".join(text.split()))))


def fill(text: str, width: int, first: str = "") -> str:
    """A paragraph in lines, none of which begins as a list or a heading does."""
    kept = re.sub(r" (?=(?:[-+*>#=]|\d+[.)])(?: |$))", "\0", text)
    wrapped = textwrap.fill(
        kept,
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapped.replace("\0", " ")


def fence(code: str, language: str = "python") -> str:
    return f"```{language}\n{code.rstrip()}\n```"


def prose(text: str, page: str, width: int = 100) -> list[str]:
    """Paragraphs, lists, indented code and examples as blocks of Markdown."""
    blocks: list[str] = []
    pattern = r">>>.*(?:\n.+)*|(?:    .*\n?|\n(?=    ))+|- .*(?:\n  .+)*|\S.*(?:\n\S.*)*"
    for block in (found.strip("\n") for found in re.findall(pattern, text)):
        if block.startswith(">>>"):
            blocks.append(fence(block, "pycon"))
        elif block.startswith("    "):
            code = textwrap.dedent(block)
            blocks.append(fence(code, "python" if re.search(r"\w\(|^import", code) else "text"))
        elif block.startswith("- ") and blocks and blocks[-1].startswith("- "):
            blocks[-1] += "\n" + fill(inline(block[2:], page), width, "- ")
        else:
            bullet = "- " * block.startswith("- ")
            blocks.append(fill(inline(block.removeprefix(bullet), page), width, bullet))
    return blocks


def docstring(text: str, page: str) -> list[str]:
    """A docstring in Google's style as blocks of Markdown."""
    before, *rest = SECTION.split(text + "\n")
    blocks = prose(before, page)
    for title, body, after in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        body = textwrap.dedent(body)
        if title in ("Returns", "Example"):
            told = prose(body, page)
        else:
            items = []
            for entry in re.split(r"\n(?=\S)", body.strip("\n")):
                names, about = re.fullmatch(r"(``.*?``|.*?): (.*)", entry, re.S).groups()
                coded = names if names[0] == "`" else f"``{names.replace(', ', '``, ``')}``"
                item = "\n\n".join(prose(f"{coded}: {inspect.cleandoc(about)}", page, 98))
                items.append("- " + textwrap.indent(item, "  ")[2:])
            told = ["\n".join(items)]
        blocks += [f"**{title}**", *told, *prose(after, page)]
    return blocks


def attributes(cls: type) -> str:
    """Entries for those described below their names, or by a base that has no entry."""
    found, text = [], inspect.getdoc(cls)
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    for node, after in itertools.pairwise(tree.body):
        if isinstance(node, ast.AnnAssign) and isinstance(after, ast.Expr):
            value = f" = {ast.unparse(node.value)}" if node.value else ""
            about = " ".join(ast.literal_eval(after.value).split())
            found.append(f"    ``{ast.unparse(node.target)}{value}``: {about}")
    for base in folded(cls)[1:]:
        for title, body in SECTION.findall(inspect.getdoc(base) + "\n"):
            if title in ("Args", "Attributes"):
                entries = re.split(r"\n(?=    \S)", body.strip("\n"))
                found += [e for e in entries if f"\n{e.partition(':')[0]}: " not in text]
    return "".join(f"{line}\n" for line in found)


def folded(cls: type) -> list[type]:
    """A class, and its bases that have no entry of their own: their members are told of as its."""
    known = [v for topic in TOPICS for v in told(topic).values()]
    own = [c for c in cls.__mro__[1:] if c.__module__.startswith("zoo.") and c not in known]
    return [cls, *(c for c in own if not c.__module__.startswith(INSIDE))]


def entry(name: str, page: str) -> list[str]:
    """A name: its signature, its docstring and, of a class, its members."""
    value, short = resolved(name), name.rpartition(".")[2]
    blocks, text = [f"## {heading(name)}"], inspect.getdoc(value)
    if not inspect.isclass(value):
        call = [fence(signature(short, value))] if inspect.isfunction(value) else []
        made = [] if call else [inline(f"One of ``zoo.nn.losses.{type(value).__name__}``.", page)]
        return blocks + call + docstring(text, page) + made
    if call := constructor(value):
        blocks.append(fence(call))
    if more := attributes(value):
        there = re.search(r"^(Args|Attributes):\n(    .*\n)+", text + "\n", re.M)
        end = there.end() if there else len(text)
        text = text[:end] + ("\n" if there else "\n\nAttributes:\n") + more + text[end:]
    blocks += docstring(text, page)
    names = {v: n for topic in TOPICS for n, v in told(topic).items() if inspect.isclass(v)}
    if base := next((names[c] for c in value.__mro__[1:] if c in names), None):
        blocks.append(inline(f"Base: ``{base}``", page))
    seen = {f.name for f in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else set()
    for member, key in ((m, k) for c in folded(value) for k, m in vars(c).items()):
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        hidden = key in seen or (key.startswith("_") and key != "__call__")
        if hidden or not inspect.isfunction(function) or not function.__doc__:
            continue
        seen.add(key)
        if isinstance(member, property):
            call = f"{key}: {function.__annotations__.get('return', 'Any')}"
        else:
            call = signature(key, function)
        title = f"### `{short}.{key}`" if key[0] == "_" else f"### {short}.{key}"
        blocks += [title, fence(call), *docstring(inspect.getdoc(function), page)]
    return blocks


def pages() -> dict[str, str]:
    """The pages of the Python API, ``{path within docs: text}``."""
    index, made = [INTRO.rstrip()], {}
    for topic, (title, names) in TOPICS.items():
        blocks, lines = [f"# {title}"], []
        for module in filter(inspect.ismodule, map(resolved, names.split())):
            blocks += docstring(inspect.getdoc(module), f"{topic}.md")
        for name, value in told(topic).items():
            blocks += entry(name, f"{topic}.md")
            about = inline(inspect.getdoc(value).partition("\n\n")[0])
            lines.append(fill(f"[{name}](api/{homes()[name]}): {about}", 100, "- "))
        index += [f"\n## [{title}](api/{topic}.md)\n", *lines]
        made[f"reference/api/{topic}.md"] = "\n\n".join(blocks) + "\n"
    return {"reference/api.md": "\n".join(index) + "\n", **made}
