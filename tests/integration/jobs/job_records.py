"""What lies in the folder of a job's record, and waiting for it to be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.waiting import wait_until

from windlass.jobs.supervisor.presence import read_presence
from windlass.stores.logs import JobLogReader

if TYPE_CHECKING:
    from pathlib import Path

LAST_WORDS = "Windlass was killed while this step ran; the step was ended with it."
_PAUSE_MILLISECONDS = 5


def wait_for(path: Path, size: int = 1) -> None:
    """Wait until a file has so many bytes."""
    assert wait_until(
        lambda: path.exists() and path.stat().st_size >= size,
        pause_milliseconds=_PAUSE_MILLISECONDS,
    ), f"{path} never had {size} bytes"


def find_supervisor(record: Path) -> int:
    """Return the process id of the job's supervisor, once it has said who it is."""
    wait_for(record / "supervisor.json")
    presence = read_presence(record / "supervisor.json")
    assert presence is not None
    return presence.supervisor[0]


def read_log(record: Path) -> list[tuple[str, str]]:
    """Return all lines of the job's log with the key of their step."""
    with JobLogReader(record / "log") as reader:
        return [(line.step, line.text) for line in reader.lines(0, reader.line_count)]
