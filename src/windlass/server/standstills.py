"""A database that stands still is no reason to wait for ever: whoever asks is told so.

A PostgreSQL whose machine or disk hangs neither answers nor breaks off, and nothing in its protocol
ends that. Threads that ask it wait until it goes on; what was asked is done then, as it would be
had the answer been lost. Whoever waits for one of them hears 503 meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from windlass.server.problems import problem_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATIENCE_SECONDS: Final = 5.0
"""Whoever has waited so long for an answer is worth a look whether there is going to be one."""

LOOK_SECONDS: Final = 1.0
RETRY_SECONDS: Final = "5"
_ADDRESSES: Final = ("/api/", "/hooks/", "/badges/")
"""What people and programs ask; runners are patient, and their polls are long."""


class Standstills:
    """Answers requests in place of the application while the database `stands_still`."""

    def __init__(self, app: ASGIApp, stands_still: Callable[[], Awaitable[bool]]) -> None:
        self._app = app
        self._stands_still = stands_still

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look after it."""
        if scope["type"] != "http" or not scope["path"].startswith(_ADDRESSES):
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, receive, send)
        looking: list[asyncio.Task[None]] = []
        loop = asyncio.get_running_loop()
        timer = loop.call_later(
            PATIENCE_SECONDS, lambda: looking.append(loop.create_task(self._look_after(answer)))
        )
        try:
            await self._app(scope, receive, answer.send)
        finally:
            timer.cancel()
            for task in looking:
                if not answer.is_refused:
                    task.cancel()
                # What is being said is said to its end.
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _look_after(self, answer: _Answer) -> None:
        with contextlib.suppress(OSError):
            while not answer.has_begun:
                if await self._stands_still():
                    await answer.refuse()
                    return
                await asyncio.sleep(LOOK_SECONDS)


class _Answer:
    """The answer to one request: the application's, or ours. Whoever begins first gives it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self.is_refused = self.has_begun = False

    async def send(self, message: Message) -> None:
        """Send what the application says; nobody hears what it says too late."""
        if not self.is_refused:
            self.has_begun = True
            await self._send(message)

    async def refuse(self) -> None:
        """Say that it cannot be done now."""
        if self.has_begun:
            return
        self.has_begun = self.is_refused = True
        problem = problem_of(
            "platform",
            "the server's database stands still",
            hint="ask again in a moment; what was asked may yet be done",
            headers={"Retry-After": RETRY_SECONDS},
        )
        await problem(self._scope, self._receive, self._send)
