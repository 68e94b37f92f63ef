"""The process that starts the processes of jobs: a fork of the runner before that has any thread.

A fork costs milliseconds where a new interpreter would cost a tenth of a second; but only a process
with one thread may be forked, and a runner has several. The starter does nothing else and knows
nothing of jobs: it hands two open files on, a lock and a socket, and what a job is about its own
process hears over the socket. It ends with the runner; the processes of jobs do not.
"""

from __future__ import annotations

import atexit
import gc
import os
import select
import signal
import socket
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.jobs.supervisor import channel
from windlass.jobs.supervisor.client import (
    leave_supervisors,
    lend_supervisor,
    make_link,
    take_supervisor,
)
from windlass.lang.workflow.reading import read_workflow
from windlass.runner.job_process import run_job_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.runner.control import Occupation

_NEEDED: Final = (
    "encodings.ascii",
    "encodings.idna",
    "encodings.utf_8_sig",
    "windlass.config.settings",
    "windlass.docker.addresses",
    "windlass.git.sparse",
    "windlass.jobs.checkout",
    "windlass.jobs.docker_needs",
    "windlass.jobs.executors.host",
    "windlass.jobs.executors.sandbox",
    "windlass.jobs.service_offer",
    "windlass.jobs.workspaces.bases",
    "windlass.jobs.workspaces.contents",
    "windlass.jobs.workspaces.filling",
    "windlass.jobs.workspaces.removal",
    "windlass.operations.sandboxes",
)
"""What a command line imports only where it is needed: nearly every job needs it."""

_SAMPLE: Final = b"""\
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - {id: step, if: "always() && github.ref != ''", run: "echo ${{ toJSON(github) }}"}
"""
"""What is made when a first file is read is there for all that follow."""

_STARTED: Final = "started"
_REFUSED: Final = "refused"


class StarterLostError(PlatformError):
    """No process of a job can be started any more; those that there are go on."""


class Starter:
    """The runner's end of it."""

    def __init__(self) -> None:
        """Fork it. Only a process without other threads should do that.

        Raises:
            PlatformError: there can be no other process.
        """
        self._lock = threading.Lock()
        self._watching: threading.Thread | None = None
        self._link, far = make_link()
        try:
            self._pid = os.fork()
        except OSError as error:
            raise PlatformError(f"no process can be started: {error.strerror}") from error
        if self._pid == 0:
            self._link.close()
            _serve(far)
        os.close(far)
        self._end = os.pidfd_open(self._pid)

    def start(self, occupation: Occupation) -> None:
        """Start the process of a job, and hand its files on.

        Raises:
            StarterLostError: the starter was killed.
            PlatformError: the machine has no room for another process.
        """
        files = [occupation.lock, occupation.listening.fileno()]
        try:
            with self._lock:
                channel.send(self._link, (_STARTED,), files)
                answer = channel.receive(self._link)
        except OSError:
            answer = None
        if answer is None:
            raise StarterLostError(
                "the process that starts jobs was killed", hint="start the runner again"
            )
        word, number = answer[0]
        if word == _REFUSED:
            raise PlatformError(f"the process of a job cannot be started: {os.strerror(number)}")

    def watch(self, ended: Callable[[], None]) -> None:
        """Have a thread call `ended` when the starter has ended."""
        self._watching = threading.Thread(
            target=self._watch, args=(ended,), daemon=True, name="starter"
        )
        self._watching.start()

    def close(self) -> None:
        """Let it end, and wait for that."""
        with suppress(OSError):
            # Not closed at once: somebody may just be asking.
            self._link.shutdown(socket.SHUT_RDWR)
        self._await_end()
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        if self._watching is not None:
            self._watching.join()
        with self._lock:
            self._link.close()
        os.close(self._end)

    def _watch(self, ended: Callable[[], None]) -> None:
        self._await_end()
        ended()

    def _await_end(self) -> None:
        end = select.poll()
        end.register(self._end, select.POLLIN)
        end.poll()


def _serve(number: int) -> None:
    """Be the starter, until the runner has ended."""
    try:
        _leave_runner(number)
        _prepare()
        requests = socket.socket(fileno=number)
        while (request := channel.receive(requests)) is not None:
            lock, listening = request[1]
            channel.send(requests, _start(requests, listening))
            os.close(lock)
            os.close(listening)
    finally:
        # The runner is gone.
        os._exit(0)


def _leave_runner(kept: int) -> None:
    """Be a process apart: signals at the terminal, locks and pipes are the runner's."""
    os.setsid()
    Path("/proc/self/comm").write_text("windlass-start", encoding="ascii")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Whoever has ended is not waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    leave_supervisors()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names are wanted, not paths
        if int(name) not in (0, 1, 2, kept):
            # One is that of the list itself, and closed already.
            with suppress(OSError):
                os.close(int(name))
    atexit._clear()  # noqa: SLF001 - what is registered is the runner's


def _prepare() -> None:
    """Do what every job would have to do at its beginning; its process has it from here."""
    for name in _NEEDED:
        import_module(name)
    read_workflow("sample.yml", _SAMPLE)
    gc.collect()
    # What there is now is not written to any more by looking for garbage: forks share it.
    gc.freeze()


def _start(requests: socket.socket, listening: int) -> tuple[str, int]:
    try:
        supervisor = lend_supervisor()
    except OSError as error:
        return _REFUSED, error.errno or 0
    try:
        child = os.fork()
    except OSError as error:
        # It ends with its channel: a machine without room would be filled with more of them.
        supervisor[0].close()
        return _REFUSED, error.errno or 0
    if child == 0:
        try:
            requests.close()
            os.setsid()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            take_supervisor(*supervisor)
            # The lock stays open, and says so that the job is run, until this process ends.
            run_job_process(socket.socket(fileno=listening))
        finally:
            os._exit(1)
    supervisor[0].close()
    return _STARTED, child
