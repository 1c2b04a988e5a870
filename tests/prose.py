"""How the documentation reads: length, reading ease, phrases that are not used.

python -m tests.prose      a table of all pages that are not written from the code
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST_WORDS = 1200  # of a page outside of reference and lab notes
LEAST_EASE = 60.0  # plain English, by the author of the scale
LOOKED_UP = ("reference", "lab")  # folders whose pages are not read from end to end
REFUSED = {  # pattern: what to write
    r"\bcode by hand\b": "hand-written baseline",
    r"\bleast class\b": "rarest class",
    r"\bwhat c[oa]mes? of it\b": "the result",
    r"\bgo(es)? on\b": "continue",
    r"\btold\b": "stated, described",
    r"\bbegins anew\b": "starts again",
    r"\bagainst it:": "what helps:",
    r"\bof which\b": "two sentences",
    r"\bso it is\b": "say what is so",
    r"\bas the case is\b": "leave it out",
    r"\basked of\b": "needed",
    r"\b(that|those) of\b(?! (this|these|each|all)\b)": "repeat the noun",
    r"\bthe like\b": "name them",
}


def pages() -> list[Path]:
    """The pages that people write."""
    made = {"api.md", "commands.md", "recipe.md", "manifest.md"}
    found = [p for p in sorted((ROOT / "docs").rglob("*.md")) if p.name not in made]
    own = [p for p in found if not {"api", "cards"} & set(p.parts)]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *own]


def text(markdown: str) -> str:
    """The prose of a page: without code, tables, pictures, links' targets and marks."""
    kept = re.sub(r"^```.*?^```|^\|.*?$|<!--.*?-->|^    .*?$", "", markdown, flags=re.M | re.S)
    kept = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", kept)
    kept = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", kept)
    return re.sub(r"[*#>]|^- ", "", kept, flags=re.M)


def words(markdown: str) -> int:
    """How many words a reader has to read, tables included and code left out."""
    return len(re.sub(r"^```.*?^```", "", markdown, flags=re.M | re.S).split())


def sentences(prose: str) -> list[str]:
    """Sentences, and items of lists and headings as such."""
    plain = re.sub(r"`[^`\n]*`", "code", prose)
    blocks = re.split(r"\n\s*\n|\n(?=- |\d+\. )", plain)
    parts = [s for block in blocks for s in re.split(r"(?<=[.!?:;])\s+", " ".join(block.split()))]
    return [part for part in parts if len(part.split()) > 2]


def ease(markdown: str) -> float:
    """Flesch's reading ease: 60 and more is plain English, 30 to 50 is for students.

    206.835 - 1.015 words per sentence - 84.6 syllables per word (Flesch 1948); a word has as many
    syllables as groups of vowels, less a silent e. Names in code count as a word of one.
    """
    found = [re.findall(r"[A-Za-z']+", sentence) for sentence in sentences(text(markdown))]
    found = [one for one in found if one]
    every = [word for one in found for word in one]
    if not every:
        return 100.0
    spoken = sum(map(syllables, every))
    return 206.835 - 1.015 * len(every) / len(found) - 84.6 * spoken / len(every)


def syllables(word: str) -> int:
    """Groups of vowels, less a silent e at the end; at least 1."""
    lower = word.lower()
    groups = len(re.findall(r"[aeiouy]+", lower))
    silent = lower.endswith("e") and not lower.endswith(("le", "ee"))
    return max(1, groups - silent)


def length(markdown: str) -> float:
    """Words per sentence."""
    found = sentences(text(markdown))
    return sum(len(one.split()) for one in found) / max(1, len(found))


def refused(markdown: str) -> list[str]:
    """Phrases that a page uses and should not, with what to write."""
    plain = re.sub(r"`[^`\n]*`", "", text(markdown)) + "\n".join(
        re.findall(r"^\|.*$", markdown, re.M)
    )
    return [
        f"{match[0]!r} (better: {better})"
        for pattern, better in REFUSED.items()
        for match in re.finditer(pattern, plain, re.I)
    ]


def main() -> None:
    """Print the table."""
    print(f"{'page':40} {'words':>6} {'ease':>5} {'words per sentence':>18}")
    texts = {page: page.read_text(encoding="utf-8") for page in pages()}
    for page, markdown in texts.items():
        name = str(page.relative_to(ROOT))
        print(f"{name:40} {words(markdown):6} {ease(markdown):5.0f} {length(markdown):18.1f}")
    whole = "\n\n".join(texts.values())
    print(f"{'all':40} {words(whole):6} {ease(whole):5.0f} {length(whole):18.1f}")


if __name__ == "__main__":
    main()
