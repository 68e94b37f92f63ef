"""What comes in and what goes out: requests, responses, and the refusals that handlers raise."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from windlass.services.jobs import ServedJob
    from windlass.stores.blob_parts import FileSlice

LARGEST_TEXT: Final = 4 << 20
"""How many bytes of JSON or XML a request may bring; blocks of content are not limited so."""


class RequestError(Exception):
    """A request that is refused: `status` and a body that its client understands."""

    def __init__(self, status: int, message: str, *, body: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.body = body

    def respond(self) -> Response:
        """Return the answer; `code`, `msg` and `message` are what the clients look for."""
        code = CODES.get(self.status, "internal")
        default = {"code": code, "msg": self.message, "message": self.message}
        return Response.json(self.body or default, status=self.status)


CODES: Final = {
    400: "invalid_argument",
    401: "unauthenticated",
    403: "permission_denied",
    404: "not_found",
    409: "already_exists",
    413: "resource_exhausted",
    501: "unimplemented",
    503: "unavailable",
    507: "resource_exhausted",
}
"""Twirp's words for HTTP's numbers: https://twitchtv.github.io/twirp/docs/errors.html"""


PHRASES: Final = {
    200: "OK",
    201: "Created",
    204: "No Content",
    206: "Partial Content",
    302: "Found",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}
"""RFC 9110, section 15. Clients show them."""


class TruncatedBodyError(Exception):
    """The client went away before it had sent what it announced; nobody is there to be told."""


class Body(Protocol):
    """The content of a request, read once from front to back."""

    length: int | None
    """How many bytes were announced; None where the client sends chunks until it says so."""

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer as far as the content goes and return by how much; 0 at the end.

        Raises:
            TruncatedBodyError: the connection ended too early.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request.

    `path` is decoded and without its query, of which `query` has the last value of each name. The
    names of `headers` are in lower case. `origin` is `http://HOST:PORT` as the client named this
    server: links in answers start with it. `job` is whose token was given, None without one.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Body
    origin: str
    job: ServedJob | None

    @property
    def known_job(self) -> ServedJob:
        """Whose token was given; for routes that need one."""
        if self.job is None:
            raise RequestError(401, "This address needs the token of a job that runs.")
        return self.job

    def read(self, limit: int = LARGEST_TEXT) -> bytes:
        """Return the whole content.

        Raises:
            RequestError: it is longer than `limit` bytes.
        """
        parts: list[bytes] = []
        total, buffer = 0, memoryview(bytearray(min(limit + 1, 1 << 16)))
        while count := self.body.readinto(buffer):
            total += count
            if total > limit:
                raise RequestError(413, f"The request is longer than {limit} bytes.")
            parts.append(bytes(buffer[:count]))
        return b"".join(parts)

    def read_json(self) -> dict[str, Any]:
        """Return the content, an object in JSON.

        Raises:
            RequestError: it is something else.
        """
        try:
            value = json.loads(self.read() or b"{}")
        except (ValueError, RecursionError) as error:
            raise RequestError(400, f"The request is no JSON: {error}.") from error
        if not isinstance(value, dict):
            raise RequestError(400, "The request is JSON, but no object.")
        return value


def read_text(fields: Mapping[str, Any], name: str) -> str:
    """Return a text of an object in JSON.

    Raises:
        RequestError: it is missing, no text, or one that no file and no database can hold: JSON
            may write half of a surrogate pair.
    """
    value = fields.get(name)
    if not isinstance(value, str):
        kind = "nothing" if value is None else type(value).__name__
        raise RequestError(400, f"The field {name} has to be a text, not {kind}.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise RequestError(400, f"The field {name} is no Unicode text: {value!r}.") from error
    return value


Part: TypeAlias = "bytes | FileSlice"
"""Bytes, or a part of a file, which the kernel sends."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Content that is made while it is sent; `length` is known before."""

    length: int
    parts: Iterable[Part]


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. `Content-Length` is added; a `Stream` must be as long as it says."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Stream = b""

    @staticmethod
    def json(
        value: object, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Answer in JSON."""
        kind = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
        return Response(status, kind, json.dumps(value).encode())


Handler: TypeAlias = "Callable[[Request], Response]"
"""Answers a request, or raises RequestError; any other exception is told as a fault of ours."""
