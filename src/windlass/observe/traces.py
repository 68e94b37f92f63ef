"""A trace of every attempt: a span for the run, below it its jobs, below these their steps.

It is made of what onlookers were told, in which secrets are masked, once the attempt has ended. The
ids are made from the run, the attempt and the keys, so that whichever process makes it makes the
same, and what else knows them (a line of log, a job) can name it.

Source of the attributes: https://opentelemetry.io/docs/specs/semconv/registry/attributes/cicd/
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, TypeAlias

from windlass.logs import hide_tokens
from windlass.model.status import Result
from windlass.model.values import dataclass, field
from windlass.protocol import events

if TYPE_CHECKING:
    from windlass.observe.ended_attempts import EndedAttempt

Value: TypeAlias = str | int | float | bool

LONGEST_TEXT: Final = 1024
"""Of a name or a message; what follows is cut off."""

_RESULTS: Final = {
    Result.SUCCESS: "success",
    Result.FAILURE: "failure",
    Result.CANCELLED: "cancellation",
    Result.SKIPPED: "skip",
}
_NANOSECONDS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened within a span, at a time in seconds since the epoch."""

    time: float
    level: str
    message: str


@dataclass(slots=True, kw_only=True)
class Span:
    """A part of a trace; `start` and `end` are seconds since the epoch.

    `failure` says why it counts as failed, and is None where it does not.
    """

    id: int
    parent: int | None
    name: str
    start: float
    end: float
    attributes: dict[str, Value]
    failure: str | None = None
    notes: list[Note] = field(default_factory=list)
    is_open: bool = False


def make_trace_id(run: str, attempt: int) -> int:
    """Return the id of the trace of an attempt."""
    digest = hashlib.sha256(f"windlass\0{run}\0{attempt}".encode()).digest()
    return int.from_bytes(digest[:16]) or 1


def format_trace_id(run: str, attempt: int) -> str:
    """Return the id of the trace of an attempt as others write it: 32 hexadecimal digits."""
    return f"{make_trace_id(run, attempt):032x}"


def make_span_id(run: str, attempt: int, *path: str) -> int:
    """Return the id of a span: of a run, of a job of it, of a step of that."""
    digest = hashlib.sha256("\0".join(("windlass", run, str(attempt), *path)).encode()).digest()
    return int.from_bytes(digest[16:24]) or 1


def build_trace(ended: EndedAttempt) -> list[Span]:
    """Return the spans of an attempt that has ended, the run's own first."""
    builder = _Builder(ended)
    for event, time in ended.events:
        builder.see(event, time)
    return builder.finish()


class _Builder:
    """Makes spans of events. Jobs are known by key, steps by job and id."""

    def __init__(self, ended: EndedAttempt) -> None:
        row = ended.row
        self._run = row.run.id
        self._attempt = row.attempt
        self._end = row.finished if row.finished is not None else row.started
        self._root = Span(
            id=make_span_id(self._run, self._attempt),
            parent=None,
            name=_cut(row.run.workflow),
            start=row.started,
            end=self._end,
            attributes={
                "cicd.pipeline.name": _cut(row.run.workflow),
                "cicd.pipeline.run.id": self._run,
                "cicd.pipeline.result": _RESULTS.get(row.result, "error")
                if row.result
                else "error",
                "vcs.ref.head.name": _cut(row.run.ref),
                "vcs.ref.head.revision": row.run.sha,
                "windlass.attempt": self._attempt,
                "windlass.event": row.run.event,
                "windlass.path": _cut(row.run.path),
                "windlass.repository": row.run.repository,
            },
            failure="the run has failed" if row.result is Result.FAILURE else None,
        )
        self._spans = [self._root]
        self._now: dict[tuple[str, ...], Span] = {(): self._root}
        self._starts: dict[tuple[str, ...], int] = {}

    def see(self, event: events.RunEvent, time: float) -> None:
        """Take one event into account."""
        match event:
            case events.JobStarted():
                span = self._open((event.job,), event.name, time)
                span.attributes["windlass.place"] = event.place
            case events.JobSkipped():
                self._open((event.job,), event.name, time)
                self._close((event.job,), time, Result.SKIPPED, event.reason)
            case events.JobFinished():
                self._finish_job(event, time)
            case events.StepStarted():
                self._open((event.job, event.step), event.name, time, event.parent)
            case events.StepSkipped():
                self._open((event.job, event.step), event.name, time, event.parent)
                self._close((event.job, event.step), time, Result.SKIPPED, event.reason)
            case events.StepFinished():
                span = self._close((event.job, event.step), time, event.conclusion)
                span.attributes["windlass.outcome"] = _RESULTS[event.outcome]
                if event.exit_code is not None:
                    span.attributes["process.exit.code"] = event.exit_code
            case events.Annotation():
                place = tuple(part for part in (event.job, event.step) if part)
                span = self._now.get(place) or self._now.get(place[:1]) or self._root
                span.notes.append(Note(time, event.level, _cut(event.message)))
            case _:
                pass

    def finish(self) -> list[Span]:
        """Return all spans; what was not told to end ended with the run, and nobody knows how."""
        for span in self._spans:
            if span.is_open:
                span.is_open, span.end = False, max(span.start, self._end)
                span.failure = "it was not told how this ended"
                span.attributes["cicd.pipeline.task.run.result"] = "error"
        self._root.start = min(span.start for span in self._spans)
        self._root.end = max(span.end for span in self._spans)
        return self._spans

    def _finish_job(self, event: events.JobFinished, time: float) -> None:
        key = (event.job,)
        if key not in self._now or not self._now[key].is_open:
            # It never began, or is kept from an earlier attempt.
            self._open(key, event.name, time)
        span = self._close(key, time, event.result, event.reason)
        if event.kept:
            span.attributes["windlass.kept"] = True

    def _open(self, key: tuple[str, ...], name: str, time: float, within: str = "") -> Span:
        earlier = self._now.get(key)
        if earlier is not None and earlier.is_open:
            self._close(key, time, Result.FAILURE, "it was started again")
        number = self._starts[key] = self._starts.get(key, 0) + 1
        path = key if number == 1 else (*key, str(number))
        parent = self._now.get((key[0], within)) if within else self._now.get(key[:-1])
        span = Span(
            id=make_span_id(self._run, self._attempt, *path),
            parent=(parent or self._root).id,
            name=_cut(name),
            start=time,
            end=time,
            attributes={
                "cicd.pipeline.task.name": _cut(name),
                "cicd.pipeline.task.run.id": _cut("/".join(key)),
            },
            is_open=True,
        )
        self._spans.append(span)
        self._now[key] = span
        return span

    def _close(self, key: tuple[str, ...], time: float, result: Result, reason: str = "") -> Span:
        span = self._now.get(key) or self._open(key, key[-1], time)
        span.is_open, span.end = False, max(span.start, time)
        span.attributes["cicd.pipeline.task.run.result"] = _RESULTS[result]
        if reason:
            span.attributes["windlass.reason"] = _cut(reason)
        if result is Result.FAILURE:
            span.failure = _cut(reason) or "it has failed"
        return span


def _cut(text: str) -> str:
    return hide_tokens(text)[:LONGEST_TEXT]


def to_nanoseconds(seconds: float) -> int:
    """Return a time as OpenTelemetry has it."""
    return int(seconds * _NANOSECONDS)
