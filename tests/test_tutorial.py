"""The tutorial, run as its reader would: every block, in order, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from zoo.runtime import backends

# in short, test_docs.py and test_cli_new.py tell whether its commands and a new plugin work
pytestmark = [pytest.mark.backend_free, pytest.mark.slow]

PAGE = Path(__file__).parent.parent / "docs/tutorials/plugin.md"


def test_every_block_of_the_tutorial_works(tmp_path):
    reader = Reader(tmp_path)
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    for language, text in blocks:
        getattr(reader, language)(text)
    assert len(blocks) == PAGE.read_text(encoding="utf-8").count("\n```\n")
    assert reader.files == ["zoo_realnvp/__init__.py", "recipes/realnvp.py"]
    assert (reader.folder / "moons.npy").exists()


class Reader:
    """Does what blocks say: a method for each language."""

    def __init__(self, folder: Path):
        self.folder, self.site = folder, folder / "site"
        self.said, self.files = "", []
        self.session: list[str] = []  # blocks of Python that build on each other

    def sh(self, text):
        for line in text.splitlines():
            if line.startswith("cd "):
                self.folder /= line.removeprefix("cd ")
                self.install()
                continue
            command = re.sub(r"^zoo ", f"{sys.executable} -m zoo ", line)
            command = re.sub(r"^python ", f"{sys.executable} ", command)
            self.run(command, shell=True)

    def python(self, text):
        named = re.match(r"# (\S+\.py)\n", text)
        if named:
            (self.folder / named[1]).write_text(text)
            self.files.append(named[1])
            return
        self.session.append(text)
        self.run([sys.executable, "-c", "\n".join(self.session)])

    def text(self, text):
        assert self.said.strip() == text.strip()

    def run(self, command, shell=False):
        done = subprocess.run(
            command,
            shell=shell,
            cwd=self.folder,
            env={
                **os.environ,
                "KERAS_BACKEND": backends.installed()[0],
                "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
                "PYTHONPATH": os.pathsep.join(
                    [str(self.folder), str(self.site), os.environ.get("PYTHONPATH", "")]
                ),
            },
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        self.said = done.stdout

    def install(self):
        """What ``pip install -e .`` leaves of the project's metadata, without a network."""
        project = tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]
        info = self.site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir(parents=True)
        info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        points = [
            "\n".join([f"[{group}]", *(f"{name} = {target}" for name, target in own.items())])
            for group, own in project["entry-points"].items()
        ]
        info.joinpath("entry_points.txt").write_text("\n\n".join(points) + "\n")
