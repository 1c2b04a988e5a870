"""Results of recipes: finished runs are kept as JSON, and the page is made of them.

    python -m benchmarks.results                 the tables of docs/lab/results.md, written anew
    python -m benchmarks.results --add RUN...    keep these runs first, by their folders

A run is kept whole: finished, by the code of a shipped recipe, measured with --full.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.results import kept, page, published
from zoo.errors import ZooError
from zoo.runs import folders
from zoo.runtime import writer
from zoo.runtime.console import say


def main() -> int:
    """Keep runs, then render the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.results",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--add", nargs="+", default=[], metavar="RUN", help="a finished run")
    options = parser.parse_args()
    try:
        found = [kept.of_run(folders.find(name, folders.root(), say)) for name in options.add]
        for each in found:
            say(f"kept as {kept.write(each)}: {each.command}")
        _render()
    except ZooError as error:
        say(str(error))
        return 2
    return 0


def _render() -> None:
    every, before = kept.all_of(), page.PAGE.read_text(encoding="utf-8")
    after = page.rendered(before, every, published.figures())
    if after != before:
        writer.write(page.PAGE, after.encode(), None)
    say(f"{page.PAGE.name}: {'written anew' if after != before else 'as it was'}")
    for file in page.unshown(after, every):
        say(f"no table shows {file}: name its recipe in a mark (CONTRIBUTING.md)")


if __name__ == "__main__":
    sys.exit(main())
