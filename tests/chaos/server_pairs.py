"""Two servers on one PostgreSQL and one folder, of which one is killed, or stopped for a while.

What is in front of them looks which of them answers, as a load balancer does, and passes every
connection on to the first of those; a connection to one that does not answer any more is broken.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import time
from typing import TYPE_CHECKING, Final

from tests.chaos.server_party import Party
from tests.chaos.server_play import Play
from tests.chaos.server_scenes import EVENT
from tests.chaos.server_workload import find_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.server_party import Before
    from tests.chaos.server_scenes import Scene
    from tests.chaos.server_workload import ServerWorkload

TAKEN_OVER_SECONDS: Final = 30.0
"""Within this the other server has to have gone on with what one has left: three times what its own
limits allow, since the machine has other things to do."""

STOPPED_SECONDS: Final = 9.0
"""Longer than any lease, and than a transaction may stand still."""

WAKING_SECONDS: Final = 2.0
_HEALTH_SECONDS: Final = 0.2
_ANSWER_SECONDS: Final = 0.8
_BLOCK: Final = 1 << 16


class Front:
    """Listens on a port and passes connections on, in a process of its own."""

    def __init__(self, port: int, behind: Sequence[int]) -> None:
        self._ports = list(behind)
        self._links: dict[int, set[asyncio.StreamWriter]] = {it: set() for it in behind}
        self._healthy: set[int] = set()
        self._port = port
        self.pid = os.fork()
        if self.pid == 0:
            try:
                asyncio.run(self._serve())
            finally:
                os._exit(1)

    def end(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", self._port)
        async with server:
            await asyncio.gather(*(self._watch(it) for it in self._ports))

    async def _watch(self, port: int) -> None:
        while True:
            try:
                await asyncio.wait_for(_ask_health(port), _ANSWER_SECONDS)
            except (OSError, TimeoutError, EOFError):
                self._healthy.discard(port)
                for link in list(self._links[port]):
                    link.transport.abort()
            else:
                self._healthy.add(port)
            await asyncio.sleep(_HEALTH_SECONDS)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = next((it for it in self._ports if it in self._healthy), None)
        try:
            if port is None:
                return
            behind, before = await asyncio.open_connection("127.0.0.1", port)
            links = {writer, before}
            self._links[port] |= links
            try:
                await asyncio.gather(_copy(reader, before), _copy(behind, writer))
            finally:
                self._links[port] -= links
                before.transport.abort()
        except OSError:
            pass
        finally:
            writer.transport.abort()


class PairPlay(Play):
    """A play with a second server; only the first one is struck."""

    def __init__(
        self,
        workload: ServerWorkload,
        server: Before | None = None,
        runner: Before | None = None,
        scene: Scene = EVENT,
    ) -> None:
        super().__init__(workload, server, runner, scene)
        ports = find_port(), find_port()
        start = workload.start_server
        self.server = Party("server", functools.partial(start, port=ports[0]), server)
        self.other = Party("other server", functools.partial(start, port=ports[1]))
        self.parties = (self.server, self.other, self.runner)
        self._front = Front(workload.port, ports)
        self._struck = 0.0
        self._said = 0
        self._seconds: float | None = None

    def begin(self) -> None:
        """Start all, the other one first: the first takes part from its beginning on."""
        self.other.begin()
        super().begin()

    def finish(self) -> None:
        """Wait for the end, which has to come without the one that was struck."""
        super().finish()
        if self._struck and self._seconds is None:
            self._seconds = time.monotonic() - self._struck
        if self._seconds is not None and self._seconds > TAKEN_OVER_SECONDS:
            self._faults.append(f"taken over only after {self._seconds:.1f} s")

    def end(self) -> None:
        """End all."""
        super().end()
        self._front.end()

    def tend(self) -> None:
        """See when something goes on again after one was struck."""
        super().tend()
        said = len(self.workload.said())
        if not self._struck and self.workload.reached.exists():
            self._struck, self._said = time.monotonic(), said
        elif self._struck and self._seconds is None and said > self._said:
            self._seconds = time.monotonic() - self._struck


class LosingPlay(PairPlay):
    """The server that is killed does not come back."""

    def begin(self) -> None:
        """Start all."""
        self.server.returns = False
        super().begin()


class StoppingPlay(PairPlay):
    """The server that is stopped goes on when it has counted as dead for long."""

    _is_awake = False

    def tend(self) -> None:
        """Wake it when it is time."""
        super().tend()
        late = self._struck and time.monotonic() - self._struck > STOPPED_SECONDS
        if late and not self._is_awake:
            self._is_awake = True
            os.kill(self.server.pid, signal.SIGCONT)

    def finish(self) -> None:
        """Wait for the end, and for what the stopped one does when it wakes up."""
        super().finish()
        if self._struck:
            self.wait(lambda: self._is_awake)
            woken = time.monotonic()
            self.wait(lambda: time.monotonic() - woken > WAKING_SECONDS)


async def _ask_health(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        await reader.readuntil(b"200")
    finally:
        writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_BLOCK):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
