"""The Hugging Face Hub, through ``huggingface_hub``: the extra ``hub``.

Where the Hub is, and who is asking, is that library's affair: ``HF_ENDPOINT``, ``HF_TOKEN`` and
``hf auth login`` count.
"""

from __future__ import annotations

import contextlib
import math
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import RunFailed, ZooError
from zoo.runs import card as cards
from zoo.runs import parameters, pulled, results, sharing
from zoo.runs.manifest import Manifest
from zoo.runs.run import RESULTS, Run
from zoo.runtime.console import brief, printable

_LICENSES = ("apache-2.0", "mit", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0")
"""Names of licenses that the Hub knows, and that texts here begin with."""

_LOGIN = "log in (hf auth login), or set HF_TOKEN"


@dataclass(frozen=True)
class Repository:
    """A model's repository on the Hub.

    Attributes:
        name: ``"owner/name"``.
        revision: a branch, a tag or a commit; None for the newest.
    """

    name: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"{pulled.HUB}{self.name}" + (f"@{self.revision}" if self.revision else "")


def repository(text: str) -> Repository | None:
    """What ``hf://owner/name[@revision]`` names; None for other text.

    Raises:
        ZooError: it begins so, and is no such address.
    """
    if not text.startswith(pulled.HUB):
        return None
    name, at, revision = text.removeprefix(pulled.HUB).partition("@")
    pulled.place(name)
    if at and not re.fullmatch(r"[\w./-]{1,100}", revision):
        raise ZooError(f"{text}: hf://OWNER/NAME@REVISION names a branch, a tag or a commit")
    return Repository(name, revision or None)


def fetch(source: Repository, to: Path, trust: bool = False) -> str:
    """Fetch the files of a pack, and no others, into an empty folder.

    Nothing of them is trusted yet: see ``sharing.checked``.

    Returns:
        The commit that they are of.

    Raises:
        ZooError: there is no such repository or revision, it holds no pack, a file is too large,
            or the Hub cannot be reached.
    """
    hub = _library()
    with _explained(source):
        found = hub.HfApi().model_info(source.name, revision=source.revision, files_metadata=True)
        there = {file.rfilename: file.size for file in found.siblings or ()}
        wanted = {name: there[name] for name in sharing.allowed(trust) if name in there}
        if missing := [name for name in sharing.NEEDED if name not in wanted]:
            raise ZooError(f"{source} holds no pack of the zoo: it has no {missing[0]}")
        sharing.refuse_large(wanted, str(source))
        for name in wanted:
            hub.hf_hub_download(source.name, name, revision=found.sha, local_dir=to)
    return str(found.sha)


@dataclass(frozen=True)
class Upload:
    """What is sent to a repository, all in one commit.

    Attributes:
        target: the repository.
        files: ``{file: content}``.
        user: who sends it.
        private: whether the repository is to be private, where it is made now.
        there: the files that the repository has; None where there is no such repository.
    """

    target: Repository
    files: Mapping[str, bytes]
    user: str
    private: bool
    there: frozenset[str] | None

    def send(self) -> str:
        """Send it; returns the commit."""
        hub = _library()
        stale = (sharing.FILES.keys() - self.files.keys()) & (self.there or set())
        operations = [
            *(hub.CommitOperationAdd(name, content) for name, content in self.files.items()),
            *(hub.CommitOperationDelete(name) for name in sorted(stale)),
        ]
        api = hub.HfApi()
        with _explained(self.target):
            if self.there is None:
                api.create_repo(self.target.name, private=self.private, exist_ok=True)
            made = api.create_commit(
                self.target.name, operations, commit_message="A pack of keras-zoo"
            )
        return str(made.oid)


def prepare(
    target: Repository, pack: Run, content: Mapping[str, bytes], *, private: bool
) -> Upload:
    """Find out who sends, and what is in the repository; nothing is sent.

    Args:
        target: the repository, there or not.
        pack: the pack.
        content: its files, of which the card is written anew for the Hub.
        private: whether a repository that is made now is to be private.

    Raises:
        ZooError: no token, no network, or the Hub refuses.
    """
    if target.revision:
        raise ZooError(f"{target}: a pack is sent without a revision, as a new commit")
    hub = _library()
    api = hub.HfApi()
    with _explained(target):
        user = str(api.whoami()["name"])
        try:
            siblings = api.model_info(target.name).siblings or ()
            there: frozenset[str] | None = frozenset(file.rfilename for file in siblings)
        except hub.errors.GatedRepoError:
            raise
        except hub.errors.RepositoryNotFoundError:
            there = None
    text = front_matter(pack, target.name) + cards.card(
        pack, parameters.count(pack) or 0, target.name
    )
    files = {**content, sharing.CARD: text.encode("utf-8", "backslashreplace")}
    return Upload(target, files, user, private, there)


def front_matter(pack: Run, name: str) -> str:
    """What the Hub reads of a card: library, license, task, and the figures as ``model-index``."""
    hub, described = _library(), pack.manifest
    data = hub.ModelCardData(
        library_name="keras-zoo",
        model_name=name.rpartition("/")[2],
        tags=["keras", "keras-zoo", "generative", described.model.title],
        eval_results=list(_figures(hub, pack, described)) or None,
        **_license(described),
        **({"pipeline_tag": _task(described)} if len(described.data.shape) == 3 else {}),
    )
    return f"---\n{data.to_yaml()}\n---\n\n"


def _figures(hub: Any, pack: Run, described: Manifest) -> Iterator[Any]:
    if not (pack.path / RESULTS).exists():
        return
    for metric, found in results.kept(pack).items():
        if math.isfinite(found["value"]):
            yield hub.EvalResult(
                task_type=_task(described),
                dataset_type=described.data.name,
                dataset_name=described.data.name,
                metric_type=metric,
                metric_name=f"{metric}, {found['unit']}" if found["unit"] else metric,
                metric_value=found["value"],
                metric_args={"protocol": found["protocol"]},
            )


def _task(described: Manifest) -> str:
    """The Hub's word for what a model does."""
    able, pictures = described.abilities, len(described.data.shape) == 3
    if "classify" in able:
        return "image-classification" if pictures else "tabular-classification"
    if not pictures:
        return "other"
    if "sample" in able:
        return "unconditional-image-generation"
    return "image-feature-extraction" if "encode" in able else "image-to-image"


def _license(described: Manifest) -> dict[str, str]:
    """The license as the Hub has it: one of its names, or ``other`` with the text."""
    text = described.pack.license if described.pack else ""
    if not text:
        return {}
    first = re.split(r"[;,]", text)[0].strip().lower()
    return {"license": first} if first in _LICENSES else {"license": "other", "license_name": text}


def _library() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.errors
        import huggingface_hub.utils
    except ImportError as error:
        raise ZooError(
            f"{pulled.HUB} needs the package huggingface_hub: pip install 'keras-zoo[hub]'"
        ) from error
    if not sys.stderr.isatty():
        huggingface_hub.utils.disable_progress_bars()  # type: ignore[attr-defined]  # the Hub makes it when asked
    return huggingface_hub


@contextlib.contextmanager
def _explained(what: Repository) -> Iterator[None]:
    """Tell what the Hub refuses, or that it cannot be reached, in one message."""
    errors = _library().errors
    try:
        yield
    except errors.GatedRepoError as error:
        raise ZooError(
            f"{what} gives access to those whom its owner lets in: ask for it on the "
            f"repository's page, and {_LOGIN}"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ZooError(
            f"{what}: there is no such model on the Hub, or it is private and not yours. Look at "
            f"the spelling; for a private one, {_LOGIN}"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ZooError(
            f"{what}: the repository has no such branch, tag or commit; leave @REVISION out for "
            "the newest"
        ) from error
    except errors.LocalTokenNotFoundError as error:
        raise ZooError(f"{what}: the Hub has to know who you are: {_LOGIN}") from error
    except errors.HfHubHTTPError as error:
        raise _answered(what, error) from error
    except errors.HFValidationError as error:
        raise ZooError(f"{what}: {printable(brief(str(error)))}") from error
    except (errors.HTTPError, errors.LocalEntryNotFoundError, ConnectionError) as error:
        raise RunFailed(
            f"{what}: cannot reach the Hub ({type(error).__name__}). Look at the network, at "
            "HF_ENDPOINT and HF_HUB_OFFLINE, then type the command again"
        ) from error


def _answered(what: Repository, error: Any) -> ZooError:
    """The error for a status of the Hub's that has no class of its own."""
    status = error.response.status_code
    if status == 401:
        return ZooError(f"{what}: the Hub does not know your token: {_LOGIN}")
    if status == 403:
        return ZooError(
            f"{what}: you may not write there. Take a repository of your own, and a token that may "
            "write"
        )
    said = printable(brief(" ".join(str(error.server_message or "").split())))
    return RunFailed(
        f"{what}: the Hub answered {status}{f' ({said})' if said else ''}. Try it again later"
    )
