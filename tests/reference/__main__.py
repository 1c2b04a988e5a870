"""Write the reference anew."""

from tests import reference
from tests.reference import written

if __name__ == "__main__":
    for old in reference.DOCS.glob("reference/api/*.md"):
        old.unlink()
    for path, text in written.pages().items():
        (reference.DOCS / path).parent.mkdir(exist_ok=True)
        (reference.DOCS / path).write_text(text, encoding="utf-8")
