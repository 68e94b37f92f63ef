"""Patience with slow clients has an end: heads, bodies and answers have to get on.

A client that sends one byte a minute would otherwise keep a connection for as long as it likes.

    head      complete within HEAD_SECONDS of its first byte, or of the connection
    body      something within PAUSE_SECONDS, and on the whole LEAST_RATE bytes a second
    answer    something is taken of it within PAUSE_SECONDS

Between requests uvicorn itself has an end to its patience, and it asks WebSockets for a sign of
life.

Source: https://en.wikipedia.org/wiki/Slowloris_(cyber_attack)
"""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from typing import TYPE_CHECKING, Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

if TYPE_CHECKING:
    import asyncio

HEAD_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 30.0
CONNECTION: Final = "connection"
LEAST_RATE: Final = 1024
"""Bytes of a body, each second, once PAUSE_SECONDS have passed."""

MOST_UNSENT_BYTES: Final = 1 << 17
"""So much of an answer the kernel takes ahead of its client; it would take megabytes of each."""


class WritingTimer:
    """Ends a connection whose client takes nothing of what waits for it."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = 0

    def start(self) -> None:
        """More waits than may; nothing is added until the client has taken some."""
        self.stop()
        self._waiting = self._count_waiting()
        self._timer = self._loop.call_later(PAUSE_SECONDS, self._look)

    def stop(self) -> None:
        """Expect nothing of the client."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        if self._count_waiting() < self._waiting:
            self.start()
        else:
            self._transport.abort()

    def _count_waiting(self) -> int:
        """Return how many bytes the client has not taken: those that the kernel holds as well."""
        connection = self._transport.get_extra_info("socket")
        held = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        count: int = struct.unpack("i", held)[0]
        return count + self._transport.get_write_buffer_size()


class PatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to patience."""

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values, **named)
        # Whoever answers a request finds the connection in its scope, below `state`.
        self.app_state = {**self.app_state, CONNECTION: self}
        self._reading: asyncio.TimerHandle | None = None
        self._body_began = 0.0
        self._body_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a head."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MOST_UNSENT_BYTES)
        self._writing = WritingTimer(transport, self.loop)
        self._expect(HEAD_SECONDS)

    def hand_over(self) -> socket.socket:
        """Give the socket away, within a request; nothing more is read or answered here."""
        self.transport.pause_reading()
        handed: socket.socket = self.transport.get_extra_info("socket").dup()
        handed.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, 0)  # as it was
        self.cycle.disconnected = True
        # It closes its own end of the socket alone.
        self.transport.abort()
        return handed

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._expect(None)
        self._writing.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come, and see what is still to come."""
        before = self.conn.their_state
        super().data_received(data)
        self._see(before, len(data))

    def on_response_complete(self) -> None:
        """Go on to the next request, which may be there already."""
        before = self.conn.their_state
        super().on_response_complete()
        self._see(before, 0)

    def pause_writing(self) -> None:
        """Expect that the client takes some of what it has been sent."""
        super().pause_writing()
        self._writing.start()

    def resume_writing(self) -> None:
        """Go on: it has."""
        self._writing.stop()
        super().resume_writing()

    def _see(self, before: object, size: int) -> None:
        """Find out what the client still owes."""
        state = self.conn.their_state
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            self._expect(None)
        elif state is h11.SEND_BODY:
            self._expect_body(size, is_new=before is not h11.SEND_BODY)
        elif state is not h11.IDLE:
            self._expect(None)
        elif size and self._reading is None:
            self._expect(HEAD_SECONDS)

    def _expect_body(self, size: int, *, is_new: bool) -> None:
        now = self.loop.time()
        if is_new:
            self._body_began, self._body_bytes = now, 0
        self._body_bytes += size
        seconds = now - self._body_began
        if seconds > PAUSE_SECONDS and self._body_bytes < seconds * LEAST_RATE:
            self._give_up()
        else:
            self._expect(PAUSE_SECONDS)

    def _expect(self, seconds: float | None) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._reading = None
        if seconds is not None:
            self._reading = self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        # Where the server itself does not read on, it is not the client who is slow.
        if self.flow.read_paused:
            self._body_began = self.loop.time()
            self._expect(PAUSE_SECONDS)
        else:
            self.transport.abort()


class PatientWebSocket(WSProtocol):
    """WebSockets as uvicorn speaks them, with an end to patience."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(transport)
        self._writing = WritingTimer(transport, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._writing.stop()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Expect that the client takes some of what it has been sent."""
        super().pause_writing()
        self._writing.start()

    def resume_writing(self) -> None:
        """Go on: it has."""
        self._writing.stop()
        super().resume_writing()
