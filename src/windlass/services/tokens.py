"""Tokens of jobs and signatures of addresses, both good for one process of Windlass.

A job's token is a JSON Web Token (RFC 7519) signed with HMAC-SHA-256, because GitHub's clients read
from it who they are: `scp` holds `Actions.Results:RUN:JOB`. A signed address carries `se`, when it
ends, and `sig`, as Azure's do.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from windlass.plan.handover import LOCAL_TOKEN
from windlass.services.caches.access import find_access

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windlass.services.jobs import ServedJob

TOKEN_SECONDS: Final = 24 * 3600
"""How long a job's token is good; it ends with its job in any case."""

ADDRESS_SECONDS: Final = 6 * 3600
"""How long a signed address is good: a slow upload has to end within it."""

_HEADER: Final = {"typ": "JWT", "alg": "HS256"}


class Tokens:
    """Issues tokens and signatures and tells whether they are good. Threads may share it."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._key = os.urandom(32)
        self._now = now
        self._jobs: dict[str, ServedJob] = {}
        self._lock = threading.Lock()

    def issue(self, job: ServedJob, *, seconds: float = TOKEN_SECONDS) -> str:
        """Return a new token of a job."""
        now = int(self._now())
        claims = {
            "iss": "windlass",
            "jti": os.urandom(16).hex(),
            "scp": f"Actions.Results:{job.run_id}:{job.job_id}",
            "ac": find_access(job.github).to_claim(),
            "nbf": now,
            "iat": now,
            "exp": now + int(seconds),
        }
        signed = f"{_encode_json(_HEADER)}.{_encode_json(claims)}"
        with self._lock:
            self._jobs[str(claims["jti"])] = job
        return f"{signed}.{_encode(self._sign(signed))}"

    def issue_for_api(self, job: ServedJob) -> str:
        """Return a new token of a job for GitHub's REST API alone, in the shape of GitHub's own."""
        token = f"{LOCAL_TOKEN}{os.urandom(18).hex()}"
        with self._lock:
            self._jobs[token] = job
        return token

    def revoke(self, job: ServedJob) -> None:
        """Refuse all tokens of a job from now on."""
        with self._lock:
            self._jobs = {key: it for key, it in self._jobs.items() if it.job_id != job.job_id}

    def find(self, token: str) -> ServedJob | str:
        """Return whose token it is, or the sentence that says why it is not taken."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(_encode(self._sign(signed)).encode(), _bytes(signature)):
            return "The token is not one of this run's."
        claims = json.loads(_decode(signed.partition(".")[2]))
        if claims["exp"] <= self._now():
            return "The token has expired."
        with self._lock:
            job = self._jobs.get(claims["jti"])
        return job or "The job of this token has ended."

    def find_for_api(self, token: str) -> ServedJob | str:
        """Return whose token for the REST API it is, or the sentence why it is not taken."""
        if not token.startswith(LOCAL_TOKEN):
            return "The token is not that of a job which runs here."
        with self._lock:
            return self._jobs.get(token) or "The job of this token has ended."

    def sign_address(
        self,
        origin: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        seconds: float = ADDRESS_SECONDS,
    ) -> str:
        """Return an address that is good by itself; `path` is not encoded yet."""
        given = {**(query or {}), "se": str(int(self._now() + seconds))}
        signature = _encode(self._sign(_describe_address(path, given)))
        return f"{origin}{quote(path)}?{urlencode({**given, 'sig': signature})}"

    def check_address(
        self, path: str, query: Mapping[str, str], names: tuple[str, ...]
    ) -> str | None:
        """Return None for an address that was signed, else the sentence that says what is wrong.

        `names` are the parts of the query that were signed; a client may add others.
        """
        given = {name: query.get(name, "") for name in (*names, "se")}
        expected = _encode(self._sign(_describe_address(path, given)))
        if not hmac.compare_digest(expected.encode(), _bytes(query.get("sig", ""))):
            return "The address was not signed by this run, or it was changed."
        if int(given["se"]) <= self._now():
            return "The signed address has expired."
        return None

    def _sign(self, text: str) -> bytes:
        return hmac.digest(self._key, _bytes(text), hashlib.sha256)


def _describe_address(path: str, query: Mapping[str, str]) -> str:
    return "\n".join(["address", path, *(f"{name}={query[name]}" for name in sorted(query))])


def _encode_json(value: Mapping[str, object]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
