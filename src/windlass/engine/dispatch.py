"""Carries out a run's orders on this machine: a thread for every job, so many at a time."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from windlass.engine.announcements import announce, announce_breakdown
from windlass.errors import PlatformError, WindlassError
from windlass.jobs.cancellation import Cancellation
from windlass.model.status import Result
from windlass.plan.orders import CancelJob, DropJob, StartJob
from windlass.plan.signals import JobFinished

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.plan.orders import Order
    from windlass.plan.signals import Signal
    from windlass.protocol.events import RunEvent


class LocalDispatcher:
    """Starts jobs in the order they were ordered, as soon as one of `max_jobs` places is free.

    `run_job` runs one job to its end in the calling thread; `send` takes what happened; `emit`
    takes what onlookers see, one event at a time whichever thread it comes from. `breakdowns` are
    the errors of the platform that jobs met: such a job counts as failed.
    """

    def __init__(
        self,
        run_job: Callable[[StartJob, Cancellation], JobFinished],
        *,
        send: Callable[[Signal], None],
        emit: Callable[[RunEvent], None],
        max_jobs: int,
    ) -> None:
        self._run_job = run_job
        self._send = send
        self._emit = emit
        self._max_jobs = max(1, max_jobs)
        self._lock = threading.Lock()
        self._queued: deque[StartJob] = deque()
        self._running: dict[str, Cancellation] = {}
        self._threads: list[threading.Thread] = []
        self._forced = False
        self.breakdowns: list[WindlassError] = []

    def carry_out(self, order: Order) -> None:
        """Carry out one order without waiting for its end."""
        match order:
            case StartJob():
                self._start(order)
            case CancelJob():
                self._cancel(order)
            case _:
                for event in announce(order):
                    self._emit(event)

    def force(self) -> None:
        """End every running job at once and start no other one's steps."""
        with self._lock:
            self._forced = True
            cancellations = list(self._running.values())
        for cancellation in cancellations:
            cancellation.force()

    def join(self) -> None:
        """Wait until every thread that was started has ended."""
        for thread in self._threads:
            thread.join()

    def _start(self, order: StartJob) -> None:
        with self._lock:
            self._queued.append(order)
        self._fill()

    def _fill(self) -> None:
        """Give free places to the jobs that have waited longest."""
        while True:
            with self._lock:
                if not self._queued or len(self._running) >= self._max_jobs:
                    return
                order = self._queued.popleft()
                cancellation = self._running[order.key] = Cancellation()
                if self._forced:
                    cancellation.force()
            self._begin(order, cancellation)

    def _begin(self, order: StartJob, cancellation: Cancellation) -> None:
        """Give a job its thread; one that the system refuses is a breakdown of that job."""
        thread = threading.Thread(
            target=self._work, args=(order, cancellation), name=order.key, daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            with self._lock:
                del self._running[order.key]
            self._send(self._break_down(order, PlatformError(f"The job was not begun: {error}")))
        else:
            self._threads.append(thread)

    def _cancel(self, order: CancelJob) -> None:
        with self._lock:
            waiting = next((job for job in self._queued if job.key == order.key), None)
            if waiting is not None:
                self._queued.remove(waiting)
            cancellation = self._running.get(order.key)
        if waiting is not None:
            for event in announce(DropJob(waiting.key, waiting.name, order.reason)):
                self._emit(event)
            self._send(JobFinished(order.key, Result.CANCELLED))
        elif cancellation is not None:
            cancellation.request(order.reason)

    def _work(self, order: StartJob, cancellation: Cancellation) -> None:
        """Run one job in its own thread; whatever breaks, the run hears of the job's end."""
        try:
            signal = self._run_job(order, cancellation)
        except Exception as error:  # noqa: BLE001 (the worker loop: nothing may be lost here)
            signal = self._break_down(order, error)
        with self._lock:
            del self._running[order.key]
        self._fill()
        self._send(signal)

    def _break_down(self, order: StartJob, error: Exception) -> JobFinished:
        if not isinstance(error, WindlassError):
            error = PlatformError(f"job '{order.key}' met an internal error: {error!r}")
        self.breakdowns.append(error)
        for event in announce_breakdown(order, error):
            self._emit(event)
        return JobFinished(order.key, Result.FAILURE, started=False)
