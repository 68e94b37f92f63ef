"""Runners that wait for something to do: held by an event loop, none of them by a thread.

Whatever changes in the queue wakes one look at the database, in one thread, for all who wait: those
who came first are given jobs first. What another process has changed is found by looking again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from windlass.db.jobs import is_anything_due, list_asked_to_end
from windlass.db.runners import find_runner, list_inactive
from windlass.engine.server.changes import JOBS, LEAVING
from windlass.errors import WindlassError
from windlass.operations.hosted.jobs import answer_poll, fits, list_wanted
from windlass.protocol.runner import PollAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windlass.db.runners import RunnerRow
    from windlass.operations.hosted.site import Site
    from windlass.protocol.runner import PollRequest
    from windlass.server.runners.polls import Poll

REPEAT_SECONDS: Final = 2.0
"""A job that is to end is named again after this: the answer that named it may have been lost."""

_log = logging.getLogger(__name__)


class Notices:
    """What runners were told already and would hear again with every answer."""

    def __init__(self) -> None:
        self._told: dict[str, frozenset[object]] = {}

    def is_news(self, runner: str, answer: PollAnswer) -> bool:
        """Tell whether an answer says anything that was not said before."""
        if answer.assignments or answer.gone:
            return True
        return not _list_notices(answer) <= self._told.get(runner, frozenset())

    def note(self, runner: str, answer: PollAnswer) -> None:
        """Remember what an answer said."""
        if said := _list_notices(answer):
            self._told[runner] = said
        else:
            self._told.pop(runner, None)


def _list_notices(answer: PollAnswer) -> frozenset[object]:
    drain = ("drain",) if answer.drain else ()
    return frozenset((*((it.job, it.force) for it in answer.cancel), *drain))


class Waiter:
    """A runner that waits; its answer is there as soon as there is something to say."""

    def __init__(self, runner: RunnerRow, request: PollRequest, poll: Poll) -> None:
        """Take what a runner asks; to be made in the event loop in which it waits."""
        self.runner = runner
        self.request = request
        self.poll = poll
        self.answer: asyncio.Future[PollAnswer] = asyncio.get_running_loop().create_future()
        self.is_gone = False
        """Whether it waits no more, and hears of nothing that is found for it now."""

    @property
    def takes_jobs(self) -> bool:
        """Whether it would be given a job."""
        return self.request.free > 0 and not self.request.draining


class Lobby:
    """All runners that wait in one event loop; its methods are for that loop alone."""

    def __init__(self, site: Site, notices: Notices) -> None:
        self._site = site
        self._notices = notices
        self._loop = asyncio.get_running_loop()
        self._waiters: dict[Waiter, None] = {}
        self._stirred = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stop_listening: Callable[[], None] | None = None

    async def wait(self, waiter: Waiter, seconds: float) -> PollAnswer:
        """Wait until there is something for a runner to do, or for so long."""
        self._waiters[waiter] = None
        self._begin()
        # Something may have changed since the runner was answered that there is nothing.
        self._stirred.set()
        try:
            return await asyncio.wait_for(waiter.answer, seconds)
        except TimeoutError:
            return PollAnswer()
        finally:
            waiter.is_gone = True
            self._waiters.pop(waiter, None)

    def _begin(self) -> None:
        if self._stop_listening is None:
            self._stop_listening = self._site.changes.listen(self._hear)
        if self._task is None or self._task.done():
            self._task = self._loop.create_task(self._look_on())

    def _hear(self, topic: str) -> None:
        """Pass on to the loop what a thread says."""
        if topic in (JOBS, LEAVING) and not self._stirred.is_set():
            try:
                self._loop.call_soon_threadsafe(self._stirred.set)
            except RuntimeError:
                # The loop has ended, and nobody waits in it any more.
                self._stop()

    def _stop(self) -> None:
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None

    async def _look_on(self) -> None:
        """Look whenever something has changed, as long as anybody waits."""
        while self._waiters:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), self._site.changes.pause)
            self._stirred.clear()
            if self._site.changes.count(LEAVING):
                self._dismiss()
                return
            await self._look()
        self._stop()

    def _dismiss(self) -> None:
        """Answer all that there is nothing to do: the process is about to end."""
        for waiter in self._waiters:
            if not waiter.answer.done():
                waiter.answer.set_result(PollAnswer())
        self._stop()

    async def _look(self) -> None:
        waiters = [it for it in self._waiters if not it.answer.done()]
        try:
            await asyncio.to_thread(self._answer_all, waiters)
        except WindlassError as error:
            # They hear of it themselves when they ask again.
            _log.warning("the queue cannot be read: %s", error)

    def _answer_all(self, waiters: Sequence[Waiter]) -> None:
        """Answer those for whom there is something, in the order in which they came."""
        site = self._site
        if not is_anything_due(site.store):
            return
        noticed = list_asked_to_end(site.store) | list_inactive(site.store)
        wanted = list_wanted(site) if any(it.takes_jobs for it in waiters) else []
        for waiter in waiters:
            has_job = waiter.takes_jobs and fits(waiter.runner, wanted)
            if not has_job and waiter.runner.id not in noticed:
                continue
            runner = find_runner(site.store, waiter.runner.id)
            if runner is None or runner.state == "revoked":
                # Whoever waits for the answer finds out.
                self._loop.call_soon_threadsafe(_give, waiter, PollAnswer())
                continue
            answer = waiter.poll.look(partial(self._find_answer, runner, waiter))
            if self._notices.is_news(runner.id, answer):
                self._loop.call_soon_threadsafe(_give, waiter, answer)
            if has_job:
                wanted = list_wanted(site)

    def _find_answer(self, runner: RunnerRow, waiter: Waiter) -> PollAnswer:
        if waiter.is_gone:
            return PollAnswer()
        return answer_poll(self._site, runner, waiter.request)


def _give(waiter: Waiter, answer: PollAnswer) -> None:
    # One that has gone meanwhile is sent its jobs again.
    if not waiter.answer.done():
        waiter.answer.set_result(answer)
