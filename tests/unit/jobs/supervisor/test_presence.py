"""The file that says who looks after a job."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from windlass.jobs.supervisor.presence import (
    NAME,
    Presence,
    is_alive,
    name_process,
    name_self,
    read_presence,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """A file says what it was made of, and stands alone in its folder."""
    presence = Presence(
        boot="b", since=7, windlass=name_self(), supervisor=(2, 3), tracking=("x", "y")
    )
    presence.write(tmp_path)

    assert read_presence(tmp_path / NAME) == presence
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"boot": 1, "since": 1, "windlass": 1, "supervisor": 1}', b"\xff"],
)
def test_nonsense(tmp_path: Path, content: bytes) -> None:
    """A file that nobody of us has written says nothing."""
    (tmp_path / NAME).write_bytes(content)

    assert read_presence(tmp_path / NAME) is None
    assert read_presence(tmp_path / "other") is None


def test_process_is_alive() -> None:
    """A process is known by its id and its start: neither a later one nor a dead one is it."""
    child = subprocess.Popen(["/bin/sleep", "1000"])
    named = name_process(child.pid)

    assert is_alive(named)
    assert is_alive(name_self())
    assert not is_alive((named[0], named[1] - 1))
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(named)
    child.wait()
    assert not is_alive(named)
