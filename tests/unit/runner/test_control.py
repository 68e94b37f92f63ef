"""A job is run by one process, and what is said to it arrives whole or not at all."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from windlass.errors import PlatformError
from windlass.runner.control import Link, Occupation, connect, is_occupied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, Link]]:
    near, far = socket.socketpair()
    link = Link(far)
    yield near, link
    near.close()
    link.close()


def test_a_job_is_occupied_once(tmp_path: Path) -> None:
    """Nobody else can take it, until whoever has it is gone."""
    assert not is_occupied(tmp_path)
    first = Occupation(tmp_path)
    assert is_occupied(tmp_path)
    with pytest.raises(PlatformError, match="a job cannot be begun"):
        Occupation(tmp_path)

    first.hand_over()
    assert not is_occupied(tmp_path)
    Occupation(tmp_path).hand_over()


def test_nobody_is_there(tmp_path: Path) -> None:
    """Neither where there never was a process, nor where it has ended."""
    assert connect(tmp_path) is None
    Occupation(tmp_path).hand_over()
    assert (tmp_path / "socket").exists()
    assert connect(tmp_path) is None


def test_messages(pair: tuple[socket.socket, Link]) -> None:
    """They come in order; half a message, and what is none, are left out."""
    near, link = pair
    other = Link(near)
    assert other.send(cancel="two\nlines")
    near.sendall(b"[1, 2]\nnonsense\n\n")
    assert other.send(over=True)
    near.sendall(b'{"force": "half')
    near.shutdown(socket.SHUT_WR)

    assert list(link.read()) == [{"cancel": "two\nlines"}, {"over": True}]


def test_whoever_is_gone_hears_nothing(pair: tuple[socket.socket, Link]) -> None:
    """Sending says so, and raises nothing."""
    near, link = pair
    near.close()

    assert not link.send(cancel="enough")
    assert list(link.read()) == []
