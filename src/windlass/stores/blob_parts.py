"""One part of a blob: a file with the bytes as they are or, where that saves room, in zstd.

Its name says all there is to know: `00000003-8388608` or `00000003-8388608.zst`, the place among
the blob's parts and the number of bytes that it stands for. zstd is RFC 8878.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import zstandard

PIECE_BYTES: Final = 1 << 18
"""How much is read and written at once; each upload that is under way needs one such buffer."""

PROBE_BYTES: Final = 1 << 16
SMALLEST_COMPRESSED: Final = 1 << 12
WORTH_IT: Final = 0.9
"""The beginning of a part has to shrink to this, or the part is kept as it is."""

LEVEL: Final = 1
"""Of zstd: as fast as the connection brings the bytes."""

_NAME: Final = re.compile(r"(\d{8})-(\d+)(\.zst)?")


class DamagedBlobError(PlatformError):
    """What is stored is not what was stored: after a crash of the machine, or by another hand."""

    code = "blob"


@dataclass(frozen=True, slots=True)
class FileSlice:
    """Some bytes of a file as it lies on the disk."""

    path: Path
    offset: int
    count: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part in the file `path`, which stands for `size` bytes."""

    path: Path
    size: int

    @property
    def is_compressed(self) -> bool:
        """Whether the file is in zstd."""
        return self.path.name.endswith(".zst")

    def read(self, start: int, stop: int) -> Iterator[bytes | FileSlice]:
        """Return the bytes from `start` to `stop`.

        Raises:
            DamagedBlobError: they are not there any more.
        """
        if self.is_compressed:
            yield from self._decompress(start, stop)
        else:
            self.check()
            yield FileSlice(self.path, start, stop - start)

    def check(self) -> None:
        """Look whether the file is there, and as long as it should be.

        Raises:
            DamagedBlobError: it is not.
        """
        size = _measure(self.path)
        if size is None or (size == 0 < self.size) or not (self.is_compressed or size == self.size):
            raise _damaged(self.path)

    def read_bytes(self) -> Iterator[bytes]:
        """Return all bytes, a piece at a time.

        Raises:
            DamagedBlobError: they are not there any more.
        """
        for piece in self.read(0, self.size):
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from _read_file(piece.path)

    def _decompress(self, start: int, stop: int) -> Iterator[bytes]:
        import zstandard

        position = 0
        try:
            with (
                self.path.open("rb") as file,
                zstandard.ZstdDecompressor().stream_reader(file) as reader,
            ):
                while position < stop:
                    piece = reader.read(PIECE_BYTES)
                    if not piece:
                        raise _damaged(self.path)
                    wanted = piece[max(start - position, 0) : stop - position]
                    position += len(piece)
                    if wanted:
                        yield wanted
        except (OSError, zstandard.ZstdError) as error:
            raise _damaged(self.path) from error


def name_part(place: int, size: int, *, is_compressed: bool) -> str:
    """Return what the file of a part is called."""
    return f"{place:08d}-{size}{'.zst' if is_compressed else ''}"


def list_parts(folder: Path) -> list[Part]:
    """Return the parts in a folder in their order.

    Raises:
        DamagedBlobError: one is missing, or the folder is.
    """
    try:
        names = sorted(it.name for it in os.scandir(folder))
    except OSError as error:
        raise _damaged(folder) from error
    parts: list[Part] = []
    for place, name in enumerate(names):
        match = _NAME.fullmatch(name)
        if match is None or int(match[1]) != place:
            raise _damaged(folder)
        parts.append(Part(folder / name, int(match[2])))
    return parts


def write_part(path: Path, read: Callable[[memoryview], int]) -> tuple[int, bool]:
    """Write what `read` fills buffers with; return how much that was and whether it is compressed.

    A file that cannot be written to its end is removed.

    Raises:
        OSError: the disk refuses.
    """
    buffer = memoryview(bytearray(PIECE_BYTES))
    filled = _fill(buffer, read)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        if _shrinks(buffer[: min(filled, PROBE_BYTES)]):
            return _write_compressed(number, buffer, filled, read), True
        return _write_plain(number, buffer, filled, read), False
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    finally:
        os.close(number)


def _fill(buffer: memoryview, read: Callable[[memoryview], int]) -> int:
    """Read until the buffer is full or nothing more comes: a connection brings less at a time."""
    filled = 0
    while filled < len(buffer) and (count := read(buffer[filled:])):
        filled += count
    return filled


def _shrinks(beginning: memoryview) -> bool:
    if len(beginning) < SMALLEST_COMPRESSED:
        return False
    packed = _compressor().compress(beginning)
    return len(packed) < len(beginning) * WORTH_IT


def _compressor() -> zstandard.ZstdCompressor:
    # Imported only where something is stored. Each thread needs one of its own.
    import zstandard

    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)


def _write_plain(
    number: int, buffer: memoryview, filled: int, read: Callable[[memoryview], int]
) -> int:
    total = 0
    while filled:
        _write_all(number, buffer[:filled])
        total += filled
        filled = read(buffer)
    return total


def _write_compressed(
    number: int, buffer: memoryview, filled: int, read: Callable[[memoryview], int]
) -> int:
    total = 0
    compression = _compressor().compressobj()
    while filled:
        _write_all(number, memoryview(compression.compress(buffer[:filled])))
        total += filled
        filled = read(buffer)
    _write_all(number, memoryview(compression.flush()))
    return total


def _write_all(number: int, data: memoryview) -> None:
    while data:
        data = data[os.write(number, data) :]


def _read_file(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb", buffering=0) as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
    except OSError as error:
        raise _damaged(path) from error


def _measure(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _damaged(path: Path) -> DamagedBlobError:
    return DamagedBlobError(
        f"{path} is damaged or gone",
        hint="What it belongs to has to be made again; `windlass prune` removes what is left.",
    )
