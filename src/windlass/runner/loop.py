"""What a runner does all day: it asks the server for jobs, and passes on what the server wants.

One thread polls; polling is the sign of life. A poll is held by the server, and given up here as
soon as something has changed that the server should know. While the server is away the jobs go on,
and polling is tried again. Jobs are processes of their own (`windlass.runner.holdings`).
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from windlass.protocol.runner import (
    HOLD_SECONDS,
    PollAnswer,
    PollRequest,
    encode_message,
)
from windlass.runner.backoff import Backoff
from windlass.runner.connection import (
    ANSWER_SECONDS,
    AwayError,
    Connection,
    HungUpError,
    ProtocolError,
    RefusedError,
    read_answer,
)
from windlass.runner.holdings import Holdings
from windlass.runner.starter import StarterLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from windlass.errors import PlatformError
    from windlass.runner.starter import Starter
    from windlass.runner.workshop import Means

SOON_SECONDS: Final = 1.0
"""An answer with nothing new that comes sooner is not a held one, and the next is not asked for at
once."""

PAUSE_SECONDS: Final = 0.5
LAST_POLL_SECONDS: Final = 5.0
"""So long is waited for jobs that were on the way when the runner began to drain."""

DRAIN_SECONDS: Final = 15.0
"""So long a runner that drains, and has no job any more, waits for a server that takes nothing."""

LEAVE_TRIES: Final = 5
STOPPED: Final = "The runner is shut down"


class Runner:
    """See the module. `drain` and `stop` may be called by other threads and by signal handlers."""

    def __init__(
        self,
        starter: Starter,
        means: Means,
        runs: Path,
        *,
        capacity: int,
        ephemeral: bool,
        tell: Callable[[str], None],
    ) -> None:
        """Take what starts the processes of jobs, and the folder for what is known of jobs.

        One that is `ephemeral` runs one job. `tell` gets sentences for whoever looks after the
        runner.
        """
        self._starter = starter
        self._holdings = Holdings(starter, means, runs, tell, self._note_change)
        self._polling = Connection(means.server, means.credential)
        self._capacity = capacity
        self._ephemeral = ephemeral
        self._tell = tell
        self._changed = threading.Event()
        self._draining = False
        self._is_stopped = False
        self._idle_since = math.inf
        self._is_settled = False
        """Whether the server knows that this runner drains, and has nothing on the way to it."""
        self._is_away = False
        self._is_starter_lost = False

    @property
    def untold(self) -> int:
        """Of how many jobs the server does not have everything."""
        return self._holdings.untold

    def adopt(self) -> None:
        """Go on with the jobs that an earlier process of this runner has left."""
        self._holdings.adopt()
        if self._ephemeral and self._holdings.names:
            self._draining = True
        if self._is_stopped:
            self._holdings.stop(STOPPED)

    def run(self) -> None:
        """Poll until the runner has drained.

        Raises:
            RefusedError: the server does not know this runner any more; its jobs are ended.
            StarterLostError: no job can be begun any more; those that there are go on.
        """
        backoff = Backoff()
        self._starter.watch(self._note_starter_lost)
        try:
            while not self._is_done():
                self._poll(self._polling, backoff)
            self._holdings.wait()
            if not self._holdings.names and not self._is_away:
                self._leave(self._polling)
        except RefusedError:
            self._holdings.stop(STOPPED)
            self._holdings.wait()
            raise
        finally:
            self._polling.close()

    def drain(self) -> None:
        """Take no more jobs, and end with the last one."""
        self._draining = True
        self._wake()

    def stop(self) -> None:
        """End all jobs at once, and then the runner."""
        self._draining = self._is_stopped = True
        self._holdings.stop(STOPPED)
        self._wake()

    def _is_done(self) -> bool:
        if self._is_starter_lost and not self._draining:
            raise StarterLostError(
                "the process that starts jobs was killed",
                hint="start the runner again; its jobs go on meanwhile",
            )
        holdings = self._holdings
        if self._is_stopped and self._is_away:
            # What is not told yet is told by the next process that is this runner.
            return True
        if not self._draining or holdings.running:
            return False
        if holdings.untold:
            return time.monotonic() - holdings.last_heard >= DRAIN_SECONDS
        return self._is_stopped or self._is_settled

    def _poll(self, connection: Connection, backoff: Backoff) -> None:
        request = self._describe()
        began = time.monotonic()
        is_last = request.draining and not request.running
        self._idle_since = min(self._idle_since, began) if is_last else math.inf
        try:
            answer = self._ask(connection, request, is_last=is_last)
        except HungUpError:
            self._is_settled = False
            self._changed.clear()
            return
        except (AwayError, ProtocolError) as error:
            # What cannot be understood may come from something in between, and ends no job.
            # A server that holds it has nothing more; one that is away is not waited for.
            self._is_settled = time.monotonic() - self._idle_since >= LAST_POLL_SECONDS
            self._note_away(error)
            self._changed.wait(backoff.fail())
            self._changed.clear()
            return
        if self._is_away:
            self._tell("the server is there again")
            self._is_away = False
        backoff.succeed()
        self._is_settled = is_last and not answer.assignments
        is_early = time.monotonic() - began < SOON_SECONDS and not self._is_settled
        if not self._follow(answer) and is_early:
            self._changed.wait(PAUSE_SECONDS)
        self._changed.clear()

    def _ask(self, connection: Connection, request: PollRequest, *, is_last: bool) -> PollAnswer:
        patience = LAST_POLL_SECONDS if is_last else HOLD_SECONDS + ANSWER_SECONDS
        # One that only waits for what the server takes looks now and then how that is going.
        is_waiting = request.draining and not is_last and not self._holdings.running
        look: threading.Timer | None = None
        if is_waiting:
            patience, look = LAST_POLL_SECONDS * 2, threading.Timer(LAST_POLL_SECONDS, self._wake)
            look.daemon = True
            look.start()
        try:
            _, content = connection.post("poll", encode_message(request), patience)
        finally:
            if look is not None:
                look.cancel()
        answer: PollAnswer = read_answer(PollAnswer, content)
        return answer

    def _describe(self) -> PollRequest:
        names, running = self._holdings.names, self._holdings.running
        free = 0 if self._draining else max(0, self._capacity - running)
        return PollRequest(running=names, free=free, draining=self._draining)

    def _follow(self, answer: PollAnswer) -> bool:
        """Do what the server says; tell whether any of it was new."""
        is_new = False
        for values in answer.assignments:
            is_new |= self._take(values)
        for notice in answer.cancel:
            end = self._holdings.force if notice.force else self._holdings.cancel
            end(notice.job, notice.reason)
        for name in answer.gone:
            is_new |= self._holdings.give_up(name)
        if answer.drain and not self._draining:
            self._tell("the server lets this runner drain")
            self._draining = is_new = True
        return is_new

    def _take(self, values: Mapping[str, Any]) -> bool:
        is_taken = self._holdings.begin(values)
        self._draining |= is_taken and self._ephemeral
        if is_taken and self._is_stopped:
            self._holdings.stop(STOPPED)
        return is_taken

    def _note_change(self) -> None:
        """Hear that a job is over: there is room again, perhaps."""
        if self._draining or self._holdings.running >= self._capacity - 1:
            self._wake()

    def _note_starter_lost(self) -> None:
        self._is_starter_lost = True
        self._wake()

    def _wake(self) -> None:
        """Have the poll that is held given up, and another one sent with what is so now."""
        self._changed.set()
        self._polling.hang_up()

    def _note_away(self, error: PlatformError) -> None:
        if not self._is_away:
            self._tell(f"{error.message}; jobs go on, and it is asked again")
        self._is_away = True

    def _leave(self, connection: Connection) -> None:
        """Tell the server that this runner takes no more jobs; it finds out by itself otherwise."""
        backoff = Backoff()
        for _ in range(LEAVE_TRIES):
            try:
                connection.post("leave", "{}")
            except AwayError:
                time.sleep(backoff.fail())
            except RefusedError:
                return
            else:
                return
