"""What can be watched: the events of an attempt, the log of a job.

A position is the number of the next event or line, from 0.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from windlass.engine.server.changes import name_attempt, name_log
from windlass.model.values import dataclass
from windlass.operations.hosted import logs

if TYPE_CHECKING:
    from windlass.operations.hosted.logs import JobOfRun
    from windlass.operations.hosted.site import Site


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `last` is the number of the last event or line in it, `text` is JSON."""

    last: int
    text: str


class Frame:
    """Messages that follow each other, made once for all who watch.

    `end` is the position behind them. One without messages says in `outcome`, a JSON object, how
    that which is watched has ended, or nothing as long as it goes on.
    """

    __slots__ = ("_stream", "end", "messages", "outcome", "size")

    def __init__(self, messages: tuple[Message, ...], end: int, outcome: str = "") -> None:
        self.messages = messages
        self.end = end
        self.outcome = outcome
        self.size = sum(len(it.text) for it in messages)
        """About how many bytes it takes."""
        self._stream: bytes | None = None

    @property
    def stream(self) -> bytes:
        """The messages as an event stream has them.

        Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
        """
        if self._stream is None:
            texts = [f"id: {it.last}\ndata: {it.text}\n\n" for it in self.messages]
            self._stream = "".join(texts).encode("utf-8", "replace")
        return self._stream


class Source(Protocol):
    """Something that grows until it is over; its methods may block, and raise WindlassError."""

    @property
    def kind(self) -> str:
        """`events` or `log`."""

    @property
    def subject(self) -> dict[str, Any]:
        """What is watched, as messages of a WebSocket name it."""

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of `windlass.engine.server.changes` that tell of it."""

    def count(self) -> int:
        """Return the position behind all that is there."""

    def read(self, first: int) -> Frame:
        """Return what is there from a position on, or the beginning of it."""


class EventSource:
    """The events of an attempt; a message is an event as `windlass run --json` has it."""

    kind = "events"

    def __init__(self, site: Site, run: str, attempt: int) -> None:
        self._site = site
        self._run = run
        self._attempt = attempt

    @property
    def subject(self) -> dict[str, Any]:
        """The attempt."""
        return {"run": self._run, "attempt": self._attempt}

    @property
    def topics(self) -> tuple[str, ...]:
        """All that happens to the attempt."""
        return (name_attempt(self._run, self._attempt),)

    def count(self) -> int:
        """Return how many events there are."""
        return logs.count_events(self._site, self._run, self._attempt)

    def read(self, first: int) -> Frame:
        """Return some events; after the last one how the attempt has ended."""
        told = logs.read_events(self._site, self._run, self._attempt, first)
        messages = tuple(Message(number, line) for number, line in enumerate(told.lines, first))
        is_over = told.result is not None and not messages
        outcome = json.dumps({"result": told.result}) if is_over else ""
        return Frame(messages, first + len(messages), outcome)


class LogSource:
    """The log of a job; a message has lines that one step printed at one time."""

    kind = "log"

    def __init__(self, site: Site, job: JobOfRun) -> None:
        self._site = site
        self._job = job

    @property
    def subject(self) -> dict[str, Any]:
        """The job."""
        return {"run": self._job.run, "attempt": self._job.attempt, "job": self._job.number}

    @property
    def topics(self) -> tuple[str, ...]:
        """The log has grown, or the job has ended."""
        run, attempt = self._job.run, self._job.attempt
        return (name_log(run, attempt, self._job.number), name_attempt(run, attempt))

    def count(self) -> int:
        """Return how many lines there are."""
        return logs.count_lines(self._site, self._job)

    def read(self, first: int) -> Frame:
        """Return some lines; after the last one how many there are."""
        part = logs.read_lines(self._site, self._job, first)
        messages = tuple(
            Message(it.first + len(it.lines) - 1, _write_lines(it)) for it in part.printed
        )
        end = messages[-1].last + 1 if messages else first
        outcome = json.dumps({"lines": self.count()}) if part.is_over and not messages else ""
        return Frame(messages, end, outcome)


def _write_lines(printed: logs.Printed) -> str:
    values = {
        "first": printed.first,
        "step": printed.step,
        "time": round(printed.time, 6),
        "lines": printed.lines,
    }
    return json.dumps(values, ensure_ascii=False)
