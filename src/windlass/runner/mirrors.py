"""The runner's own copies of repositories, brought up to date from the server's.

    repositories/ID/repository/.git    the mirror: branches and tags, as they were last fetched
    repositories/ID                    beside it what a local run keeps in `.windlass`

Git is told the token of the job by variables, so it is in no argument of a process.
"""

from __future__ import annotations

import fcntl
import http.client
import os
import re
import ssl
import time
from typing import TYPE_CHECKING, Final

from windlass.errors import GitError, InputError, WorkspaceError
from windlass.git.asking_remotes import KEPT, add_setting, fetch_with_history, first_line
from windlass.git.folders import SHA256_LENGTH, detach_head, make_git_folder
from windlass.git.kept_repositories import LOCK
from windlass.runner.repository_upkeep import Use

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.git.commands import Answer
    from windlass.protocol.assignments import GitAccess
    from windlass.runner.connection import Address

REPOSITORY: Final = "repository"
STORE: Final = f"{REPOSITORY}/.git"
"""Where the objects of a repository are, below its folder."""

TRIES: Final = 3
PATIENCE_SECONDS: Final = 60.0
"""How long a server may be away, for it is started again perhaps, before a job is told so."""

FRESH_SECONDS: Final = 5.0
_AUTHORITIES: Final = "GIT_SSL_CAINFO"
_FETCHED: Final = "windlass-fetched"
_PAUSE_SECONDS: Final = 0.25
_SECONDS_TO_ANSWER: Final = 5.0
_AWAY: Final = (502, 503, 504)
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
NO_CLEANING: Final = "[gc]\n\tauto = 0\n"
"""Commits that no branch leads to any more may be those of a job."""


class Mirror:
    """One repository as this runner has it; several jobs may use it at once."""

    def __init__(
        self, repositories: Path, access: GitAccess, find_server: Callable[[], Address], sha: str
    ) -> None:
        """Take the folder of all repositories, where this one is, and the commit of a job.

        Where the server is may change meanwhile.

        Raises:
            InputError: the server's id of the repository is none.
            WorkspaceError: the mirror cannot be made.
        """
        if not NAME.fullmatch(access.repository):
            raise InputError(f"'{access.repository}' is not the id of a repository")
        self.state = repositories / access.repository
        self._access = access
        self._find_server = find_server
        self._sha = sha
        self._make()

    @property
    def root(self) -> Path:
        """What stands for a user's working tree: nothing but its `.git`."""
        return self.state / REPOSITORY

    def update(self) -> None:
        """Fetch all branches and tags, and the commit, unless that was done just now.

        Raises:
            GitError: the server does not have the commit, or git failed.
            WorkspaceError: it cannot be kept.
        """
        store = self.root / ".git"
        try:
            with (store / LOCK).open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if _is_fresh(store) and (store / KEPT / self._sha).exists():
                    return
                answer = self._fetch(store, lock.fileno())
                if answer.code == 0:
                    detach_head(store, self._sha)
                    (store / _FETCHED).touch()
        except OSError as error:
            raise WorkspaceError(f"{store} cannot be used: {error.strerror}") from error
        if answer.code != 0:
            raise GitError(
                f"the commit {self._sha} cannot be fetched from the server: "
                f"{first_line(answer.complaint) or 'it does not have it'}",
                hint="The server may not have it any more; run what is pushed now.",
            )

    def _fetch(self, store: Path, lock: int) -> Answer:
        """Fetch; where the server is away, wait for it and fetch again."""
        header = f"Authorization: Bearer {self._access.token}"
        for _ in range(TRIES):
            url = self._find_server().join(self._access.url)
            setting = add_setting(f"http.{url}.extraHeader", header)
            variables = {**_find_authorities(), **setting}
            answer = fetch_with_history(store, url, self._sha, lock, variables)
            if answer.code == 0 or not _wait_until_ready(self._find_server):
                break
        return answer

    def _make(self) -> None:
        store = self.root / ".git"
        # Nobody removes it as long as this lives.
        self._used = Use(self.state)
        try:
            self.root.mkdir(mode=0o700, exist_ok=True)
            with (self.state / LOCK).open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not (store / "HEAD").exists():
                    wide = len(self._sha) == SHA256_LENGTH
                    make_git_folder(store, (), bare=True, wide=wide, settings=NO_CLEANING)
        except OSError as error:
            raise WorkspaceError(f"{store} cannot be made: {error.strerror}") from error


def _find_authorities() -> dict[str, str]:
    """Return the variable by which Git trusts whom this process trusts, where that is said."""
    given = os.environ.get(ssl.get_default_verify_paths().openssl_cafile_env)
    return {} if given is None or _AUTHORITIES in os.environ else {_AUTHORITIES: given}


def _is_fresh(store: Path) -> bool:
    """Tell whether all was fetched a moment ago, for a job that began together with this one."""
    try:
        age = time.time() - (store / _FETCHED).stat().st_mtime
    except FileNotFoundError:
        return False
    # Where the clock was set back meanwhile, nobody knows.
    return 0 <= age < FRESH_SECONDS


def _wait_until_ready(find_server: Callable[[], Address]) -> bool:
    """Wait until a server says that it works; False where it does not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _is_ready(find_server()):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True


def _is_ready(server: Address) -> bool:
    is_open = server.scheme == "http"
    make = http.client.HTTPConnection if is_open else http.client.HTTPSConnection
    client = make(server.place, timeout=_SECONDS_TO_ANSWER)
    try:
        client.request("GET", f"{server.path}/health/ready")
        return client.getresponse().status not in _AWAY
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()
