"""Tokens of jobs and signatures of addresses, good for whoever has the key they are made with.

A job's token is a JSON Web Token (RFC 7519) signed with HMAC-SHA-256, because GitHub's clients read
from it who they are: `scp` holds `Actions.Results:RUN:JOB`. A signed address carries `se`, when it
ends, and `sig`, as Azure's do. The key of a local run is made with its process; that of a server is
kept, so that what one process has issued the next one takes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Protocol
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

KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 32
_FOR_API: Final = "api\n"
_HEADER: Final = {"typ": "JWT", "alg": "HS256"}


class KnownJobs(Protocol):
    """Who knows which jobs run, by what their tokens say of them. Threads may share it."""

    def admit(self, job: ServedJob) -> Mapping[str, str]:
        """Note that a job is served; return what its tokens are to say besides."""

    def dismiss(self, job: ServedJob) -> None:
        """Note that a job has ended."""

    def find(self, claims: Mapping[str, Any]) -> ServedJob | None:
        """Return the job of a token, if it runs."""


class ProcessJobs:
    """The jobs of this process."""

    def __init__(self) -> None:
        self._jobs: dict[str, ServedJob] = {}
        self._lock = threading.Lock()

    def admit(self, job: ServedJob) -> Mapping[str, str]:
        """Note that a job is served."""
        with self._lock:
            self._jobs[job.job_id] = job
        return {}

    def dismiss(self, job: ServedJob) -> None:
        """Note that a job has ended."""
        with self._lock:
            self._jobs.pop(job.job_id, None)

    def find(self, claims: Mapping[str, Any]) -> ServedJob | None:
        """Return the job of a token, if it runs."""
        with self._lock:
            return self._jobs.get(str(claims["scp"]).rpartition(":")[2])


class Tokens:
    """Issues tokens and signatures and tells whether they are good. Threads may share it."""

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        *,
        key: bytes | None = None,
        jobs: KnownJobs | None = None,
        seconds: float = TOKEN_SECONDS,
    ) -> None:
        """Take the clock and, where others are to understand what is issued here, the key.

        `jobs` knows which jobs run: without it, those to which tokens were issued here. A token is
        good for so many seconds, but no longer than its job runs.
        """
        self._key = os.urandom(KEY_BYTES) if key is None else key
        self._now = now
        self._jobs: KnownJobs = ProcessJobs() if jobs is None else jobs
        self._seconds = seconds

    def issue(self, job: ServedJob, *, seconds: float | None = None) -> str:
        """Return a new token of a job."""
        claims = {**self._make_claims(job, seconds), "ac": find_access(job.github).to_claim()}
        signed = f"{_encode_json(_HEADER)}.{_encode_json(claims)}"
        return f"{signed}.{_encode(self._sign(signed))}"

    def issue_for_api(self, job: ServedJob) -> str:
        """Return a new token of a job for GitHub's REST API alone, which begins as GitHub's do.

        It has no dots: GitHub's clients would take it for one of an app.
        """
        claims = json.dumps(self._make_claims(job, None), separators=(",", ":"))
        return f"{LOCAL_TOKEN}{_encode(self._sign(_FOR_API + claims) + claims.encode())}"

    def _make_claims(self, job: ServedJob, seconds: float | None) -> dict[str, Any]:
        now = int(self._now())
        return {
            "iss": "windlass",
            "jti": os.urandom(16).hex(),
            "scp": f"Actions.Results:{job.run_id}:{job.job_id}",
            "nbf": now,
            "iat": now,
            "exp": now + int(self._seconds if seconds is None else seconds),
            **self._jobs.admit(job),
        }

    def revoke(self, job: ServedJob) -> None:
        """Refuse all tokens of a job from now on."""
        self._jobs.dismiss(job)

    def find(self, token: str) -> ServedJob | str:
        """Return whose token it is, or the sentence that says why it is not taken."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(_encode(self._sign(signed)).encode(), _bytes(signature)):
            return "The token is not one of this run's."
        return self._judge(json.loads(_decode(signed.partition(".")[2])))

    def find_for_api(self, token: str) -> ServedJob | str:
        """Return whose token for the REST API it is, or the sentence why it is not taken."""
        try:
            content = _decode(token.removeprefix(LOCAL_TOKEN))
        except ValueError:
            content = b""
        signature, claims = content[:_SIGNATURE_BYTES], content[_SIGNATURE_BYTES:]
        expected = self._sign(_FOR_API + claims.decode("utf-8", "surrogateescape"))
        is_own = hmac.compare_digest(expected, signature)
        if not token.startswith(LOCAL_TOKEN) or not is_own:
            return "The token is not that of a job which runs here."
        return self._judge(json.loads(claims))

    def _judge(self, claims: Mapping[str, Any]) -> ServedJob | str:
        if claims["exp"] <= self._now():
            return "The token has expired."
        return self._jobs.find(claims) or "The job of this token has ended."

    def name(self, *parts: str) -> str:
        """Return a name for something that nobody else can guess, the same each time."""
        return self._sign("\n".join(("name", *parts))).hex()[:32]

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
