"""The runner's own copies of repositories, brought up to date from the server's.

Git is told the token of the job by variables, so it is in no argument of a process.
"""

from __future__ import annotations

import http.client
import os
import ssl
import time
from typing import TYPE_CHECKING, Final

from windlass.errors import GitError
from windlass.git.asking_remotes import KEPT, add_setting, fetch_with_history, first_line
from windlass.git.folders import detach_head
from windlass.runner.repository_copies import RepositoryCopy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.git.commands import Answer
    from windlass.protocol.assignments import GitAccess
    from windlass.runner.connection import Address

TRIES: Final = 3
PATIENCE_SECONDS: Final = 60.0
"""How long a server may be away, for it is started again perhaps, before a job is told so."""

FRESH_SECONDS: Final = 5.0
_AUTHORITIES: Final = "GIT_SSL_CAINFO"
_FETCHED: Final = "windlass-fetched"
_PAUSE_SECONDS: Final = 0.25
_SECONDS_TO_ANSWER: Final = 5.0
_AWAY: Final = (502, 503, 504)


class Mirror(RepositoryCopy):
    """A copy with objects of its own."""

    def __init__(
        self, repositories: Path, access: GitAccess, find_server: Callable[[], Address], sha: str
    ) -> None:
        """Take the folder of all repositories, where this one is, and the commit of a job.

        Where the server is may change meanwhile.

        Raises:
            InputError: the server's id of the repository is none.
            WorkspaceError: the mirror cannot be made.
        """
        super().__init__(repositories, access.repository, sha)
        self._access = access
        self._find_server = find_server

    def update(self) -> None:
        """Fetch all branches and tags, and the commit, unless that was done just now.

        Raises:
            GitError: the server does not have the commit, or git failed.
            WorkspaceError: it cannot be kept.
        """
        with self.changing() as lock:
            if _is_fresh(self.store) and (self.store / KEPT / self.sha).exists():
                return
            answer = self._fetch(lock)
            if answer.code == 0:
                detach_head(self.store, self.sha)
                (self.store / _FETCHED).touch()
        if answer.code != 0:
            raise GitError(
                f"the commit {self.sha} cannot be fetched from the server: "
                f"{first_line(answer.complaint) or 'it does not have it'}",
                hint="The server may not have it any more; run what is pushed now.",
            )

    def _fetch(self, lock: int) -> Answer:
        """Fetch; where the server is away, wait for it and fetch again."""
        header = f"Authorization: Bearer {self._access.token}"
        for _ in range(TRIES):
            url = self._find_server().join(self._access.url)
            setting = add_setting(f"http.{url}.extraHeader", header)
            variables = {**_find_authorities(), **setting}
            answer = fetch_with_history(self.store, url, self.sha, lock, variables)
            if answer.code == 0 or not _wait_until_ready(self._find_server):
                break
        return answer


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
