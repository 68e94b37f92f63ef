"""The streams of a container over one connection: standard input in, output and errors out.

Without a terminal every block is framed: a byte for the stream (1 output, 2 errors), three zeroes,
four bytes of length, big-endian. Source: https://docs.docker.com/reference/api/engine/ "Attach to
a container".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator

OUTPUT: Final = 1
HEAD_BYTES: Final = 8


class Stream:
    """A connection that was taken over (`Engine.take_over`); `socket` may be handed on."""

    def __init__(self, link: socket.socket) -> None:
        self.socket = link

    def write(self, data: bytes) -> None:
        """Send to the container's standard input.

        Raises:
            OSError: the container has ended, or the daemon went away.
        """
        self.socket.sendall(data)

    def read(self) -> tuple[int, bytes] | None:
        """Return the next block and the stream it belongs to, waiting for it; None at the end.

        Raises:
            OSError: the connection broke.
        """
        head = self._take(HEAD_BYTES)
        if head is None:
            return None
        block = self._take(int.from_bytes(head[4:], "big"))
        return None if block is None else (head[0], block)

    def close(self) -> None:
        """Hang up; whoever holds the socket too can go on."""
        self.socket.close()

    def _take(self, size: int) -> bytes | None:
        parts = []
        while size:
            part = self.socket.recv(size)
            if not part:
                return None
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def unframe(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the blocks of a framed stream that comes in pieces of any size; what is cut is left."""
    held = b""
    for piece in blocks:
        held += piece
        while len(held) >= HEAD_BYTES:
            end = HEAD_BYTES + int.from_bytes(held[4:HEAD_BYTES], "big")
            if len(held) < end:
                break
            yield held[0], held[HEAD_BYTES:end]
            held = held[end:]
