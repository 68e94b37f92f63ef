"""Reading the names of an archive's entries, from its beginning and no further than is needed."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from windlass.stores.blob_parts import DamagedBlobError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.stores.blob_parts import FileSlice

LONGEST: Final = 256 << 20
"""So many bytes are unpacked at most."""

MOST_NAMES: Final = 20_000
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_GZIP: Final = b"\x1f\x8b"


def list_names(pieces: Iterator[bytes | FileSlice]) -> Iterator[str]:
    """Yield the names in a tar archive, packed by zstd or gzip; none where it is no such thing.

    It ends without a word where the archive is damaged or goes on for too long.
    """
    # Imported only where a cache is saved.
    import tarfile
    import zlib

    import zstandard

    raw = io.BufferedReader(_Content(pieces))
    try:
        with _unpack(raw) as plain, tarfile.open(fileobj=plain, mode="r|") as archive:
            for count, entry in enumerate(archive):
                if count == MOST_NAMES or archive.offset > LONGEST:
                    return
                yield entry.name
    except (tarfile.TarError, zstandard.ZstdError, zlib.error, OSError, EOFError, DamagedBlobError):
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
