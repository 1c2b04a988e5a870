"""Packs pushed to a hub or a folder, and pulled from there by somebody else."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import zoo
from tests import hub
from tests.manifests import manifest
from zoo.errors import ZooError
from zoo.runs import folders, pretrained, pulled, sharing
from zoo.runs.run import Run

pytest.importorskip("huggingface_hub", reason="huggingface_hub, the extra hub, is not installed")

TINY = "vae2d_mnist"  # the smallest that comes with the zoo and samples


@pytest.fixture
def server():
    made = hub.Hub()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A working folder, and a Keras folder of its own."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(home, server):
    """``command(*words)``: status, stdout and stderr of a real process."""

    def run(*words, token=hub.TOKEN, **changes):
        environment = {
            **os.environ,
            "HF_ENDPOINT": server.url,
            "HF_HOME": str(home / "hf"),
            "HF_TOKEN": token or "",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            **changes,
        }
        words = [sys.executable, "-m", "zoo", *map(str, words)]
        done = subprocess.run(
            words, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


def shipped(name=TINY):
    return pretrained.find(name).path


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.once_in_short
def test_a_model_goes_to_the_hub_and_comes_back(command, server, home):
    status, out, err = command("push", TINY, "hf://tester/digits", "--yes")
    assert status == 0, err
    assert "to hf://tester/digits, as tester: a new public repository" in err
    assert "weights.safetensors  4" in err and "license: Apache-2.0; trained on MNIST" in err
    repository = server.repositories["tester/digits"]
    sha, there = repository.find("main")
    assert f"hf://tester/digits@{sha}" in out
    ours = files_of(shipped())
    assert {n: c for n, c in there.items() if n in ours and n != "README.md"} == {
        n: c for n, c in ours.items() if n != "README.md"
    }
    there["evil.py"] = b"raise SystemExit('code ran')"

    status, out, err = command("pull", "hf://tester/digits", token=None)
    assert status == 0, err
    assert sorted(set(server.fetched)) == sorted(ours)  # and nothing else
    assert f"revision {sha}" in out and "next: zoo sample tester/digits" in out
    assert "elbo  -148.8" in out
    kept = pulled.place("tester/digits")
    about = json.loads((kept / "source.json").read_text())
    assert about["from"] == "hf://tester/digits" and about["revision"] == sha
    assert sorted(files_of(kept)) == sorted([*ours, "source.json"])
    for name in ("tester/digits", "hf://tester/digits", f"hf://tester/digits@{sha}"):
        np.testing.assert_array_equal(zoo.load(name).sample(3), zoo.load(TINY).sample(3))
    status, out, _ = command("list", "pretrained")
    assert re.search(r"tester/digits +\d+ kB +mnist +elbo", out)


@pytest.mark.backend_free
def test_the_card_on_the_hub_has_figures_and_licenses(command, server):
    assert command("push", "vae_mnist", "hf://tester/vae", "--yes")[0] == 0
    from huggingface_hub import ModelCard

    card = ModelCard(server.repositories["tester/vae"].find("main")[1]["README.md"].decode())
    assert card.data.library_name == "keras-zoo" and card.data.license == "apache-2.0"
    figures = {result.metric_type: result for result in card.data.eval_results}
    kept = Run(shipped("vae_mnist")).read_json("results.json")["metrics"]
    assert {name: found.metric_value for name, found in figures.items()} == {
        name: found["value"] for name, found in kept.items()
    }
    assert "10,000 test examples" in figures["elbo"].metric_args["protocol"]
    assert figures["elbo"].dataset_name == "mnist"
    assert "zoo pull hf://tester/vae\nzoo sample tester/vae" in card.text
    assert "MNIST, which is CC BY-SA 3.0" in card.text


@pytest.mark.backend_free
@pytest.mark.parametrize(
    ("shape", "abilities", "task"),
    [
        ((28, 28, 1), ("sample", "encode"), "unconditional-image-generation"),
        ((28, 28, 1), ("reconstruct", "encode"), "image-feature-extraction"),
        ((28, 28, 1), ("reconstruct",), "image-to-image"),
        ((28, 28, 1), ("classify",), "image-classification"),
        ((2,), ("sample",), "other"),
        ((7,), ("classify",), "tabular-classification"),
    ],
)
def test_the_hub_is_told_what_a_model_is_for(shape, abilities, task):
    from zoo.runs.hub import _task

    described = SimpleNamespace(abilities=abilities, data=SimpleNamespace(shape=shape))
    assert _task(described) == task


@pytest.mark.backend_free
def test_a_second_push_replaces_and_removes(command, server, home):
    stale = {"sampler.safetensors": b"old", "notes.txt": b"mine", "README.md": b"old"}
    server.repositories["tester/vae"] = hub.Repository()
    server.repositories["tester/vae"].commit(stale)
    status, _, err = command("push", TINY, "hf://tester/vae", "-y", "--license", "CC0-1.0")
    assert status == 0, err
    assert re.search(r"README.md  .*in place of the one there", err)
    _, there = server.repositories["tester/vae"].find("main")
    assert "sampler.safetensors" not in there and there["notes.txt"] == b"mine"
    assert json.loads(there["run.json"])["pack"]["license"] == "CC0-1.0"
    assert b"license: cc0-1.0" in there["README.md"]
    assert Run(shipped()).manifest.pack.license.startswith("Apache")  # ours is as it was


@pytest.mark.backend_free
def test_nothing_is_sent_without_a_yes(command, server, home):
    status, _, err = command("push", TINY, "hf://tester/vae")
    assert status == 2 and "nothing was sent: nobody is there to answer" in err
    status, _, err = command("push", TINY, home / "models" / "vae")
    assert status == 2 and not (home / "models").exists()
    assert not server.repositories


@pytest.mark.backend_free
@pytest.mark.parametrize(("said", "status"), [("y", 0), ("n", 2)])
def test_a_person_is_asked(home, said, status):
    primary, secondary = pty.openpty()
    words = [sys.executable, "-m", "zoo", "push", TINY, "models/vae"]
    done = subprocess.Popen(words, stdin=secondary, stderr=subprocess.PIPE, text=True)
    os.write(primary, f"{said}\n".encode())
    err = done.communicate()[1]
    assert done.returncode == status and "Send it? [y/N]" in err, err
    assert (home / "models" / "vae" / "run.json").exists() == (said == "y")


@pytest.mark.backend_free
def test_what_the_hub_refuses_is_one_message(command, server):
    command("push", TINY, "hf://tester/private", "--yes", "--private")
    assert server.repositories["tester/private"].private
    server.repositories["o/gated"] = hub.Repository(gated=True)
    server.repositories["o/other"] = hub.Repository(commits={"0" * 40: {"config.json": b"{}"}})
    pull, push = ["pull"], ["push", TINY]
    for words, options, message in (
        ([*pull, "hf://o/none"], {}, "there is no such model on the Hub, or it is private"),
        ([*pull, "hf://tester/private"], {"token": None}, r"for a private one, log in \(hf auth"),
        ([*pull, "hf://o/gated"], {}, "ask for it on the repository's page"),
        ([*pull, "hf://tester/private@v9"], {}, "no such branch, tag or commit"),
        ([*pull, "hf://o/other"], {}, "holds no pack of the zoo: it has no run.json"),
        ([*pull, "hf://o/none"], {"token": "hf_wrong"}, "log in"),
        ([*push, "hf://tester/x"], {"token": "hf_wrong"}, "the Hub does not know your token"),
        ([*push, "hf://tester/x"], {"token": None}, r"log in \(hf auth login\), or set HF_TOKEN"),
        ([*push, "hf://o/other", "-y"], {}, "you may not write there"),
        ([*push, "hf://tester/x@v1"], {}, "sent without a revision"),
        ([*pull, "hf://x"], {}, "OWNER/NAME is accepted"),
        ([*pull, "hf://../.."], {}, "OWNER/NAME is accepted"),
        ([*pull, "hf://a/b@c d"], {}, "names a branch, a tag or a commit"),
    ):
        status, _, err = command(*words, **options)
        assert status == 2 and re.search(message, err), (words, err)
    status, _, err = command(*pull, "hf://o/x", HF_ENDPOINT="http://127.0.0.1:9")
    assert status == 1 and "cannot reach the Hub" in err
    status, _, err = command(*pull, "hf://o/x", HF_HUB_OFFLINE="1")
    assert status == 1 and "cannot reach the Hub" in err
    server.answer = 418
    status, _, err = command(*pull, "hf://o/x")
    assert status == 1 and "the Hub answered 418" in err
    with pytest.raises(ZooError, match="To fetch it: zoo pull hf://o/none"):
        zoo.load("hf://o/none")


def damaged(kind):
    """The files of a pack, changed by a stranger or on the way."""
    found = files_of(shipped())
    described = json.loads(found["run.json"])
    if kind == "weights":
        found["weights.safetensors"] = found["weights.safetensors"][:-1] + b"\0"
    elif kind == "codes":
        found["codes.safetensors"] = b"no arrays"
    elif kind == "added":
        found["sampler.safetensors"] = found["codes.safetensors"]
    elif kind == "run":
        described["pack"] = None
    elif kind == "code":
        described["model"]["name"] = None
    elif kind == "results":
        found["results.json"] = b'{"metrics": {"elbo": {"value": "x"}}}'
    elif kind == "missing":
        del found["weights.safetensors"]
    found["run.json"] = json.dumps(described).encode()
    return found


DAMAGES = {
    "weights": "weights.safetensors is not the file that its run.json has the SHA-256 of",
    "codes": "codes.safetensors holds no arrays",
    "added": "sampler.safetensors is not the file",
    "run": "is a run and no pack",
    "code": "its model is code of its recipe",
    "results": r"metrics.elbo: value is \"x\"",
    "missing": "it has no weights.safetensors",
}


@pytest.mark.backend_free
@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_pack_is_refused_and_the_old_one_stays(home, kind):
    sharing.keep("me/vae", files_of(shipped()), "hf://me/vae", "1" * 40)
    before = files_of(pulled.place("me/vae"))
    folder = home / "me" / "vae"
    folder.mkdir(parents=True)
    for name, content in damaged(kind).items():
        (folder / name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "zoo", "pull", str(folder)], capture_output=True, text=True
    )
    assert done.returncode == 2 and re.search(DAMAGES[kind], done.stderr), done.stderr
    assert files_of(pulled.place("me/vae")) == before


@pytest.mark.backend_free
def test_files_that_are_too_large_are_not_fetched(command, server):
    server.repositories["o/large"] = hub.Repository()
    server.repositories["o/large"].commit(files_of(shipped()))
    server.claimed["results.json"] = 17 << 20
    status, _, err = command("pull", "hf://o/large")
    assert status == 2 and "results.json has 17.8 MB; at most 16.8 MB is accepted" in err
    assert server.fetched == []


@pytest.mark.backend_free
def test_links_of_a_folder_are_not_followed(home):
    folder = shutil.copytree(shipped(), home / "a" / "b")
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to("/etc/hostname")
    with pytest.raises(ZooError, match=r"README\.md"):
        sharing.checked(folder, "it")


@pytest.mark.backend_free
def test_code_is_taken_only_by_those_who_trust_it_and_is_not_run(command, server, home):
    server.repositories["o/own"] = hub.Repository()
    content = {**damaged("code"), "recipe.py": b"open('ran', 'w')"}
    server.repositories["o/own"].commit(content)
    status, _, err = command("pull", "hf://o/own")
    assert status == 2 and "--trust fetches recipe.py too" in err
    assert "recipe.py" not in server.fetched
    status, _, err = command("pull", "hf://o/own", "--trust")
    assert status == 0, err
    assert (pulled.place("o/own") / "recipe.py").exists() and not (home / "ran").exists()
    status, _, err = command("sample", "o/own")
    assert status == 2 and "--recipe FILE" in err and not (home / "ran").exists()


@pytest.mark.once_in_short
def test_a_folder_works_the_same_way(command, home):
    status, out, err = command("push", TINY, "models/vae", "--yes")
    assert status == 0 and out.endswith("next: zoo pull models/vae\n"), err
    assert files_of(home / "models" / "vae") == files_of(shipped())
    status, out, err = command("pull", "models/vae")
    assert status == 0 and "next: zoo sample models/vae" in out, err
    shutil.rmtree(home / "models")
    np.testing.assert_array_equal(zoo.load("models/vae").sample(2), zoo.load(TINY).sample(2))
    (home / "full").mkdir()
    (home / "full" / "x").write_text("mine")
    status, _, err = command("push", TINY, "full", "--yes")
    assert status == 2 and "not empty and no pack" in err
    status, _, err = command("pull", "full")
    assert status == 2 and "full is no pack: it has no run.json" in err


@pytest.mark.backend_free
def test_the_name_of_a_pulled_model_takes_nobody_elses(home):
    sharing.keep(f"stranger/{TINY}", files_of(shipped()), "hf://x/y", "1" * 40)
    sharing.keep("stranger/mine", files_of(shipped()), "hf://stranger/mine", "1" * 40)
    assert folders.find(TINY, home).path == shipped()
    run = Run(home / "mine" / "20260101T000000Z-aaaa")
    run.path.mkdir(parents=True)
    run.write_manifest(manifest(recipe="mine"))
    assert folders.find("mine", home).path == run.path
    assert folders.find("stranger/mine", home).path == pulled.place("stranger/mine")
    with pytest.raises(ZooError, match="revision 11111111 of it is on this machine"):
        folders.find("hf://stranger/mine@2222222", home)


@pytest.mark.backend_free
def test_damaged_and_half_written_folders_are_no_packs(home):
    kept = sharing.keep("o/n", files_of(shipped()), "hf://o/n", "1" * 40).path
    (kept / "source.json").write_text("[]")
    aside = pulled.root() / "o" / ".zoo-x"
    shutil.copytree(kept, aside)
    (aside / "source.json").write_bytes(pulled.source("hf://o/n", "1" * 40, "now"))
    assert list(pulled.packs()) == []
