"""Who watches what in this process, and how they hear of what is new."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from windlass.engine.server.changes import LEAVING
from windlass.server.live.tails import Tail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from windlass.engine.server.changes import Changes
    from windlass.server.live.sources import Source

READERS: Final = 4
"""Threads that read for watchers: theirs alone, so that nothing else of the server waits."""


class Hub:
    """One tail for each thing that is watched; to be used within one event loop."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._pool = ThreadPoolExecutor(READERS, "windlass-live")
        self._tails: dict[tuple[str, ...], Tail] = {}
        self._topics = frozenset[str]()
        self._stop_listening: Callable[[], None] | None = None

    @property
    def is_leaving(self) -> bool:
        """Whether the process is about to end, and takes no more watchers."""
        return self._changes.count(LEAVING) > 0

    async def wait_until_leaving(self) -> None:
        """Wait until the process is about to end."""
        leaving = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop_listening = self._changes.listen(
            lambda topic: _pass_on(loop, leaving.set) if topic == LEAVING else None
        )
        try:
            # Listened first: it may be told at any moment.
            if not self.is_leaving:
                await leaving.wait()
        finally:
            stop_listening()

    @contextlib.asynccontextmanager
    async def watching(self, source: Source) -> AsyncIterator[Tail]:
        """Share the tail of a source with all who watch the same."""
        tail = self._tails.get(source.topics)
        if tail is None:
            self._listen()
            tail = self._tails[source.topics] = Tail(source, self._pool)
            self._choose_topics()
            tail.start()
        if self.is_leaving:
            tail.leave()
        tail.watchers += 1
        try:
            yield tail
        finally:
            tail.watchers -= 1
            if not tail.watchers:
                tail.stop()
                del self._tails[source.topics]
                self._choose_topics()
                self._rest()

    def _listen(self) -> None:
        """Have changes told, as long as somebody watches."""
        if self._stop_listening is None:
            loop = asyncio.get_running_loop()
            self._stop_listening = self._changes.listen(
                lambda it: _pass_on(loop, self._hear, it) if it in self._topics else None
            )

    def _choose_topics(self) -> None:
        """Remember what anybody cares for: it is looked at by the threads that change things."""
        self._topics = frozenset({LEAVING}.union(*self._tails))

    def _rest(self) -> None:
        if not self._tails and self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None

    def _hear(self, topic: str) -> None:
        for topics, tail in self._tails.items():
            if topic == LEAVING:
                tail.leave()
            elif topic in topics:
                tail.tell()


def _pass_on(loop: asyncio.AbstractEventLoop, hear: Callable[..., None], *topics: str) -> None:
    # A loop that has ended has nobody left who would want to know.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(hear, *topics)
