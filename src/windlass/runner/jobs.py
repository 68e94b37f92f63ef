"""One job: a thread that carries it out, and one that tells the server of it.

Neither waits for the other. While the server is away the job goes on and what it says stays in its
record; the job is over for the runner when the server has all of it.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from windlass.engine.announcements import announce_breakdown
from windlass.errors import InputError, PlatformError, WindlassError
from windlass.jobs.cancellation import Cancellation
from windlass.model.status import Result
from windlass.model.values import replace
from windlass.operations.concealment import Concealment
from windlass.protocol import events
from windlass.protocol.assignments import decode_assignment
from windlass.protocol.event_lines import read_event, write_event
from windlass.protocol.runner import LONGEST_EVENT, EndRequest
from windlass.runner.backoff import Backoff
from windlass.runner.connection import AwayError, GoneError, ProtocolError, RefusedError
from windlass.runner.shipping import Shipment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from windlass.protocol.assignments import Assignment
    from windlass.protocol.events import RunEvent
    from windlass.runner.connection import Address, Connection
    from windlass.runner.records import JobRecord
    from windlass.runner.workshop import Workshop

LOOK_SECONDS: Final = 1.0
"""So often is looked for what a job has printed without anybody being told."""

GREETING_SECONDS: Final = 3.0
"""So often a job without a runner says that it is there: it would be taken for lost."""

PATIENCE_SECONDS: Final = 5.0
"""So long a job that has ended waits for a server that is away; its runner goes on after that."""

_LONGEST_MESSAGE: Final = 1000
BATCH_SECONDS: Final = 0.03
"""So long is waited for more while a job runs: lines come in hundreds."""


class Delivery:
    """Tells the server of one job until it has all of it, in a thread of its own.

    `give_up` hears why the server does not want to hear more, before the job has ended perhaps;
    `finished` is called at the end, whatever it is.
    """

    def __init__(
        self,
        record: JobRecord,
        connection: Connection,
        shipment: Shipment,
        give_up: Callable[[str], None],
        finished: Callable[[], None],
        *,
        patience: float = math.inf,
        is_alone: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take what is told of and how.

        Once the job has ended, a server that takes nothing for `patience` seconds is not waited
        for: the record stays. While it `is_alone` no runner says that the job is there.
        """
        self.record = record
        self.is_told = False
        """Whether nothing is left to tell, and the record is gone."""
        self._patience = patience
        self._is_alone = is_alone
        self._ended_at = 0.0
        self._connection = connection
        self._shipment = shipment
        self._give_up = give_up
        self._finished = finished
        self._news = threading.Event()
        self._ended = threading.Event()
        self._dropped = threading.Event()
        self._end: EndRequest | None = None
        self.thread = threading.Thread(target=self._deliver, name=f"tell of {record.job}")
        # What it has not told yet is told by the next process that is this runner.
        self.thread.daemon = True

    def notice(self) -> None:
        """Hear that there is something to tell."""
        self._news.set()

    @property
    def heard(self) -> float:
        """When the server last took something, or the job ended (`time.monotonic`)."""
        return max(self._ended_at, self._shipment.heard)

    def end(self, end: EndRequest) -> None:
        """Hear how the job has ended: nothing comes after this."""
        self._ended_at = time.monotonic()
        self._end = end
        self._ended.set()
        self._news.set()

    def drop(self) -> None:
        """Tell no more of it: nobody wants to know."""
        self._dropped.set()
        self._news.set()

    def move(self, address: Address, credential: str) -> None:
        """Tell it another server, or as another runner."""
        self._connection.move(address, credential)
        self._news.set()

    def hurry(self) -> None:
        """Wait no more for a server that is away."""
        self._patience = 0.0

    def _deliver(self) -> None:
        try:
            is_over = self._try_all()
            self._ended.wait()
            if is_over:
                self.record.remove()
                self.is_told = True
        finally:
            self.record.close()
            self._connection.close()
            self._finished()

    def _try_all(self) -> bool:
        """Tell everything, until that is done or nobody wants to know; False where it is left."""
        backoff = Backoff()
        while not self._dropped.is_set():
            self._news.wait(LOOK_SECONDS)
            self._news.clear()
            end = self._end
            try:
                if end is not None:
                    self._shipment.end(self._connection, end)
                    return True
                self._ship()
                backoff.succeed()
            except (AwayError, RefusedError, OSError) as error:
                # Where it is the record that cannot be read now, nothing of it is lost either.
                if self._is_to_leave():
                    return False
                # A runner that is no longer known hears of it when it polls, and ends.
                if isinstance(error, RefusedError) and self._is_alone():
                    self._give_up(error.message)
                self._news.set()
                self._dropped.wait(backoff.fail())
            except GoneError as error:
                self._give_up(error.message)
                return True
            except ProtocolError as error:
                self._give_up(error.message)
                return self._end_badly(error)
            if end is None:
                self._ended.wait(BATCH_SECONDS)
        return True

    def _ship(self) -> None:
        """Tell what there is; where there is nothing for long, that the job is there."""
        if self._shipment.ship(self._connection) or not self._is_alone():
            return
        if time.monotonic() - self.heard >= GREETING_SECONDS:
            self._shipment.greet(self._connection)

    def _is_to_leave(self) -> bool:
        """Tell whether the job has ended, and the server has been waited for long enough."""
        return self._end is not None and time.monotonic() - self.heard >= self._patience

    def _end_badly(self, error: ProtocolError) -> bool:
        """Have a job failed of which the server does not take everything; False as `_try_all`.

        It is not let go before: the server would take it for one that was never begun.
        """
        self._ended.wait()
        end = EndRequest(received=0, result=Result.FAILURE, outputs={})
        lines = [write_event(it, time.time()) for it in self._describe_refusal(error)]
        pause = Backoff()
        while not self._dropped.is_set():
            try:
                self._shipment.end_badly(self._connection, end, lines)
            except GoneError:
                return True
            except (AwayError, RefusedError, ProtocolError):
                if self._is_to_leave():
                    return False
                self._dropped.wait(pause.fail())
            else:
                return True
        return True

    def _describe_refusal(self, error: ProtocolError) -> Iterator[RunEvent]:
        """Yield the end of a job instead of the one that was refused."""
        told = [it[0] for it in map(read_event, self.record.read_events(0, 1 << 62)) if it]
        named = next((it for it in told if isinstance(it, events.JobStarted)), None)
        if named is not None:
            message = f"What this job says was refused: {error.message}"[:_LONGEST_MESSAGE]
            yield events.Annotation(job=named.job, step="", level="error", message=message)
            yield events.JobFinished(
                job=named.job, name=named.name, result=Result.FAILURE, seconds=0.0
            )


