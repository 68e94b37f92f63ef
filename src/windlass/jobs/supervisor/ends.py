"""How a supervisor hears of the ends of its children, tells of them, and does not end itself."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os

BLOCK_BYTES = 1 << 18
CODE_BYTES = 4
IGNORED = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGQUIT)
"""What is sent to everybody at the end of a session is not for us: we end after Windlass."""


def tell_end(teller: int, status: int) -> None:
    """Write the exit code as a shell has it; who waits for it may be gone."""
    code = os.waitstatus_to_exitcode(status)
    try:  # noqa: SIM105
        os.write(teller, (code if code >= 0 else 128 - code).to_bytes(CODE_BYTES, "little"))
    except OSError:
        pass
    os.close(teller)


def make_wake() -> int:
    """Return a pipe that becomes readable when a child has ended."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    _signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    _signal.signal(_signal.SIGCHLD, lambda *_: None)
    return reader


def drain_wake(wake: int) -> None:
    """Make that pipe unreadable again, until the next child ends."""
    try:  # noqa: SIM105
        os.read(wake, BLOCK_BYTES)
    except BlockingIOError:
        pass


def be_deaf() -> None:
    """Ignore what is sent to everybody at the end of a session."""
    for number in IGNORED:
        _signal.signal(number, _signal.SIG_IGN)
