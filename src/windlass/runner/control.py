"""What a runner and the process of a job say to each other: JSON lines over a socket.

    to the job      begin           its assignment and all else that it needs; the first time alone
                    server          where the server is now, and what is shown there
                    cancel, force   the reason why it is to end, politely or at once
                    give_up         the same, and nothing more is to be told of it
                    stop            the same as `force`; what cannot be told at once stays on disk
    to the runner   say             a sentence for whoever looks after the runner
                    default_place   where jobs run of which nobody says where
                    over            the server has all of the job; nothing is left of it here

The socket lies in the job's record, and so does a lock that the process of the job holds: whoever
gets the lock knows that nobody runs the job any more. Secrets go through the socket and never to a
disk. A runner may find the process of a job that an older or newer Windlass has started: what one
does not know of it leaves out.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import PlatformError
from windlass.stores.locks import is_locked, wait_for_lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LOCK: Final = "lock"
_SOCKET: Final = "socket"
_SECONDS_TO_TAKE: Final = 30
"""So long may one who is spoken to not read; it stands still then, or is about to end."""


class Occupation:
    """That a job is run: its lock is held, its socket listens; both are handed on as open files."""

    def __init__(self, folder: Path) -> None:
        """Take the job whose record a folder is.

        Raises:
            PlatformError: it is run already, or the disk refuses.
        """
        try:
            self.lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.listening = _listen(folder)
            except OSError:
                os.close(self.lock)
                raise
        except OSError as error:
            raise PlatformError(
                f"a job cannot be begun in {folder}: {error.strerror}",
                hint="The process of each job is reached there.",
            ) from error

    def hand_over(self) -> None:
        """Close what others have open now."""
        os.close(self.lock)
        self.listening.close()


def is_occupied(folder: Path) -> bool:
    """Tell whether a process runs the job whose record this is."""
    return is_locked(folder / LOCK)


def wait_until_free(folder: Path) -> None:
    """Wait until no process runs the job whose record this is."""
    wait_for_lock(folder / LOCK)


class Link:
    """One end of a connection; threads may share it for sending, one reads."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        # Sending alone: what is read may take as long as it wants.
        patience = struct.pack("ll", _SECONDS_TO_TAKE, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)

    def send(self, **message: Any) -> bool:
        """Send a message; False where nobody is there to hear it."""
        data = json.dumps(message).encode("ascii") + b"\n"
        try:
            with self._sending:
                self._connection.sendall(data)
        except OSError:
            return False
        return True

    def read(self) -> Iterator[Mapping[str, Any]]:
        """Yield messages until the other end is gone."""
        with suppress(OSError), self._connection.makefile("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    return
                message = _read(line)
                if isinstance(message, dict):
                    yield message

    def close(self) -> None:
        """End the connection; whoever reads comes to its end."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def _read(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def connect(folder: Path) -> Link | None:
    """Return a connection to the process that runs a job; None where there is none."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short_name(folder) as name:
            link.connect(name)
    except OSError:
        link.close()
        return None
    return Link(link)


def _listen(folder: Path) -> socket.socket:
    (folder / _SOCKET).unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The folder is its user's alone, and so is the socket before anybody can connect.
        os.fchmod(listening.fileno(), 0o600)
        with _short_name(folder) as name:
            listening.bind(name)
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


@contextmanager
def _short_name(folder: Path) -> Iterator[str]:
    """Have a name for the socket of a folder that is short enough for one: unix(7)."""
    opened = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{opened}/{_SOCKET}"
    finally:
        os.close(opened)
