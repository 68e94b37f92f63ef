"""What a server answers when it cannot do what was asked: problem details, never a traceback.

    {"type": "urn:windlass:problem:missing", "title": "Not found", "status": 404,
     "detail": "there is no run 'x'", "code": "missing", "hint": "`windlass runs` lists them"}

`type` and `code` say the same and are stable; `detail` and `hint` are for people.

Source: https://www.rfc-editor.org/rfc/rfc9457
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from windlass.errors import InputError, PlatformError, UsageError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:windlass:problem:"
_RETRY_SECONDS: Final = "1"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: what it answers with, and what it is called."""

    status: int
    title: str
    meaning: str


KINDS: Final[Mapping[str, Kind]] = {
    "usage": Kind(400, "Bad request", "The request cannot be understood."),
    "unauthenticated": Kind(
        401, "Unauthorized", "There is no token, or it is not valid (any more)."
    ),
    "refused": Kind(403, "Forbidden", "Whoever asks may not."),
    "missing": Kind(404, "Not found", "What was asked for is not there."),
    "method": Kind(405, "Method not allowed", "The address does not take this method."),
    "conflict": Kind(409, "Conflict", "It cannot be as things are now."),
    "gone": Kind(410, "Gone", "It is no longer whose it was."),
    "too-large": Kind(413, "Content too large", "The body is larger than the address takes."),
    "media-type": Kind(415, "Unsupported media type", "The body has to be `application/json`."),
    "misdirected": Kind(421, "Misdirected request", "The host that was asked for is not this one."),
    "invalid": Kind(422, "Unprocessable content", "A value can be read and cannot be used."),
    "input": Kind(422, "Unprocessable content", "What the request is about cannot be read."),
    "too-many": Kind(429, "Too many requests", "Whoever asks does so too often."),
    "internal": Kind(500, "Internal error", "A fault of the server; its log says more."),
    "platform": Kind(503, "Service unavailable", "The server's machine or database is in trouble."),
}
"""The kinds by their code. None is ever given another meaning."""

_BY_STATUS: Final = {kind.status: code for code, kind in reversed(list(KINDS.items()))}


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    code: str = "",
    hint: str | None = None,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Response:
    """Return an answer that says what is wrong; `code` is found by the status where it is empty.

    `more` are members of its own: the number that was expected, the errors of a body.
    """
    code = code or _BY_STATUS.get(status, "http")
    body: dict[str, Any] = {
        "type": f"{TYPE_PREFIX}{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if hint is not None:
        body["hint"] = hint
    text = json.dumps({**body, **(more or {})}, ensure_ascii=False)
    # What was asked for may be named in it, and be no Unicode text.
    return Response(
        text.encode("utf-8", "replace"), status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def problem_of(
    code: str,
    detail: str,
    *,
    hint: str | None = None,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Response:
    """Return an answer of one of our own kinds."""
    kind = KINDS[code]
    return problem(
        kind.status, kind.title, detail, code=code, hint=hint, headers=headers, more=more
    )


def answer_error(_request: object, error: Exception) -> Response:
    """Turn an error of ours into an answer.

    What is told of a machine in trouble names files and addresses of that machine: it goes to the
    log, and whoever asks hears only that it is so.
    """
    if isinstance(error, InputError | UsageError):
        code = error.code if error.code in KINDS else "input"
        return problem_of(code, error.message, hint=error.hint)
    _log.error("%s", error)
    if isinstance(error, PlatformError):
        detail = "the server could not do that now"
        hint = "ask again in a moment; the server's log says more"
        return problem_of("platform", detail, hint=hint, headers={"Retry-After": _RETRY_SECONDS})
    return answer_unexpected()


def answer_http_error(_request: Request, error: Exception) -> Response:
    """Turn what the framework says (no such address, no such method) into an answer."""
    if not isinstance(error, HTTPException):
        return answer_unexpected()
    code = _BY_STATUS.get(error.status_code, "http")
    kind = KINDS.get(code)
    meaning = kind.meaning if kind is not None else error.detail
    title = kind.title if kind is not None else error.detail
    return problem(error.status_code, title, meaning, code=code, headers=error.headers)


def answer_unexpected() -> Response:
    """Return what is answered where nobody foresaw what happened; the log has the details."""
    return problem_of("internal", "the server has a fault; its log says more")
