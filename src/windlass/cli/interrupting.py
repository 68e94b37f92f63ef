"""Ctrl-C and its like: the first cancels the run, the second kills it, the third leaves at once."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
    Both are called by a thread of their own. A third signal ends this process: what still runs is
    then ended by the supervisors of the jobs, and the run can be resumed.

    SIGINT is taken over even where it was ignored (a shell's background job): a handler, unlike an
    ignored signal, is not inherited by the steps. A hang-up that `nohup` ignores stays ignored.
    """
    hears_hang_ups = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    numbers = [it for it in CANCELLING_SIGNALS if it != signal.SIGHUP or hears_hang_ups]
    with signals_told(numbers, _Escalation(cancel, announce).hear):
        yield


class _Escalation:
    """Counts how often it was asked; a hang-up is only ever the first: terminals send several."""

    def __init__(self, cancel: Callable[[], None], announce: Callable[[str], None]) -> None:
        self._cancel = cancel
        self._announce = announce
        self._asked = 0

    def hear(self, number: int) -> None:
        if number == signal.SIGHUP and self._asked:
            return
        self._asked += 1
        if self._asked > len(ANNOUNCEMENTS):
            _leave()
        # What cannot be written, for instance on a full disk, must not keep the run from ending.
        with suppress(OSError):
            self._announce(ANNOUNCEMENTS[self._asked - 1])
        self._cancel()


@contextmanager
def signals_told(numbers: Sequence[int], hear: Callable[[int], None]) -> Iterator[None]:
    """Have a thread told of signals.

    Handlers run in the main thread, between two instructions of Python. While it waits for
    something, a signal wakes it only if the system gives the signal to that very thread, which it
    does not always do: not to a process that is stopped, for one.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)  # a condition of `set_wakeup_fd`
    listener = threading.Thread(target=_listen, args=(reading, numbers, hear), daemon=True)
    listener.start()
    woken_before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    before = {number: signal.signal(number, _do_nothing) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(woken_before)
        os.close(writing)
        listener.join()
        os.close(reading)


def _listen(reading: int, numbers: Sequence[int], hear: Callable[[int], None]) -> None:
    while told := os.read(reading, 64):
        for number in told:
            if number in numbers:
                hear(number)


def _do_nothing(number: int, frame: object) -> None:
    """Stand in for a handler: only signals with one are told."""


def write_directly(text: str) -> None:
    """Write a line to stderr, past the locks of whoever may just be writing there."""
    try:
        os.write(2, f"{text}\n".encode())
    except OSError:
        return  # nobody reads it


def _leave() -> None:
    """End this process without waiting for anything."""
    write_directly("\nleft at once; `windlass show` says what had ended")
    os._exit(CANCELLED_EXIT_CODE)
