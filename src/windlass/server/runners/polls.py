"""Which poll of a runner counts: its last one, as long as somebody waits for the answer.

A runner gives up a poll and asks anew as soon as it has news. If both were looked after at once,
each would find that a job was lost on the way which the other has just been given, and would make a
new token for it: the one that the runner gets would count no more.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from windlass.operations.hosted.credentials import digest_credential
from windlass.protocol.runner import PollAnswer

if TYPE_CHECKING:
    from collections.abc import Callable


class _Turn:
    """Whose turn it is to look: polls of one runner look one after the other."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class Poll:
    """One poll of a runner; may be used from any number of threads."""

    def __init__(self, turn: _Turn) -> None:
        self.turn = turn
        self._is_over = False

    def end(self) -> None:
        """Take nothing more for it: the runner has asked anew, and hears nothing of this one."""
        self._is_over = True

    def look(self, find_answer: Callable[[], PollAnswer]) -> PollAnswer:
        """Return what there is to say; nothing for one that is over, which then takes nothing."""
        with self.turn.lock:
            return PollAnswer() if self._is_over else find_answer()


class Polls:
    """The polls of all runners; its method is for the event loop alone."""

    def __init__(self) -> None:
        self._last: WeakValueDictionary[str, Poll] = WeakValueDictionary()
        # What looks for a poll that is over keeps its turn until it has looked.
        self._turns: WeakValueDictionary[str, _Turn] = WeakValueDictionary()

    def begin(self, credential: str) -> Poll:
        """Begin a poll of whoever shows a credential, and end the one before."""
        name = digest_credential(credential)
        if (before := self._last.get(name)) is not None:
            before.end()
        turn = self._turns.setdefault(name, _Turn())
        poll = self._last[name] = Poll(turn)
        return poll
