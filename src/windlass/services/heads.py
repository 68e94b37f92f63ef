"""The head of a request: its first line and its fields (RFC 9112, sections 3 and 5).

The standard library's reader takes longer to import than most actions run: it brings mail and TLS.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from windlass.model.values import dataclass
from windlass.services.messages import RequestError, TruncatedBodyError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BufferedReader

LONGEST_LINE: Final = 1 << 16
MOST_FIELDS: Final = 100

_FIRST: Final = re.compile(rb"([!-~]+) ([!-~]+) HTTP/1\.([01])")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\0]*?)[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A request without its content. The names of `fields` are in lower case."""

    method: str
    target: str
    minor_version: int
    fields: Mapping[str, tuple[str, ...]]

    def get(self, name: str) -> str:
        """Return the value of a field, "" where it is missing."""
        return ", ".join(self.fields.get(name, ()))

    @property
    def headers(self) -> dict[str, str]:
        """All fields, those that came several times as one."""
        return {name: ", ".join(values) for name, values in self.fields.items()}

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(urlsplit(self.target).path, errors="surrogateescape")

    @property
    def query(self) -> dict[str, str]:
        """The last value of each name of the query."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def ends_connection(self) -> bool:
        """Whether the client sends nothing more afterwards."""
        wish = self.get("connection").lower()
        return "close" in wish or (self.minor_version == 0 and "keep-alive" not in wish)


def read_head(source: BufferedReader) -> Head | None:
    """Return the next head on a connection; None where its client has nothing more to ask.

    Raises:
        RequestError: what came is no head.
        TruncatedBodyError: the connection ended within it.
    """
    first = source.readline(LONGEST_LINE)
    if first in (b"\r\n", b"\n"):
        first = source.readline(LONGEST_LINE)
    if not first:
        return None
    match = _FIRST.fullmatch(_strip_end(first))
    if match is None:
        raise RequestError(400, "The request does not begin as one of HTTP/1.1.")
    fields: dict[str, tuple[str, ...]] = {}
    count = 0
    while line := _strip_end(source.readline(LONGEST_LINE)):
        field, count = _FIELD.fullmatch(line), count + 1
        if field is None or count > MOST_FIELDS:
            raise RequestError(400, "The request has a field that is none, or too many.")
        name, value = field[1].decode("ascii").lower(), field[2].decode("latin-1")
        fields[name] = (*fields.get(name, ()), value)
    return Head(
        method=match[1].decode("ascii"),
        target=_check_target(match[2].decode("ascii")),
        minor_version=int(match[3]),
        fields=fields,
    )


def _check_target(target: str) -> str:
    try:
        urlsplit(target)
    except ValueError:
        raise RequestError(400, "The request asks for what is no address.") from None
    return target


def _strip_end(line: bytes) -> bytes:
    if not line.endswith(b"\n"):
        if len(line) >= LONGEST_LINE:
            raise RequestError(400, f"A line of the request is longer than {LONGEST_LINE} bytes.")
        raise TruncatedBodyError
    return line[:-1].removesuffix(b"\r")
