"""What a runner makes of a server that dies over an answer."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from windlass.runner.connection import AwayError, Connection, read_address

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def dying(answer: bytes) -> Iterator[str]:
    """Serve one question, with the beginning of an answer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            link, _ = listening.accept()
            with link:
                link.recv(1 << 16)
                link.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize("body", [b"", b'{"received'], ids=["head alone", "half of it"])
def test_half_an_answer_is_none(body: bytes) -> None:
    """What was cut off is asked again: it is not a message of a server that speaks otherwise."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n"
    with dying(head + body) as url:
        connection = Connection(read_address(url))
        with pytest.raises(AwayError, match="does not answer"):
            connection.post("poll", "{}")
        connection.close()


def test_a_whole_answer_counts() -> None:
    """The same one, whole."""
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"received":1}'
    with dying(answer) as url:
        connection = Connection(read_address(url))
        assert connection.post("poll", "{}") == (200, b'{"received":1}')
        connection.close()
