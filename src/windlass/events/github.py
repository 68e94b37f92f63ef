"""Telling GitHub how runs go: commit statuses, and check runs with annotations.

Source: https://docs.github.com/en/rest/commits/statuses#create-a-commit-status and
https://docs.github.com/en/rest/checks/runs
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from windlass.errors import InvalidError, PlatformError
from windlass.events.addresses import Allowance, read_location

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from windlass.git.remotes import Remote

PATIENCE_SECONDS: Final = 15.0
ANSWER_SECONDS: Final = 60.0
MOST_BYTES: Final = 32 << 20
"""A hundred check runs, as a page has them, may have a long text each."""

MOST_ANNOTATIONS: Final = 50
"""GitHub takes so many in one request, and adds those of the next one."""

_TOO_MANY: Final = 429
_FORBIDDEN: Final = 403
_LEAST_FAULT: Final = 500
_LEAST_MISTAKE: Final = 400


class GitHubRefusal(InvalidError):  # noqa: N818 (no fault of ours: GitHub says no)
    """GitHub does not take it, and would not take it again."""


class GitHub:
    """One repository on GitHub, or on a server with its API, as its token may change it.

    Raises InvalidError where the API is at an address that a server does not ask. Its methods raise
    GitHubRefusal, and PlatformError where it is to be tried again.
    """

    def __init__(self, remote: Remote, api: str, token: str, allowance: Allowance) -> None:
        self._base = f"{api}/repos/{quote(remote.owner)}/{quote(remote.name)}"
        self._token = token
        # The name is not looked up again: it may stand for another address a moment later.
        self._place = read_location(self._base, allowance)

    def set_status(self, sha: str, status: Mapping[str, str]) -> None:
        """Set the status of a commit in one context; the last one counts."""
        self._ask("POST", f"/statuses/{sha}", status)

    def put_check(self, sha: str, check: Mapping[str, Any]) -> None:
        """Make a check run of a commit, or change the one of the same `external_id`."""
        output = dict(check["output"])
        annotations = output.pop("annotations", [])
        found = self._find_check(sha, check["name"], check["external_id"])
        for at in range(0, max(len(annotations), 1), MOST_ANNOTATIONS):
            if found is not None and at == 0:
                # It was made before an answer was lost; its annotations are there.
                annotations = []
            part = {**output, "annotations": annotations[at : at + MOST_ANNOTATIONS]}
            if found is None:
                body = {**check, "head_sha": sha, "output": part}
                found = self._ask("POST", "/check-runs", body).get("id")
            else:
                self._ask("PATCH", f"/check-runs/{found}", {**check, "output": part})

    def _find_check(self, sha: str, name: str, external: str) -> Any:
        path = f"/commits/{sha}/check-runs?check_name={quote(name, safe='')}&per_page=100"
        checks = self._ask("GET", path).get("check_runs", [])
        return next((it["id"] for it in checks if it.get("external_id") == external), None)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        # Imported only by a server that has something to report.
        import httpx

        parts = urlsplit(self._base)
        address = self._place.addresses[0]
        host = f"[{address}]" if ":" in address else address
        url = f"{parts.scheme}://{host}:{self._place.port}{parts.path}{path}"
        headers = {
            "Host": parts.netloc,
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "windlass",
        }
        try:
            with httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False) as client:
                sent = client.build_request(
                    method,
                    url,
                    json=body,
                    headers=headers,
                    extensions={"sni_hostname": self._place.host},
                )
                with contextlib.closing(client.send(sent, stream=True)) as answer:
                    return _read(answer, self._take(answer))
        except httpx.HTTPError as error:
            raise PlatformError(f"{parts.netloc} does not answer: {error}") from error

    def _take(self, answer: httpx.Response) -> str:
        """Return the text of an answer, in which the token is not repeated.

        Raises:
            GitHubRefusal: there is no end of it.
            PlatformError: it takes too long.
        """
        content, began = bytearray(), time.monotonic()
        for block in answer.iter_bytes():
            content += block
            if len(content) > MOST_BYTES:
                raise GitHubRefusal(f"{_name_host(answer)} answers more than {MOST_BYTES} bytes")
            if time.monotonic() - began > ANSWER_SECONDS:
                raise PlatformError(f"{_name_host(answer)} does not come to an end of its answer")
        return content.decode("utf-8", "replace").replace(self._token, "***")


def _name_host(answer: httpx.Response) -> str:
    return str(answer.request.headers["Host"])


def _read(answer: httpx.Response, text: str) -> dict[str, Any]:
    """Return what was answered.

    Raises:
        GitHubRefusal: it is refused for good.
        PlatformError: it is to be tried again.
    """
    status, host = answer.status_code, _name_host(answer)
    is_limit = status == _FORBIDDEN and (
        answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    )
    if status >= _LEAST_FAULT or status == _TOO_MANY or is_limit:
        raise PlatformError(f"{host} answers {status}; it is to be tried again")
    if status >= _LEAST_MISTAKE or answer.is_redirect:
        raise GitHubRefusal(f"{host} answers {status}: {_shorten(text)}")
    try:
        found = json.loads(text)
    except ValueError as error:
        raise PlatformError(f"{host} answers no JSON") from error
    return found if isinstance(found, dict) else {}


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:300]}…"
