"""How a job on a runner reaches the runtime services of its server, in version 1 of the protocol.

    POST jobs/JOB/services     ServicesRequest → ServicesAnswer
    GET  services/JOB          `Connection: Upgrade`, `Upgrade: windlass-services/1`: a tunnel

Both are below `/runner/v1` and carry the runner's credential. What goes through the tunnel is the
HTTP/1.1 that the job's own clients speak, byte for byte, with the tokens of the job. The field
`X-Windlass-Origin` of the request for a tunnel is `http://HOST:PORT` as the job finds the runner's
end of it: addresses in answers begin so. A server refuses with 401 (the credential is not good) or
410 (the job is not this runner's, or has ended).
"""

from __future__ import annotations

import json
from typing import Final

from windlass.model.values import dataclass, field
from windlass.protocol.members import as_object, as_text, read_object, refuse, take
from windlass.protocol.runner import PREFIX, JobId

TUNNELS: Final = f"{PREFIX}/services/"
UPGRADE: Final = "windlass-services/1"
ORIGIN: Final = "X-Windlass-Origin"
_FOLDERS: Final = ("folder", "home", "workspace")
_COMMIT_LENGTHS: Final = (0, 40, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesRequest:
    """A job begins to use the services.

    `folder`, `home` and `workspace` are its folders as its own processes see them.
    `workflow_sha` is the commit that its workflow was read from, where that is one of another
    repository.
    """

    folder: str
    home: str
    workspace: str
    workflow_sha: str = ""


@dataclass(frozen=True, slots=True)
class ServicesAnswer:
    """The job's token for the services, and the one for GitHub's REST API as it is served there."""

    token: str = field(repr=False)
    api_token: str = field(repr=False)


def address_services(job: JobId) -> str:
    """Return the path to which a `ServicesRequest` is posted."""
    return f"{PREFIX}/jobs/{job}/services"


def encode_services_request(request: ServicesRequest) -> str:
    """Return a request as JSON."""
    folders = {name: getattr(request, name) for name in _FOLDERS}
    return json.dumps({"folders": folders, "workflow_sha": request.workflow_sha})


def decode_services_request(text: str | bytes) -> ServicesRequest:
    """Return a request that was written by `encode_services_request`, of any version.

    Raises:
        InputError: it is none.
    """
    name = "the ServicesRequest"
    values = read_object(text, name)
    folders = take(values, "folders", as_object, name)
    sha = take(values, "workflow_sha", as_text, name, "")
    if len(sha) not in _COMMIT_LENGTHS or sha.strip("0123456789abcdef"):
        raise refuse(f"'workflow_sha' of {name} is no commit")
    found = {it: take(folders, it, as_text, f"'folders' of {name}") for it in _FOLDERS}
    return ServicesRequest(**found, workflow_sha=sha)


def encode_services_answer(answer: ServicesAnswer) -> str:
    """Return an answer as JSON."""
    return json.dumps({"token": answer.token, "api_token": answer.api_token})


def decode_services_answer(text: str | bytes) -> ServicesAnswer:
    """Return an answer that was written by `encode_services_answer`, of any version.

    Raises:
        InputError: it is none.
    """
    name = "the ServicesAnswer"
    values = read_object(text, name)
    return ServicesAnswer(
        token=take(values, "token", as_text, name),
        api_token=take(values, "api_token", as_text, name),
    )
