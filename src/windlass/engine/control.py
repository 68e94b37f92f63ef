"""How other processes reach a run: lines of JSON, written to a FIFO in its folder.

`["cancel"]` ends it as GitHub ends a run, `["force"]` kills what runs, and
`["cancel-job", KEY, REASON]` ends one job; KEY is what stands for the job's key in history.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from windlass.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

LARGEST_MESSAGE: Final = 4096
"""Bytes that a FIFO takes whole (PIPE_BUF on Linux)."""

CANCELLED: Final = "The run was cancelled"

_STOP: Final = "stop"


class Controlled(Protocol):
    """What can be reached: `windlass.engine.local.LocalRun`."""

    def cancel(self, reason: str) -> None:
        """End it politely."""

    def force(self) -> None:
        """Kill what runs."""

    def cancel_job(self, key: str, reason: str) -> None:
        """End one job."""


class ControlListener:
    """Listens while it is entered; a folder without room for a FIFO leaves the run unreachable."""

    def __init__(self, path: Path, run: Controlled, uncover: Callable[[str], str]) -> None:
        """Take the FIFO's path and what is reached; `uncover` returns the key meant by a KEY."""
        self._path = path
        self._run = run
        self._uncover = uncover
        self._number: int | None = None
        self._thread = threading.Thread(target=self._listen, name="control", daemon=True)

    def __enter__(self) -> ControlListener:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
            os.mkfifo(self._path, 0o600)
            # Opened for writing too, so that it never comes to an end.
            self._number = os.open(self._path, os.O_RDWR)
        if self._number is not None:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._number is None:
            return
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        os.write(self._number, b"\n" + _write(_STOP))
        self._thread.join()
        os.close(self._number)

    def _listen(self) -> None:
        assert self._number is not None  # noqa: S101 (the thread is started then)
        rest = b""
        while True:
            *lines, rest = (rest + os.read(self._number, LARGEST_MESSAGE)).split(b"\n")
            for line in lines:
                words = _read(line)
                if words == [_STOP]:
                    return
                self._obey(words)

    def _obey(self, words: list[Any]) -> None:
        match words:
            case ["cancel"]:
                self._run.cancel(CANCELLED)
            case ["force"]:
                self._run.cancel(CANCELLED)
                self._run.force()
            case ["cancel-job", str(job), str(reason)]:
                self._run.cancel_job(self._uncover(job), reason)


def send_control(path: Path, *words: str) -> bool:
    """Send one line to the process that listens at a FIFO; False where nobody does.

    Raises:
        PlatformError: the FIFO cannot be used.
    """
    if not path.is_fifo():
        return False
    try:
        number = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ENOENT):
            return False
        raise PlatformError(f"{path} cannot be opened: {error.strerror}") from error
    try:
        os.write(number, _write(*words))
    except OSError as error:
        raise PlatformError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        os.close(number)
    return True


def _write(*words: str) -> bytes:
    return json.dumps(words).encode() + b"\n"


def _read(line: bytes) -> list[Any]:
    """Return the words of a line; none of one that is no list of JSON."""
    try:
        words = json.loads(line)
    except (ValueError, RecursionError):
        return []
    return words if isinstance(words, list) else []
