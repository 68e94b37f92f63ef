"""One thing that is watched: read once, however many watch it.

Nobody's messages are queued. Each watcher has a position and asks for what comes from there on; the
last frames that were asked for are kept, so those who keep up share them, and whoever is slow reads
from the file or the database again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from windlass.errors import InputError, PlatformError
from windlass.server.live.sources import Frame

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from concurrent.futures import Executor

    from windlass.server.live.sources import Source

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5
"""What other processes write is found by looking again."""

PAUSE_SECONDS: Final = 0.05
PAUSE_PER_WATCHER: Final = 0.001
"""Between two looks, however often something is told: what comes meanwhile is one frame. A frame
costs more the more there are who get it."""

HEARTBEAT_SECONDS: Final = 15.0
KEPT_BYTES: Final = 4 << 20


class Tail:
    """Follows a source from where it is now; to be used within one event loop."""

    def __init__(self, source: Source, pool: Executor) -> None:
        self.source = source
        self.watchers = 0
        self._pool = pool
        self._frames: OrderedDict[int, Frame] = OrderedDict()
        self._kept_bytes = 0
        self._reading: dict[int, asyncio.Future[Frame]] = {}
        self._end = 0
        self._is_over = False
        self._is_left = False
        self._failure: Exception | None = None
        self._news = asyncio.Event()
        self._told = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for what is new."""
        self._task = asyncio.get_running_loop().create_task(self._follow())
        self._task.add_done_callback(self._note_end)

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    def tell(self) -> None:
        """Say that something may be new."""
        self._told.set()

    def leave(self) -> None:
        """Let all watchers go."""
        self._is_left = True
        self._wake()

    async def watch(self, position: int) -> AsyncGenerator[Frame | None, None]:
        """Yield what comes from a position on, last of all a frame with an outcome.

        None is yielded where nothing has come for a while. It ends early when watchers are let go.
        A database or a disk in trouble is waited for.

        Raises:
            InputError: it is not there any more.
        """
        while not self._is_left:
            news = self._news
            frame = await self._find(position)
            if frame is not None:
                yield frame
                if frame.outcome:
                    return
                position = frame.end
                continue
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await news.wait()
            except TimeoutError:
                yield None

    async def _find(self, position: int) -> Frame | None:
        """Return what comes at a position; None where that is nothing yet."""
        if self._failure is not None:
            raise self._failure
        if not self._is_over and position >= self._end:
            return None
        try:
            frame = await self.read(position)
        except PlatformError:
            await asyncio.sleep(LOOK_SECONDS)
            return Frame((), position)
        return frame if frame.messages or frame.outcome else None

    async def read(self, position: int) -> Frame:
        """Return what is there from a position on; those who ask at once read once.

        Raises:
            WindlassError: it cannot be read.
        """
        if position in self._frames:
            self._frames.move_to_end(position)
            return self._frames[position]
        reading = self._reading.get(position)
        if reading is None:
            loop = asyncio.get_running_loop()
            reading = loop.run_in_executor(self._pool, self.source.read, position)
            self._reading[position] = reading
            reading.add_done_callback(lambda it: self._note(position, it))
        # Who stops waiting does not stop the others.
        return await asyncio.shield(reading)

    def _note(self, position: int, reading: asyncio.Future[Frame]) -> None:
        """Keep what was read, and forget what nobody has asked for lately."""
        del self._reading[position]
        if reading.cancelled() or reading.exception() is not None:
            return
        frame = reading.result()
        if frame.messages:
            self._frames[position] = frame
            self._kept_bytes += frame.size
        while self._kept_bytes > KEPT_BYTES:
            _, oldest = self._frames.popitem(last=False)
            self._kept_bytes -= oldest.size

    async def _follow(self) -> None:
        """Find what is new until it is over, and tell all watchers."""
        loop = asyncio.get_running_loop()
        is_begun = False
        while not self._is_over:
            looked = loop.time()
            self._told.clear()
            try:
                if not is_begun:
                    self._end = await loop.run_in_executor(self._pool, self.source.count)
                    is_begun = True
                    self._wake()
                await self._look()
            except PlatformError:
                # The database or the disk is in trouble; it may be well again later.
                await asyncio.sleep(LOOK_SECONDS)
            except InputError as error:
                self._failure = error
                self._wake()
                return
            await self._wait(looked + PAUSE_SECONDS + PAUSE_PER_WATCHER * self.watchers)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        """Have a fault told to all who watch: they would wait for ever."""
        if not task.cancelled() and isinstance(fault := task.exception(), Exception):
            _log.error("what is new cannot be followed", exc_info=fault)
            self._failure = fault
            self._wake()

    async def _look(self) -> None:
        """Read until nothing more is there."""
        frame = await self.read(self._end)
        while frame.messages:
            self._end = frame.end
            self._wake()
            frame = await self.read(self._end)
        if frame.outcome:
            self._is_over = True
            self._wake()

    async def _wait(self, earliest: float) -> None:
        """Wait until something is told, or for a while; at least until a moment of the loop's."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._told.wait()
        await asyncio.sleep(max(0.0, earliest - loop.time()))

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