class RunningJob:
    """One job from its assignment to its end."""

    def __init__(
        self,
        values: Mapping[str, Any],
        record: JobRecord,
        workshop: Workshop,
        connection: Connection,
        tell: Callable[[str], None],
        finished: Callable[[], None],
        is_alone: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take an assignment as it came; `finished` is called when nothing is left to do.

        While it `is_alone`, no runner looks after this job.
        """
        self.record = record
        self._values = values
        self._workshop = workshop
        self._tell = tell
        self._cancellation = Cancellation()
        self._emitting = threading.Lock()
        shipment = Shipment(record, self.cancel, self.force)
        self.delivery = Delivery(
            record,
            connection,
            shipment,
            self._abort,
            finished,
            patience=PATIENCE_SECONDS,
            is_alone=is_alone,
        )
        self.thread = threading.Thread(target=self._run, name=f"job {record.job}")

    def start(self) -> None:
        """Start both threads.

        Raises:
            PlatformError: nothing can be kept of the job; the next poll brings it again.
        """
        self.record.make()
        self.thread.start()
        self.delivery.thread.start()

    def cancel(self, reason: str) -> None:
        """Ask the job to end; a second time changes nothing."""
        self._cancellation.request(reason)

    def force(self, reason: str) -> None:
        """End the job at once."""
        self._cancellation.request(reason)
        self._cancellation.force()

    def stop(self, reason: str) -> None:
        """End the job at once; what cannot be told then is left to the next runner."""
        self.delivery.hurry()
        self.force(reason)

    def give_up(self, reason: str) -> None:
        """End the job at once and say nothing more of it: it is no longer ours."""
        if self.thread.is_alive():
            self._abort(reason)
            self.delivery.drop()

    def move(self, address: Address, credential: str) -> None:
        """Hear where the server is now, and what is shown there."""
        self._workshop.move(address, credential)
        self.delivery.move(address, credential)

    def _abort(self, reason: str) -> None:
        self._tell(f"job {self.record.job} is ended: {reason}")
        self.force(reason)

    def _run(self) -> None:
        end = EndRequest(received=0, result=Result.FAILURE, outputs={}, started=False)
        try:
            end = self._carry_out()
            self.record.write_end(end)
        except WindlassError as error:
            self._tell(f"job {self.record.job} could not be carried out: {error.message}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the job has ended
            self._tell(f"job {self.record.job} met a fault of Windlass: {error!r}")
        finally:
            self.delivery.end(end)

    def _carry_out(self) -> EndRequest:
        """Run the job.

        Raises:
            PlatformError: nothing can be kept of it.
        """
        try:
            assignment = decode_assignment(self._values)
        except InputError as error:
            return self._reject(error)
        concealment = Concealment(assignment.secrets.values())

        def emit(event: RunEvent) -> None:
            self._emit(event, concealment)

        try:
            signal = self._workshop.carry_out(assignment, self.record, self._cancellation, emit)
        except (PlatformError, InputError) as error:
            return self._break_down(assignment, error, emit)
        except Exception as error:
            fault = PlatformError(f"Windlass met a fault of its own: {type(error).__name__}")
            self._break_down(assignment, fault, emit)
            raise
        return EndRequest(
            received=0,
            result=signal.result,
            outputs=dict(signal.outputs),
            started=signal.started,
        )

    def _break_down(
        self, assignment: Assignment, error: WindlassError, emit: Callable[[RunEvent], None]
    ) -> EndRequest:
        for event in announce_breakdown(assignment.order, error):
            emit(event)
        return EndRequest(received=0, result=Result.FAILURE, outputs={}, started=False)

    def _reject(self, error: InputError) -> EndRequest:
        """Fail a job of which not even the order can be understood."""
        order = self._values.get("order")
        known = order if isinstance(order, dict) else {}
        key, name = str(known.get("key", "")), str(known.get("name", ""))
        message = f"{error.message}. {error.hint}" if error.hint else error.message
        for event in (
            events.Annotation(job=key, step="", level="error", message=message),
            events.JobFinished(
                job=key, name=name, result=Result.FAILURE, seconds=0.0, started=False
            ),
        ):
            self._emit(event, Concealment(()))
        return EndRequest(received=0, result=Result.FAILURE, outputs={}, started=False)

    def _emit(self, event: Any, concealment: Concealment) -> None:
        """Keep an event; output is in the log already.

        The job keeps the key by which the server knows it, which has no secret in it.
        """
        if not isinstance(event, events.Output):
            with self._emitting:
                concealed: Any = concealment.conceal(event)
                line = write_event(replace(concealed, job=event.job), time.time())
                if len(line) > LONGEST_EVENT:
                    line = write_event(_describe_length(event, len(line)), time.time())
                self.record.add_events((line,))
        self.delivery.notice()


def _describe_length(event: Any, length: int) -> RunEvent:
    """Return what is told instead of an event that is too long: of a summary, most likely."""
    message = (
        f"The {event.event} of this step is left out: it has {length} bytes as JSON, and a server "
        f"takes {LONGEST_EVENT}"
    )
    step = getattr(event, "step", "")
    return events.Annotation(job=event.job, step=step, level="error", message=message)
