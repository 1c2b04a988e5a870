"""A stand-in for the Hugging Face Hub: as much of it as ``zoo push`` and ``zoo pull`` use.

It answers ``huggingface_hub`` itself, whose endpoint is turned to it.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import threading
import urllib.parse
from dataclasses import dataclass, field

TOKEN = "hf_standin"
USER = "tester"


@dataclass
class Repository:
    """Its commits, ``{id: {file: content}}``, the newest last."""

    private: bool = False
    gated: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def commit(self, files):
        name = hashlib.sha1(repr((sorted(files.items()), len(self.commits))).encode()).hexdigest()
        self.commits[name] = dict(files)
        return name

    def find(self, revision):
        """The commit of a name, and its files."""
        if revision == "main":
            revision = list(self.commits)[-1]
        return revision, self.commits[revision]


class Hub(http.server.ThreadingHTTPServer):
    """The server; ``repositories`` is ``{"owner/name": Repository}``."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, Repository] = {}
        self.fetched: list[str] = []
        self.claimed: dict[str, int] = {}  # sizes that it lies of
        self.answer = None  # a status that it answers all with
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Refused(Exception):
    """Status, the Hub's code of the error, and text."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def handle_request(self):
        length = int(self.headers.get("content-length") or 0)
        self.body = self.rfile.read(length)
        try:
            if self.server.answer:
                raise Refused(self.server.answer, "", "as the test has it")
            status, headers, content = self.route()
        except Refused as refused:
            status, code, text = refused.args
            headers = {"X-Error-Code": code} if code else {}
            headers["X-Error-Message"] = text
            content = json.dumps({"error": text}).encode()
        self.send_response(status)
        for name, value in {"Content-Length": len(content), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = handle_request

    @property
    def known(self):
        """Whether the request has the token; ``Refused`` for a wrong one."""
        given = self.headers.get("authorization")
        if given and given != f"Bearer {TOKEN}":
            raise Refused(401, "", "Invalid credentials in Authorization header")
        return given is not None

    def repository(self, name, writes=False):
        found = self.server.repositories.get(name)
        if found is None or (found.private and not self.known):
            # the Hub does not say which of the two to those whom it does not know
            raise Refused(404 if self.known else 401, "RepoNotFound", "Repository not found")
        if found.gated:
            raise Refused(403, "GatedRepo", "Access to model is restricted")
        if writes and not (self.known and name.startswith(f"{USER}/")):
            raise Refused(403, "", "You don't have the rights")
        return found

    def commit(self, name, revision):
        try:
            return self.repository(name).find(revision)
        except (KeyError, IndexError):
            raise Refused(404, "RevisionNotFound", "Invalid rev id") from None

    def route(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        if path == "/api/whoami-v2":
            if not self.known:
                raise Refused(401, "", "Invalid username or password.")
            return answer({"name": USER, "type": "user", "orgs": []})
        if path == "/api/repos/create":
            made = json.loads(self.body)
            name = f"{made.get('organization') or USER}/{made['name']}"
            private = bool(made.get("private") or made.get("visibility") == "private")
            if name not in self.server.repositories:
                self.server.repositories[name] = Repository(private)
                self.server.repositories[name].commit({".gitattributes": b""})
            return answer({"url": f"{self.server.url}/{name}"})
        if path == "/api/validate-yaml":
            return answer({"errors": [], "warnings": []})
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/preupload/(.*)", path):
            self.repository(found[1], writes=True)
            files = json.loads(self.body)["files"]
            modes = {"uploadMode": "regular", "shouldIgnore": False}
            return answer({"files": [{"path": file["path"], **modes} for file in files]})
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/(.*)", path):
            return self.committed(self.repository(found[1], writes=True), found[1])
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.*))?", path):
            name = found[1]
            sha, files = self.commit(name, found[2] or "main")
            listed = [
                {"rfilename": file, "size": self.server.claimed.get(file, len(content))}
                for file, content in files.items()
            ]
            return answer({"_id": "1", "id": name, "modelId": name, "sha": sha, "siblings": listed})
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.*)", path):
            sha, files = self.commit(found[1], found[2])
            if found[3] not in files:
                raise Refused(404, "EntryNotFound", "Entry not found")
            content = files[found[3]]
            if self.command == "GET":
                self.server.fetched.append(found[3])
            etag = hashlib.sha1(content).hexdigest()
            return 200, {"X-Repo-Commit": sha, "ETag": f'"{etag}"'}, content
        raise Refused(404, "", f"the stand-in has no {self.command} {path}")

    def committed(self, repository, name):
        files = dict(repository.find("main")[1])
        for line in self.body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                assert value["encoding"] == "base64"
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "deletedFile":
                del files[value["path"]]
        sha = repository.commit(files)
        return answer(
            {
                "success": True,
                "commitOid": sha,
                "commitUrl": f"{self.server.url}/{name}/commit/{sha}",
            }
        )


def answer(value):
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()
