"""Who waits for what has been committed is woken at once: within this process, by topic.

A topic is any text: `jobs` (the queue has changed), `run/ID/ATTEMPT` (something was told of an
attempt), `run/ID/ATTEMPT/log/NUMBER` (a job's log has grown), `inbox`, `effects`, `tokens` (one was
revoked), `leaving` (this process is about to end: whoever keeps somebody waiting lets them go).
What another process commits is found by whoever looks again: often while other servers are known on
the database, seldom while none is. `Changes.pause` says after how long.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

JOBS: Final = "jobs"
INBOX: Final = "inbox"
EFFECTS: Final = "effects"
TOKENS: Final = "tokens"
LEAVING: Final = "leaving"
LOOK_SECONDS: Final = 0.5
"""What another server has left is found within this time, once it is known to be there."""

LONELY_SECONDS: Final = 2.0
"""The same where no other server is known: each look costs both processes' time."""

_COUNTED: Final = (JOBS, INBOX, EFFECTS, TOKENS, LEAVING)


def name_attempt(run: str, attempt: int) -> str:
    """Return the topic of an attempt."""
    return f"run/{run}/{attempt}"


def name_log(run: str, attempt: int, number: int) -> str:
    """Return the topic of the log of a job, the number-th of its attempt."""
    return f"{name_attempt(run, attempt)}/log/{number}"


class Changes:
    """Counts the changes of topics; may be used from any number of threads.

    Those of runs are told to listeners alone: there is no end of runs, and of what was counted.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._counts = dict.fromkeys(_COUNTED, 0)
        self._listeners: list[Callable[[str], None]] = []
        self._others = 0

    @property
    def pause(self) -> float:
        """The seconds after which to look again for what other processes have committed."""
        return LOOK_SECONDS if self._others else LONELY_SECONDS

    def note_others(self, count: int) -> None:
        """Note how many other servers are there; the first wakes what is in the longer pause."""
        is_news = count and not self._others
        self._others = count
        if is_news:
            for topic in (JOBS, INBOX, EFFECTS):
                self.tell(topic)

    def tell(self, topic: str) -> None:
        """Say that something has changed; after the commit, never within the transaction."""
        with self._condition:
            if topic in self._counts:
                self._counts[topic] += 1
                self._condition.notify_all()
            listeners = list(self._listeners)
        for listener in listeners:
            listener(topic)

    def count(self, topic: str) -> int:
        """Return how often a topic has changed: to be asked before its state is looked at."""
        with self._condition:
            return self._counts[topic]

    def wait(self, topic: str, seen: int, seconds: float) -> int:
        """Wait until a topic has changed more often than `seen`, or the time is over."""
        with self._condition:
            self._condition.wait_for(lambda: self._counts[topic] != seen, seconds)
            return self._counts[topic]

    def listen(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Have every topic that changes told, in the thread that changes it; return what ends it.

        For those who cannot wait in a thread: an event loop passes it on to itself.
        """
        with self._condition:
            self._listeners.append(listener)
        return lambda: self._forget(listener)

    def _forget(self, listener: Callable[[str], None]) -> None:
        with self._condition:
            self._listeners.remove(listener)
