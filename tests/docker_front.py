"""A socket before a Docker daemon, which knows an image of one name under another."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from windlass.docker.addresses import Address

BLOCK_BYTES = 1 << 16


@contextlib.contextmanager
def renamed_image(daemon: Address, path: Path, name: str, other: str) -> Iterator[str]:
    """Listen at a path and pass everything on, `other` in the place of an image's name.

    Both names have the same length, so that the length of a message stays what it says.
    """
    assert len(name) == len(other)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as front:
        front.bind(str(path))
        front.listen()
        words = (name.encode(), other.encode())
        threading.Thread(target=_serve, args=(front, daemon, words), daemon=True).start()
        yield f"unix://{path}"
        front.shutdown(socket.SHUT_RDWR)


def _serve(front: socket.socket, daemon: Address, words: tuple[bytes, bytes]) -> None:
    with contextlib.suppress(OSError):
        while True:
            client = front.accept()[0]
            arguments = (client, daemon, words)
            threading.Thread(target=_connect, args=arguments, daemon=True).start()


def _connect(client: socket.socket, daemon: Address, words: tuple[bytes, bytes]) -> None:
    with client, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.connect(daemon.socket)
        back = threading.Thread(target=_pass_on, args=(server, client, None), daemon=True)
        back.start()
        _pass_on(client, server, words)
        back.join()


def _pass_on(
    source: socket.socket, target: socket.socket, words: tuple[bytes, bytes] | None
) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(BLOCK_BYTES):
            target.sendall(block.replace(*words) if words else block)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
