"""Reading the names of an archive's entries, from its beginning and no further than is needed."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from windlass.stores.blob_parts import DamagedBlobError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from windlass.stores.blob_parts import FileSlice

LONGEST: Final = 256 << 20
"""So many bytes are unpacked at most."""

LONGEST_HEADER: Final = 1 << 20
"""A header that says more of an entry is not read: all of it would have to be in memory."""

MOST_NAMES: Final = 20_000
_LONG_HEADERS: Final = (b"x", b"g", b"X", b"L", b"K")
"""The types of entries that describe the next one: those of POSIX, of Solaris, and of GNU."""

_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_GZIP: Final = b"\x1f\x8b"


def list_names(pieces: Iterator[bytes | FileSlice]) -> Iterator[str]:
    """Yield the names in a tar archive, packed by zstd or gzip; none where it is no such thing.

    It ends without a word where the archive is damaged, goes on for too long, or says what cannot
    be: a job makes archives as it likes. Nothing is ever unpacked to a file.
    """
    # Imported only where a cache is saved.
    import tarfile
    import zlib

    import zstandard

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
            header = super().frombuf(buf, encoding, errors)
            if header.type in _LONG_HEADERS and header.size > LONGEST_HEADER:
                raise tarfile.HeaderError(f"a header of {header.size} bytes")
            return header

    raw = io.BufferedReader(_Content(pieces))
    try:
        with (
            _unpack(raw) as unpacked,
            tarfile.open(mode="r|", fileobj=_Beginning(unpacked), tarinfo=Header) as archive,
        ):
            for count, entry in enumerate(archive):
                if count == MOST_NAMES:
                    return
                yield entry.name
    except (tarfile.TarError, zstandard.ZstdError, zlib.error, OSError, EOFError, DamagedBlobError):
        return
    except (ValueError, IndexError, OverflowError, RecursionError):
        # What the library's reader makes of numbers that are none and of headers of headers.
        return


def _unpack(raw: io.BufferedReader[_Content]) -> BinaryIO:
    import gzip

    import zstandard

    beginning = raw.peek(len(_ZSTD))
    if beginning.startswith(_ZSTD):
        return cast("BinaryIO", zstandard.ZstdDecompressor().stream_reader(raw))
    if beginning.startswith(_GZIP):
        return cast("BinaryIO", gzip.GzipFile(fileobj=raw))
    raise EOFError


class _Beginning(io.RawIOBase):
    """A file that ends after so many bytes, and says so a second time by an error.

    The library's reader steps through an entry by its size, at the end of the file too: to one that
    claims an exabyte it would never come.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = LONGEST
        self._has_ended = False

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes.

        Raises:
            EOFError: the end was read before.
        """
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        if not data and self._has_ended:
            raise EOFError
        self._has_ended = not data
        return data


class _Content(io.RawIOBase):
    """A stored content as a file that is read once from front to back."""

    def __init__(self, pieces: Iterator[bytes | FileSlice]) -> None:
        self._bytes = _read(pieces)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer as far as the content goes."""
        filled = 0
        while filled < len(buffer):
            if not self._rest:
                self._rest = next(self._bytes, b"")
            count = min(len(buffer) - filled, len(self._rest))
            if count == 0:
                break
            buffer[filled : filled + count] = self._rest[:count]
            self._rest = self._rest[count:]
            filled += count
        return filled


def _read(pieces: Iterator[bytes | FileSlice]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        with piece.path.open("rb", buffering=0) as file:
            position, end = piece.offset, piece.offset + piece.count
            while position < end:
                data = os.pread(file.fileno(), min(1 << 16, end - position), position)
                if not data:
                    return
                position += len(data)
                yield data
