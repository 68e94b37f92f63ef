"""The services of the server, for the jobs of a runner: they listen here, and answer from there.

    services = RunnerServices("http://server:8484", credential)
    offered = services.open(job_id, order, address, folders, listener)
    ...
    offered.close()

A job's processes reach the runner's machine, and perhaps nothing else. So the runner listens for
them, and each connection becomes a tunnel to the server, through which the bytes go as they are.
"""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from windlass.errors import InputError, PlatformError
from windlass.model.values import replace
from windlass.protocol.services import (
    ServicesAnswer,
    ServicesRequest,
    address_services,
    decode_services_answer,
    encode_services_request,
)
from windlass.runner.tunnels import Gate, Tunnel
from windlass.services.job_services import JobServices
from windlass.services.jobs import ServedJob
from windlass.services.listening import Listeners

if TYPE_CHECKING:
    import ssl

    from windlass.jobs.folders import JobFolders
    from windlass.plan.orders import StartJob
    from windlass.protocol.runner import JobId

PATIENCE_SECONDS: Final = 60.0
"""How long a server may be away, for it is started again perhaps, before a job is told so."""

PAUSE_SECONDS: Final = 0.25
_SECONDS_TO_ANSWER: Final = 30.0
_OK: Final = 200
_LONGEST_ANSWER: Final = 1 << 20


class RunnerServices:
    """Opens the services for the jobs of one runner; threads may share it."""

    def __init__(
        self,
        url: str,
        credential: str,
        *,
        tls: ssl.SSLContext | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Take the server's address and the runner's credential.

        `tls` is how an `https` server is trusted; without it, as the machine trusts others.
        """
        self._gate = Gate(url=url.rstrip("/"), credential=credential, tls=tls, patience=patience)

    def move(self, url: str, credential: str) -> None:
        """Have the services come from another address, or be asked for as another runner."""
        self._gate = replace(self._gate, url=url.rstrip("/"), credential=credential)

    def _find_gate(self) -> Gate:
        return self._gate

    def open(
        self,
        job: JobId,
        order: StartJob,
        address: str,
        folders: JobFolders,
        listener: int | None = None,
        *,
        workflow_sha: str = "",
    ) -> JobServices:
        """Begin to serve a job that reaches this machine by an address of it.

        `folders` are those that the job's processes see. With a `listener`, a socket that listens
        already, the job is served there alone. `workflow_sha` is the commit of a workflow of
        another repository.

        Raises:
            PlatformError: the server cannot be reached or refuses, or nobody can listen there.
        """
        answer = self._ask(
            job,
            ServicesRequest(
                folder=str(folders.root),
                home=str(folders.home),
                workspace=str(folders.workspace),
                workflow_sha=workflow_sha,
            ),
        )
        listeners = Listeners(lambda it, origin: Tunnel(it, self._find_gate, job, origin))
        if listener is None:
            origin = listeners.listen(address)
        else:
            origin, _ = listeners.adopt(listener)
        return JobServices(
            ServedJob(
                run=job.run, attempt=job.attempt, key=order.key, permissions=order.permissions
            ),
            origin,
            answer.token,
            lambda: answer.api_token,
            listeners.close,
        )

    def _ask(self, job: JobId, request: ServicesRequest) -> ServicesAnswer:
        """Ask the server for the tokens of a job, until it is there."""
        deadline = time.monotonic() + self._gate.patience
        while True:
            try:
                status, content = self._post(job, encode_services_request(request))
            except (OSError, http.client.HTTPException) as error:
                status, content = 503, str(error).encode()
            if status == _OK:
                return _read_answer(content)
            if status < 500 or time.monotonic() > deadline:
                raise _refusal(self._gate.url, status, content)
            time.sleep(PAUSE_SECONDS)

    def _post(self, job: JobId, body: str) -> tuple[int, bytes]:
        parts = urlsplit(self._gate.url)
        client = http.client.HTTPConnection(parts.netloc, timeout=_SECONDS_TO_ANSWER)
        if parts.scheme == "https":
            client = http.client.HTTPSConnection(
                parts.netloc, timeout=_SECONDS_TO_ANSWER, context=self._gate.tls
            )
        try:
            path = f"{parts.path}{address_services(job)}"
            headers = {
                "Authorization": f"Bearer {self._gate.credential}",
                "Content-Type": "application/json",
            }
            client.request("POST", path, body, headers)
            answer = client.getresponse()
            content = answer.read(_LONGEST_ANSWER)
            if answer.length and len(content) < _LONGEST_ANSWER:
                raise http.client.IncompleteRead(content, answer.length)
            return answer.status, content
        finally:
            client.close()


def _read_answer(content: bytes) -> ServicesAnswer:
    try:
        return decode_services_answer(content)
    except InputError as error:
        raise PlatformError(error.message, hint=error.hint) from error


def _refusal(url: str, status: int, content: bytes) -> PlatformError:
    """Return what a job is told; `content` is a problem of the server's, or a sentence."""
    import json

    try:
        said = str(json.loads(content)["detail"])
    except (ValueError, KeyError, TypeError):
        said = content.decode("utf-8", "replace").strip()[:200]
    return PlatformError(
        f"the server {url} does not serve this job ({status}): {said}",
        hint="Artifacts, caches and identity tokens of jobs come from there.",
    )
