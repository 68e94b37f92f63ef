"""Repositories of others: bare ones in a folder, read as files, over smart and over plain HTTP."""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler
from typing import TYPE_CHECKING

from tests.serving import serve

from windlass.git.commands import make_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

IDENTITY = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


class Remotes:
    """A folder of bare repositories, `owner/name.git` each."""

    def __init__(self, root: Path) -> None:
        self.root = root / "remotes"
        self._work = root / "work"
        self.root.mkdir()

    @property
    def url(self) -> str:
        """The beginning of their URLs."""
        return f"file://{self.root}"

    def publish(
        self,
        name: str,
        files: Mapping[str, str],
        *,
        tag: str = "v1",
        branch: str = "main",
        links: Mapping[str, str] | None = None,
    ) -> str:
        """Commit files to a branch of a repository, put a tag there, and return the commit.

        A path that ends with `/` is removed; `links` are symbolic links by path.
        """
        bare, work = self.root / f"{name}.git", self._work / name
        if not work.exists():
            work.mkdir(parents=True)
            self.git("init", "-q", "-b", branch, str(work))
            self.git("init", "-q", "--bare", "-b", branch, str(bare))
        self.git("checkout", "-q", "-B", branch, at=work)
        for path, text in files.items():
            file = work / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        for path, target in (links or {}).items():
            (work / path).symlink_to(target)
        self.git("add", "-A", at=work)
        self.git("commit", "-q", "--allow-empty", "-m", "Change", at=work)
        self.git("tag", "-f", "-a", "-m", tag, tag, at=work)
        refs = (f"refs/heads/{branch}", f"refs/tags/{tag}")
        self.git("push", "-q", "-f", str(bare), *refs, at=work)
        self.git("update-server-info", at=bare)
        return self.git("rev-parse", "HEAD", at=work)

    def git(self, *words: str, at: Path | None = None) -> str:
        """Run Git and return what it prints."""
        done = subprocess.run(
            ["git", *words],
            cwd=at or self.root,
            env=make_environment(IDENTITY),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    @contextlib.contextmanager
    def over_http(self, *, smart: bool, password: str = "", user: str = "me") -> Iterator[str]:
        """Serve them to whoever has the password, if there is one; yield where they begin."""
        login = base64.b64encode(f"{user}:{password}".encode()).decode() if password else ""
        handler = type("Handler", (_Smart if smart else _Plain,), {"login": login})
        with serve(partial(handler, directory=str(self.root))) as url:
            yield url


class _Plain(SimpleHTTPRequestHandler):
    """Files as they are: what Git calls the dumb protocol."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Smart(BaseHTTPRequestHandler):
    """`git http-backend`, as a web server would run it."""

    login = ""

    def __init__(self, *arguments: object, directory: str) -> None:
        self._directory = directory
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer what a repository has."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Answer a request for objects."""
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, body: bytes) -> None:
        scheme, _, login = self.headers.get("Authorization", "").partition(" ")
        if self.login and (scheme.lower(), login) != ("basic", self.login):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="remotes"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        variables = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": self._directory,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], env=variables, input=body, capture_output=True, check=False
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
