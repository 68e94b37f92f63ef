"""A server's application behind a real socket, and runs that grow in its database and folder."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from tests.hosted_site import check_token
from tests.journals import attempt_row

from windlass.db.announcements import add_announcements
from windlass.db.jobs import end_job, queue_job
from windlass.db.runs import enter_attempt, finish_attempt
from windlass.engine.server.changes import LEAVING, name_attempt, name_log
from windlass.model.status import Result
from windlass.protocol import events
from windlass.protocol.event_lines import write_event
from windlass.server.app import make_app
from windlass.server.serving import Server, listen
from windlass.stores.logs import JobLogWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.routing import BaseRoute

    from windlass.operations.hosted.site import Site

PATIENCE_SECONDS = 30


class RunningServer:
    """A server in a thread of this process; `address` is where it answers."""

    def __init__(self, site: Site, routes: Sequence[BaseRoute], grace: float) -> None:
        self.left = 0
        self._site = site
        self._socket = listen("127.0.0.1", 0)
        self.port = self._socket.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        app = make_app(site, check_token, routes=routes)
        self.server = Server(app, self._leave, grace)
        run = {"sockets": [self._socket]}
        self._thread = threading.Thread(target=self.server.run, kwargs=run)

    def start(self) -> None:
        self._thread.start()

    def ask_to_end(self) -> None:
        """What a signal does."""
        self.server.should_exit = True

    def end(self) -> None:
        """Wait until it has ended."""
        self.ask_to_end()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the server does not end"
        self._socket.close()

    def _leave(self) -> None:
        self.left += 1
        self._site.changes.tell(LEAVING)


@contextlib.contextmanager
def running(
    site: Site, *, routes: Sequence[BaseRoute] = (), grace: float = 5
) -> Iterator[RunningServer]:
    """Serve a site until the block ends."""
    server = RunningServer(site, routes, grace)
    server.start()
    try:
        yield server
    finally:
        server.end()


class GrowingRun:
    """Attempt 1 of run 1, of which this process plays server and runner."""

    def __init__(self, site: Site, run: str = "1", *, tells: bool = True) -> None:
        """Enter it; unless it `tells`, others have to look by themselves, as of another process."""
        self.site = site
        self.run = run
        self._tells = tells
        self._writers: dict[int, JobLogWriter] = {}
        with site.store.writing() as connection:
            enter_attempt(connection, attempt_row(run))

    def say(self, *told: events.RunEvent, time: float = 7.0) -> None:
        """Announce events."""
        lines = [write_event(event, time) for event in told]
        with self.site.store.writing() as connection:
            add_announcements(connection, self.run, 1, lines)
        self._tell(name_attempt(self.run, 1))

    def say_lines(self, count: int, first: int = 0) -> None:
        """Announce notices, with their numbers as messages."""
        self.say(
            *(
                events.Annotation(job="build", step="", level="notice", message=str(number))
                for number in range(first, first + count)
            )
        )

    def add_job(self, job: str = "build") -> None:
        """Put a job into the queue."""
        with self.site.store.writing() as connection:
            queue_job(connection, self.run, 1, job, ["x"], 6.0)

    def print(self, text: bytes, number: int = 1, step: str = "1") -> None:
        """Write to the log of a job."""
        if number not in self._writers:
            folder = self.site.data / "runs" / self.run / "1" / "jobs" / str(number)
            folder.mkdir(parents=True, exist_ok=True)
            self._writers[number] = JobLogWriter(folder / "log")
        self._writers[number].write(step, text)
        self._tell(name_log(self.run, 1, number))

    def end_job(self, job: str = "build") -> None:
        """End a job."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
        with self.site.store.writing() as connection:
            end_job(connection, self.run, 1, job)
        self._tell(name_attempt(self.run, 1))

    def end(self, result: Result = Result.SUCCESS) -> None:
        """End the attempt."""
        with self.site.store.writing() as connection:
            finish_attempt(connection, self.run, 1, 9.0, result)
        self._tell(name_attempt(self.run, 1))

    def _tell(self, topic: str) -> None:
        if self._tells:
            self.site.changes.tell(topic)
