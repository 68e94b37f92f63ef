"""Bringing what is known of a job to the server: all of it, in order, once.

Events are numbered and bytes have an offset, so whatever is not answered is sent again. Where the
server has less than was thought, it says so and shipping goes on from there. Files of the log go in
an order in which a reader there never finds a record of bytes that are not.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from windlass.model.values import replace
from windlass.protocol.runner import (
    LOG_FILES,
    EventsAnswer,
    EventsRequest,
    LogAnswer,
    encode_message,
)
from windlass.runner.connection import AwayError, ProtocolError, read_answer, read_gap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windlass.protocol.runner import EndRequest
    from windlass.runner.connection import Connection
    from windlass.runner.records import JobRecord

BYTES_AT_ONCE: Final = 1 << 20
"""About so much goes in one request: what a server takes is more."""

EVENT_BYTES_AT_ONCE: Final = 1 << 18
_CONFLICT: Final = 409


class Shipment:
    """What the server has of one job so far, as far as this runner knows; for one thread.

    `cancel` hears why the job is to end, and `force` why it is to do so at once, whenever the
    server says so. Of a record that an earlier process has left (`is_old`), the server is asked how
    much of the log it has.
    """

    def __init__(
        self,
        record: JobRecord,
        cancel: Callable[[str], None],
        force: Callable[[str], None],
        *,
        is_old: bool = False,
    ) -> None:
        self._record = record
        self._cancel = cancel
        self._force = force
        self.heard = time.monotonic()
        """When the server last took something (`time.monotonic`)."""
        self._events = 0
        self._offsets = {} if is_old else dict.fromkeys(LOG_FILES, 0)

    def ship(self, connection: Connection) -> bool:
        """Send what is there and the server does not have; tell whether that was anything.

        Raises:
            AwayError: this cannot be done now; the next call goes on.
            GoneError, RefusedError, ProtocolError: it will not be done later either.
        """
        try:
            sent = self._ship_events(connection)
            for name, size in self._record.measure_log().items():
                sent |= self._ship_file(connection, name, size)
        except AwayError:
            # Its machine may have stopped, and have lost what was answered for already.
            self._offsets.clear()
            raise
        return sent

    def end(self, connection: Connection, end: EndRequest) -> None:
        """Send what is left, and say that the job has ended. Raises as `ship` does."""
        status, content = _CONFLICT, b""
        while status == _CONFLICT:
            while self.ship(connection):
                pass
            count = self._record.count_events()
            body = encode_message(replace(end, received=count))
            status, content = connection.post(f"jobs/{self._record.job}/end", body)
            if status == _CONFLICT:
                # The server has lost what it had: a backup was restored, perhaps.
                self._events = self._go_back(count, read_gap(content, "received"))
                self._offsets.clear()

    def end_badly(self, connection: Connection, end: EndRequest, lines: Sequence[str]) -> None:
        """End a job of which the server has refused something: it is told so instead.

        `lines` are events that say why; without them, and without outputs, where it refuses those
        too. Raises as `ship` does.
        """
        events = EventsRequest(self._events, tuple(lines))
        with suppress(ProtocolError):
            path = f"jobs/{self._record.job}/events"
            status, content = connection.post(path, encode_message(events))
            if status != _CONFLICT:
                answer: EventsAnswer = read_answer(EventsAnswer, content)
                self._events = answer.received
        status, received = _CONFLICT, self._events
        while status == _CONFLICT:
            body = encode_message(replace(end, received=received, outputs={}))
            status, content = connection.post(f"jobs/{self._record.job}/end", body)
            if status == _CONFLICT and received == (received := read_gap(content, "received")):
                raise ProtocolError(f"the server lets job {self._record.job} not end")

    def greet(self, connection: Connection) -> None:
        """Say that the job is there, and nothing else of it. Raises as `ship` does."""
        self._send_events(connection, ())

    def _ship_events(self, connection: Connection) -> bool:
        sent = False
        while lines := self._record.read_events(self._events, EVENT_BYTES_AT_ONCE):
            self._send_events(connection, lines)
            sent = True
        return sent

    def _send_events(self, connection: Connection, lines: Sequence[str]) -> None:
        request = EventsRequest(self._events, tuple(lines))
        status, content = connection.post(
            f"jobs/{self._record.job}/events", encode_message(request)
        )
        if status == _CONFLICT:
            self._events = self._go_back(self._events, read_gap(content, "received"))
            return
        answer: EventsAnswer = read_answer(EventsAnswer, content)
        self._events = max(self._events + len(lines), answer.received)
        self.heard = time.monotonic()
        if answer.cancel is not None:
            hear = self._force if answer.force else self._cancel
            hear(answer.cancel)

    def _ship_file(self, connection: Connection, name: str, size: int) -> bool:
        sent = False
        if name not in self._offsets and size:
            self._offsets[name] = self._ask_size(connection, name, size)
        while (offset := self._offsets.get(name, 0)) < size:
            data = self._record.read_log(name, offset, min(BYTES_AT_ONCE, size - offset))
            status, content = connection.put(self._path(name, offset), data)
            if status == _CONFLICT:
                self._go_back(offset, read_gap(content, "size"))
                self._offsets.clear()
                return True
            self._offsets[name] = offset + len(data)
            self.heard = time.monotonic()
            sent = True
        return sent

    def _ask_size(self, connection: Connection, name: str, size: int) -> int:
        """Return how much of a file the server has: nothing is sent at the end there should be."""
        status, content = connection.put(self._path(name, size), b"")
        if status == _CONFLICT:
            return min(read_gap(content, "size"), size)
        answer: LogAnswer = read_answer(LogAnswer, content)
        return min(answer.size, size)

    def _go_back(self, here: int, wanted: int) -> int:
        """Return where to go on; a server that has a gap cannot want what comes later."""
        if wanted >= here:
            raise ProtocolError(
                f"the server wants job {self._record.job} to go on at {wanted}, and was sent what "
                f"begins at {here}"
            )
        return wanted

    def _path(self, name: str, offset: int) -> str:
        return f"jobs/{self._record.job}/log/{name}?offset={offset}"
