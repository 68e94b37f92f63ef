"""The process of one job: it outlives the runner that has had it started.

It carries the job out and tells the server of it (`windlass.runner.jobs`), and hears over a socket
what the runner wants (`windlass.runner.control`): the first one what the job is, every one where
the server is. Without a runner it goes on, and ends when there is nothing more to do, or to tell.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import WindlassError
from windlass.protocol.assignments import find_job_id
from windlass.runner.connection import Connection, read_address
from windlass.runner.control import Link
from windlass.runner.jobs import RunningJob
from windlass.runner.records import JobRecord
from windlass.runner.workshop import Means, Workshop

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from typing import NoReturn

    from windlass.runner.connection import Address

ENDED: Final = "The process of this job was asked to end"
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def describe_means(means: Means) -> dict[str, Any]:
    """Return what the process of a job has to know of its runner, as JSON has it."""
    return {
        "name": means.name,
        "server": describe_server(means.server, means.credential),
        "repositories": str(means.repositories),
        "allow_host": means.allow_host,
        "hidden": [str(it) for it in means.hidden],
        "mirrors": None if means.mirrors is None else str(means.mirrors),
    }


def describe_server(address: Address, credential: str) -> dict[str, str]:
    """Return where the server is and what is shown there, as JSON has it."""
    return {"url": str(address), "credential": credential}


def run_job_process(listening: socket.socket) -> NoReturn:
    """Be the process of a job, until it is over."""
    Path("/proc/self/comm").write_text("windlass-job", encoding="ascii")
    process = _JobProcess(listening)
    for number in _SIGNALS:
        signal.signal(number, process.hear)
    process.serve()


class _JobProcess:
    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._job: RunningJob | None = None

    def serve(self) -> NoReturn:
        """Hear what runners want, one after the other, until the job is over."""
        while True:
            connection, _ = self._listening.accept()
            link = Link(connection)
            with self._lock:
                self._link = link
            for message in link.read():
                self._follow(message)
            with self._lock:
                self._link = None
            link.close()
            if self._job is None:
                # The runner was killed before it could say what to do.
                _leave()

    def hear(self, _number: int, _frame: object) -> None:
        """Be the handler of a signal: the job is ended, and a runner that is there is told."""
        job = self._job
        if job is not None:
            # Not here: this thread may hold a lock that is needed for it.
            threading.Thread(target=job.stop, args=(ENDED,)).start()

    def _follow(self, message: Mapping[str, Any]) -> None:
        job = self._job
        match message:
            case {"begin": begin}:
                self._begin(begin)
            case {"server": server} if job is not None:
                job.move(read_address(server["url"]), server["credential"])
            case {"cancel": reason} if job is not None:
                job.cancel(reason)
            case {"force": reason} if job is not None:
                job.force(reason)
            case {"give_up": reason} if job is not None:
                job.give_up(reason)
            case {"stop": reason} if job is not None:
                job.stop(reason)
            case _:
                pass

    def _begin(self, begin: Mapping[str, Any]) -> None:
        means, values = _read_means(begin["means"]), begin["assignment"]
        job = RunningJob(
            values,
            JobRecord(Path(begin["runs"]), find_job_id(values)),
            Workshop(means, begin["default_place"], lambda it: self._send(default_place=it)),
            Connection(means.server, means.credential),
            lambda it: self._send(say=it),
            self._note_finished,
            is_alone=lambda: self._link is None,
        )
        self._job = job
        try:
            job.start()
        except WindlassError as error:
            self._send(say=f"job {job.record.job} cannot be taken: {error.message}")
            _leave()

    def _note_finished(self) -> None:
        """Hear, in the thread that tells the server, that it has done so, or has to leave it."""
        assert self._job is not None  # noqa: S101 - it is what has finished
        self._job.thread.join()
        if self._job.delivery.is_told:
            self._send(over=True)
        _leave()

    def _send(self, **message: Any) -> None:
        with self._lock:
            link = self._link
        if link is not None:
            link.send(**message)


def _read_means(values: Mapping[str, Any]) -> Means:
    return Means(
        name=values["name"],
        server=read_address(values["server"]["url"]),
        credential=values["server"]["credential"],
        repositories=Path(values["repositories"]),
        allow_host=values["allow_host"],
        hidden=tuple(map(Path, values["hidden"])),
        mirrors=Path(values["mirrors"]) if values.get("mirrors") else None,
    )


def _leave() -> NoReturn:
    """End this process, whichever thread says so."""
    atexit._run_exitfuncs()  # noqa: SLF001 - `sys.exit` ends a thread
    os._exit(0)
