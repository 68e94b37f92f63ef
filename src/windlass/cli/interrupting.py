"""Ctrl-C and its like: the first cancels the run, the second kills it, the third leaves at once."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CANCELLING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CANCELLED_EXIT_CODE: Final = 130
ANNOUNCEMENTS: Final = (
    "cancelling; Ctrl-C again kills what is left",
    "killing what is left; Ctrl-C again leaves at once",
)


@contextmanager
def cancelled_by_signals(
    cancel: Callable[[], None], announce: Callable[[str], None]
) -> Iterator[None]:
    """Let signals cancel what goes on instead of tearing Windlass down.

    `cancel` is called for the first signal and for the second; `announce` is told what that does.
    Both are called within a signal handler. A third signal ends this process: what still runs is
    then ended by the supervisors of the jobs, and the run can be resumed.

    SIGINT is taken over even where it was ignored (a shell's background job): a handler, unlike an
    ignored signal, is not inherited by the steps. A hang-up that `nohup` ignores stays ignored. A
    hang-up only ever counts as the first: a closing terminal sends several.
    """
    asked = 0

    def handle(number: int, frame: object) -> None:  # noqa: ARG001  # the form of a handler
        nonlocal asked
        if number == signal.SIGHUP and asked:
            return
        asked += 1
        if asked > len(ANNOUNCEMENTS):
            _leave()
        announce(ANNOUNCEMENTS[asked - 1])
        cancel()

    hears_hang_ups = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    numbers = [it for it in CANCELLING_SIGNALS if it != signal.SIGHUP or hears_hang_ups]
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def write_directly(text: str) -> None:
    """Write a line to stderr from within a signal handler: past Python's buffers and locks."""
    try:
        os.write(2, f"{text}\n".encode())
    except OSError:
        return  # nobody reads it


def _leave() -> None:
    """End this process without waiting for anything."""
    write_directly("\nleft at once; `windlass show` says what had ended")
    os._exit(CANCELLED_EXIT_CODE)
