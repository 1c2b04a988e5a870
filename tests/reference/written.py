"""All pages that are written from the code."""

from tests import reference
from tests.reference import commands, fields


def pages() -> dict[str, str]:
    """``{path within docs: text}``."""
    return {**reference.pages(), **commands.pages(), **fields.pages()}
