"""How other processes reach a run: lines written to a FIFO in its folder.

`cancel` ends it as GitHub ends a run, `force` kills what runs, `cancel-job KEY` ends one job. A
reason may follow, after a tab.
"""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from windlass.errors import PlatformError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

LARGEST_MESSAGE: Final = 4096
"""Bytes that a FIFO takes whole (PIPE_BUF on Linux)."""

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

    def __init__(self, path: Path, run: Controlled) -> None:
        self._path = path
        self._run = run
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
        os.write(self._number, f"\n{_STOP}\n".encode())
        self._thread.join()
        os.close(self._number)

    def _listen(self) -> None:
        assert self._number is not None  # noqa: S101 (the thread is started then)
        rest = b""
        while True:
            *lines, rest = (rest + os.read(self._number, LARGEST_MESSAGE)).split(b"\n")
            for line in lines:
                if line.decode("utf-8", "surrogateescape") == _STOP:
                    return
                self._obey(line.decode("utf-8", "surrogateescape"))

    def _obey(self, line: str) -> None:
        deed, _, reason = line.partition("\t")
        command, _, subject = deed.partition(" ")
        if command in ("cancel", "force"):
            self._run.cancel(reason or "The run was cancelled")
        if command == "force":
            self._run.force()
        if command == "cancel-job":
            self._run.cancel_job(subject, reason or "The job was cancelled")


def send_control(path: Path, line: str) -> bool:
    """Send a line to the process that listens at a FIFO; False where nobody does.

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
        os.write(number, f"{line}\n".encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise PlatformError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        os.close(number)
    return True
