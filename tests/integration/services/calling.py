"""A client of the services that says exactly what a test wants, right or wrong."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from windlass.services.artifacts import SERVICE

if TYPE_CHECKING:
    from windlass.services.job_services import JobServices


def send(
    address: str, method: str = "GET", body: Any = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Send one request on a connection of its own; return status, headers and content."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=120)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, target, body, named)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


class Caller:
    """One job's calls of the artifact service."""

    def __init__(self, job: JobServices) -> None:
        self.job = job

    def call(self, procedure: str, *, token: str | None = None, **fields: Any) -> tuple[int, Any]:
        """Call a procedure and return status and answer."""
        message = {
            "workflow_run_backend_id": self.job.job.run_id,
            "workflow_job_run_backend_id": self.job.job.job_id,
            **fields,
        }
        status, _, content = send(
            f"{self.job.origin}/twirp/{SERVICE}/{procedure}",
            "POST",
            json.dumps(message),
            Authorization=f"Bearer {token or self.job.token}",
        )
        return status, json.loads(content)

    def create(self, name: str = "mine", **fields: Any) -> str:
        """Begin an artifact and return where its content goes."""
        status, answer = self.call("CreateArtifact", name=name, version=7, **fields)
        assert status == 200, answer
        return str(answer["signed_upload_url"])

    def finalize(self, content: bytes, name: str = "mine") -> tuple[int, Any]:
        """End an upload of this content."""
        digest = hashlib.sha256(content).hexdigest()
        return self.call(
            "FinalizeArtifact", name=name, size=str(len(content)), hash=f"sha256:{digest}"
        )

    def fetch(self, name: str = "mine", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Return what is fetched under the address of an artifact."""
        status, answer = self.call("GetSignedArtifactURL", name=name)
        assert status == 200, answer
        return send(answer["signed_url"], **headers)

    def names(self) -> list[str]:
        """Return the names of the run's artifacts, newest first."""
        _, answer = self.call("ListArtifacts")
        return [it["name"] for it in answer["artifacts"]]


def block_name(number: int) -> str:
    """Return the name of a block as Azure's client makes it."""
    return base64.b64encode(f"{'p' * 42}{number:06d}".encode()).decode()


def put_block(address: str, number: int, content: bytes) -> int:
    """Send one block and return the status."""
    name = quote(block_name(number), safe="")
    return send(f"{address}&comp=block&blockid={name}", "PUT", content)[0]


def put_list(address: str, *numbers: int) -> tuple[int, bytes]:
    """Send the list of blocks; return status and answer."""
    names = "".join(f"<Latest>{block_name(number)}</Latest>" for number in numbers)
    text = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{names}</BlockList>'
    status, _, answer = send(f"{address}&comp=blocklist", "PUT", text)
    return status, answer
