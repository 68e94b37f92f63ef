"""What a runner does all day: it asks the server for jobs, and looks after those that it has.

One thread polls; polling is the sign of life. A poll is held by the server, and given up here as
soon as something has changed that the server should know. While the server is away the jobs go on,
and polling is tried again.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import InputError, PlatformError
from windlass.protocol.assignments import find_job_id
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
from windlass.runner.jobs import Delivery, RunningJob
from windlass.runner.records import JobRecord
from windlass.runner.shipping import Shipment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from windlass.runner.workshop import Workshop

SOON_SECONDS: Final = 1.0
"""An answer with nothing new that comes sooner is not a held one, and the next is not asked for at
once."""

PAUSE_SECONDS: Final = 0.5
LAST_POLL_SECONDS: Final = 5.0
"""So long is waited for jobs that were on the way when the runner began to drain."""

LEAVE_TRIES: Final = 5
STOPPED: Final = "The runner is shut down"
NOT_OURS: Final = "the server has given it to somebody else, or ended it"


class Runner:
    """See the module. `drain` and `stop` may be called by other threads and by signal handlers."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        workshop: Workshop,
        runs: Path,
        *,
        capacity: int,
        ephemeral: bool,
        tell: Callable[[str], None],
    ) -> None:
        """Take what makes connections, and the folder for what is known of jobs.

        One that is `ephemeral` runs one job. `tell` gets sentences for whoever looks after the
        runner.
        """
        self._connect = connect
        self._workshop = workshop
        self._runs = runs
        self._capacity = capacity
        self._ephemeral = ephemeral
        self._tell = tell
        self._lock = threading.RLock()
        self._jobs: dict[str, RunningJob] = {}
        self._leftovers: dict[str, Delivery] = {}
        self._changed = threading.Event()
        self._polling: Connection | None = None
        self._draining = False
        self._is_stopped = False
        self._idle_since = math.inf
        self._is_settled = False
        """Whether the server knows that this runner drains, and has nothing on the way to it."""
        self._is_away = False

    def resume(self, records: Sequence[JobRecord]) -> None:
        """Tell the server what an earlier process of this runner could not."""
        for record in records:
            name = str(record.job)
            end = record.read_end()
            if end is None:
                continue
            delivery = Delivery(
                record,
                self._connect(),
                Shipment(record, _take_no_notice, is_old=True),
                self._note_given_up(name),
                self._note_told(name),
            )
            self._leftovers[name] = delivery
            delivery.end(end)
            delivery.thread.start()

    def run(self) -> None:
        """Poll until the runner has drained.

        Raises:
            RefusedError: the server does not know this runner any more; its jobs are ended.
        """
        backoff = Backoff()
        connection = self._polling = self._connect()
        try:
            while not self._is_done():
                self._poll(connection, backoff)
            if not self._jobs and not self._leftovers and not self._is_away:
                self._leave(connection)
        except PlatformError:
            self._end_all(STOPPED)
            raise
        finally:
            self._wait_for_jobs()
            connection.close()

    def drain(self) -> None:
        """Take no more jobs, and end with the last one."""
        self._draining = True
        self._wake()

    def stop(self) -> None:
        """End all jobs at once, and then the runner."""
        with self._lock:
            self._draining = self._is_stopped = True
        self._end_all(STOPPED)
        self._wake()

    def _is_done(self) -> bool:
        with self._lock:
            if self._is_stopped:
                # What is not told yet is told by the next process that is this runner.
                return not self._jobs or self._is_away
            is_idle = not self._jobs and not self._leftovers
            return self._draining and is_idle and self._is_settled

    def _poll(self, connection: Connection, backoff: Backoff) -> None:
        request = self._describe()
        began = time.monotonic()
        is_last = request.draining and not request.running
        self._idle_since = min(self._idle_since, began) if is_last else math.inf
        patience = LAST_POLL_SECONDS if is_last else HOLD_SECONDS + ANSWER_SECONDS
        try:
            _, content = connection.post("poll", encode_message(request), patience)
            answer: PollAnswer = read_answer(PollAnswer, content)
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

    def _describe(self) -> PollRequest:
        with self._lock:
            free = 0 if self._draining else max(0, self._capacity - len(self._jobs))
            return PollRequest(
                running=(*self._jobs, *self._leftovers), free=free, draining=self._draining
            )

    def _follow(self, answer: PollAnswer) -> bool:
        """Do what the server says; tell whether any of it was new."""
        is_new = False
        for values in answer.assignments:
            is_new |= self._take(values)
        for notice in answer.cancel:
            if job := self._jobs.get(notice.job):
                job.cancel(notice.reason)
        for name in answer.gone:
            is_new |= self._give_up(name)
        if answer.drain and not self._draining:
            self._tell("the server lets this runner drain")
            self._draining = is_new = True
        return is_new

    def _take(self, values: Mapping[str, Any]) -> bool:
        try:
            job_id = find_job_id(values)
        except InputError as error:
            self._tell(f"an assignment cannot be understood: {error.message}")
            return False
        name = str(job_id)
        with self._lock:
            if name in self._jobs or name in self._leftovers:
                return False
            job = RunningJob(
                values,
                JobRecord(self._runs, job_id),
                self._workshop,
                self._connect(),
                self._tell,
                lambda _: self._note_finished(name),
            )
            try:
                job.start()
            except PlatformError as error:
                self._tell(f"job {name} cannot be taken: {error.message}")
                return False
            self._jobs[name] = job
            self._draining |= self._ephemeral
        self._tell(f"job {name} begins")
        if self._is_stopped:
            job.force(STOPPED)
        return True

    def _give_up(self, name: str) -> bool:
        with self._lock:
            job, delivery = self._jobs.get(name), self._leftovers.get(name)
        if job is not None and job.thread.is_alive():
            job.give_up(NOT_OURS)
        if delivery is not None:
            delivery.drop()
        return job is not None or delivery is not None

    def _note_finished(self, name: str) -> None:
        with self._lock:
            was_full = len(self._jobs) >= self._capacity
            self._jobs.pop(name, None)
            is_worth_it = was_full or (self._draining and not self._jobs)
        self._tell(f"job {name} is over")
        if is_worth_it:
            self._wake()

    def _note_told(self, name: str) -> Callable[[], None]:
        def note() -> None:
            with self._lock:
                self._leftovers.pop(name, None)
            self._wake()

        return note

    def _note_given_up(self, name: str) -> Callable[[str], None]:
        return lambda reason: self._tell(f"nothing more is told of job {name}: {reason}")

    def _wake(self) -> None:
        """Have the poll that is held given up, and another one sent with what is so now."""
        self._changed.set()
        if self._polling is not None:
            self._polling.hang_up()

    def _note_away(self, error: PlatformError) -> None:
        if not self._is_away:
            self._tell(f"{error.message}; jobs go on, and it is asked again")
        self._is_away = True

    def _end_all(self, reason: str) -> None:
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.force(reason)

    def _wait_for_jobs(self) -> None:
        """Wait until no job runs; what is not told of them stays in their records."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.thread.join()

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


def _take_no_notice(reason: str) -> None:
    """Stand for a job that has ended already."""
