"""Messages between Windlass and a job's supervisor, over a pair of sockets.

Both ends are the same interpreter on the same machine, started one by the other, and nobody else
can write to the sockets: values are marshalled as they are. Nothing is imported that the supervisor
would have to wait for; the module `socket` takes longer than its whole start.
"""

from __future__ import annotations

import marshal
from _socket import CMSG_SPACE, MSG_CMSG_CLOEXEC, SCM_RIGHTS, SOL_SOCKET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Sequence
    from typing import Any

    Message = tuple[Any, ...]

HEAD_BYTES = 8
BLOCK_BYTES = 1 << 18
MOST_DESCRIPTORS = 4
DESCRIPTOR_BYTES = 4


def send(channel: socket, message: Message, descriptors: Sequence[int] = ()) -> None:
    """Send a message, with open files; waits while the other end does not read.

    Raises:
        OSError: the other end is gone.
    """
    body = marshal.dumps(message)
    data = memoryview(len(body).to_bytes(HEAD_BYTES, "little") + body)
    sent = 0
    if descriptors:
        numbers = b"".join(it.to_bytes(DESCRIPTOR_BYTES, "little") for it in descriptors)
        sent = channel.sendmsg([data], [(SOL_SOCKET, SCM_RIGHTS, numbers)])
    if sent < len(data):
        channel.sendall(data[sent:])


def receive(channel: socket) -> tuple[Message, list[int]] | None:
    """Return the next message with the open files that came with it; None once there is no end.

    Raises:
        OSError: the other end is gone.
    """
    descriptors: list[int] = []
    head = _receive_bytes(channel, HEAD_BYTES, descriptors)
    if head is None:
        return None
    body = _receive_bytes(channel, int.from_bytes(head, "little"), descriptors)
    if body is None:
        return None
    return marshal.loads(body), descriptors  # noqa: S302 - the other end is ours, see above


def _receive_bytes(channel: socket, size: int, descriptors: list[int]) -> bytes | None:
    space = CMSG_SPACE(MOST_DESCRIPTORS * DESCRIPTOR_BYTES)
    parts: list[bytes] = []
    while size:
        data, ancillary, _, _ = channel.recvmsg(min(size, BLOCK_BYTES), space, MSG_CMSG_CLOEXEC)
        if not data:
            return None
        for level, kind, numbers in ancillary:
            if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
                descriptors += _split(numbers)
        parts.append(data)
        size -= len(data)
    return b"".join(parts)


def _split(numbers: bytes) -> list[int]:
    starts = range(0, len(numbers) - DESCRIPTOR_BYTES + 1, DESCRIPTOR_BYTES)
    return [int.from_bytes(numbers[it : it + DESCRIPTOR_BYTES], "little") for it in starts]
