"""The content of a request as it comes off the connection (RFC 9112, sections 6 and 7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from windlass.services.messages import RequestError, TruncatedBodyError

if TYPE_CHECKING:
    from io import BufferedReader

    from windlass.services.heads import Head

LONGEST_LINE: Final = 1 << 12
_LENGTH: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_HEXADECIMAL: Final = frozenset(b"0123456789abcdefABCDEF")


class RequestBody:
    """Content of a known length."""

    def __init__(self, source: BufferedReader, length: int) -> None:
        self.length: int | None = length
        self._source = source
        self._left = length

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer; see `windlass.services.messages.Body`."""
        wanted = min(len(buffer), self._left)
        if wanted == 0:
            return 0
        count = _read_some(self._source, buffer[:wanted])
        self._left -= count
        return count

    def drain(self, most: int) -> bool:
        """Read what is left and throw it away; False where nobody can say what comes then.

        That is so with more than `most` bytes, and with content that is not as it says or ends.
        """
        if self._left == 0 and self.length is not None:
            return True
        buffer = memoryview(bytearray(1 << 16))
        try:
            while most > 0:
                count = self.readinto(buffer)
                if count == 0:
                    return True
                most -= count
        except (RequestError, TruncatedBodyError):
            return False
        return False


class ChunkedBody(RequestBody):
    """Content in chunks, each with its length before it."""

    def __init__(self, source: BufferedReader) -> None:
        super().__init__(source, 0)
        self.length = None
        self._is_over = False
        self._is_first = True

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer from the current chunk, or the next."""
        if self._left == 0 and not self._is_over:
            self._begin_chunk()
        return super().readinto(buffer)

    def _begin_chunk(self) -> None:
        if not self._is_first and self._read_line():
            raise RequestError(400, "A chunk of the request is longer than it says.")
        self._is_first = False
        size = self._read_line().partition(b";")[0].strip()
        if not size or not _HEXADECIMAL.issuperset(size):
            raise RequestError(400, "A chunk of the request does not say how long it is.")
        self._left = int(size, 16)
        if self._left == 0:
            self._is_over = True
            while self._read_line():
                """Trailers tell nothing that is needed here."""

    def _read_line(self) -> bytes:
        line = self._source.readline(LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise TruncatedBodyError
        return line.rstrip(b"\r\n")


def open_body(head: Head, source: BufferedReader) -> RequestBody:
    """Return the content that a head announces.

    Raises:
        RequestError: they contradict each other, or say something that is no length.
    """
    lengths = head.fields.get("content-length", ())
    coding = head.get("transfer-encoding").lower()
    if coding:
        if coding != "chunked" or lengths:
            raise RequestError(400, "The request says in two ways how long it is, or in none.")
        return ChunkedBody(source)
    if not lengths:
        return RequestBody(source, 0)
    if len(set(lengths)) > 1 or not _LENGTH.fullmatch(lengths[0]):
        raise RequestError(400, "Content-Length is not a number.")
    return RequestBody(source, int(lengths[0]))


def _read_some(source: BufferedReader, buffer: memoryview) -> int:
    try:
        count = source.readinto1(buffer)
    except OSError as error:
        raise TruncatedBodyError from error
    if not count:
        raise TruncatedBodyError
    return count
