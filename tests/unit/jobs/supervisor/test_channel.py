"""Messages and open files between Windlass and a supervisor."""

from __future__ import annotations

import os
import threading
from _socket import socketpair
from typing import TYPE_CHECKING, Any

import pytest

from windlass.jobs.supervisor import channel

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    near, far = socketpair()
    yield near, far
    near.close()
    far.close()


@pytest.mark.parametrize(
    "message",
    [
        ("close",),
        ("start", 1, "step", [b"\xff", b""], b"A=\n\0B="),
        ("mask", ["ä\ud800", "x" * 3_000_000]),
        ("closed", True, None, -1),
    ],
    ids=["word", "bytes", "large", "values"],
)
def test_message_arrives(pair: tuple[Any, Any], message: tuple[Any, ...]) -> None:
    """What is sent comes out, of any size."""
    near, far = pair
    sender = threading.Thread(target=channel.send, args=(near, message))
    sender.start()

    assert channel.receive(far) == (message, [])
    sender.join()


def test_messages_stay_apart(pair: tuple[Any, Any]) -> None:
    """Each message has its own files, however many were sent before one is read."""
    near, far = pair
    reader, writer = os.pipe()
    channel.send(near, ("both",), [reader, writer])
    channel.send(near, ("none",))
    channel.send(near, ("one",), [writer])
    os.close(writer)
    found = [received for _ in range(3) if (received := channel.receive(far))]

    assert [(words, len(files)) for words, files in found] == [
        (("both",), 2),
        (("none",), 0),
        (("one",), 1),
    ]
    os.write(found[2][1][0], b"x")
    assert os.read(reader, 10) == b"x"
    os.close(reader)
    for file in [file for _, files in found for file in files]:
        assert not os.get_inheritable(file)
        os.close(file)


@pytest.mark.parametrize(
    "sent", [b"", b"\x05", b"\x05\0\0\0\0\0\0\0ab"], ids=["none", "head", "body"]
)
def test_other_end_is_gone(pair: tuple[Any, Any], sent: bytes) -> None:
    """A message that was cut short is none."""
    near, far = pair
    near.sendall(sent)
    near.close()

    assert channel.receive(far) is None
