"""A server that runs as its users start it, and jobs of runners that it serves through tunnels."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from tests.hosted_runner import StandIn, register
from tests.hosted_runs import REPOSITORY, define, open_site
from tests.ports import hold_port, port_of

from windlass.jobs.folders import JobFolders
from windlass.operations.hosted.attempts import start_run
from windlass.operations.hosted.runners import create_registration
from windlass.protocol.assignments import decode_assignment
from windlass.runner.services import RunnerServices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.operations.hosted.site import Site
    from windlass.protocol.assignments import Assignment
    from windlass.services.job_services import JobServices

WORKFLOW = """
on: push
permissions: {id-token: write, contents: read}
jobs:
  one: {runs-on: x, steps: [{run: echo}]}
  two: {runs-on: x, steps: [{run: echo}]}
"""


class ServedJob:
    """A job that a runner has taken, with its services as its processes find them."""

    def __init__(self, runner: ServedRunner, assignment: Assignment, folder: Path) -> None:
        self.runner = runner
        self.id = assignment.job
        self.order = assignment.order
        self.key = assignment.order.key
        self.folders = JobFolders(folder / f"{assignment.order.key}-job", "boat", folder / "tools")
        self.folders.make()
        self.services: JobServices = runner.services.open(
            self.id, assignment.order, "127.0.0.1", self.folders
        )

    def end(self) -> None:
        """Have the runner say that it has ended."""
        answer = self.runner.stand_in.end(str(self.id))
        assert answer.status_code == 204, answer.text


class ServedRunner:
    """A runner that has registered at the server's own address."""

    def __init__(self, server: Hosted, name: str) -> None:
        self._folder = server.folder / name
        self._client = httpx.Client(base_url=server.url, timeout=60)
        client: Any = self._client
        # It does not poll on, and must not be taken for lost meanwhile.
        token = create_registration(server.site, patience=3600).token
        self.stand_in: StandIn = register(client, token, name)
        self.services = RunnerServices(server.url, self.stand_in.credential)
        self._running: list[str] = []

    def take(self) -> ServedJob:
        """Take one job of the queue."""
        (given,) = self.stand_in.take(*self._running, free=1)
        assignment = decode_assignment(given)
        self._running.append(str(assignment.job))
        return ServedJob(self, assignment, self._folder)

    def close(self) -> None:
        self._client.close()


class Hosted:
    """A server, which can be killed and started again; `site` is its database, seen from here."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._database = database
        self._held = hold_port()
        self.port = port_of(self._held)
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.runners: list[ServedRunner] = []
        self.site: Site

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = ["up", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        words += ["--database", self._database, "--no-runner"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "windlass", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        assert self.process.stdout.readline(), self.log.read_text()

    def kill(self) -> None:
        """End it as a machine that fails does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def free_port(self) -> None:
        """Let others have its port: it does not come back."""
        self._held.close()

    def memory(self) -> float:
        """The most memory it has had, in megabytes."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6

    def run(self, text: str = WORKFLOW) -> str:
        """Start a run of a repository of the server; return its id."""
        return start_run(self.site, REPOSITORY, define(text))

    def join(self, name: str) -> ServedRunner:
        """A runner that is new."""
        runner = ServedRunner(self, name)
        self.runners.append(runner)
        return runner


@contextmanager
def hosting(folder: Path, database: str) -> Iterator[Hosted]:
    """A server on a database, for as long as it is needed."""
    server = Hosted(folder, database)
    server.start()
    try:
        with open_site(database, server.data) as site:
            server.site = site
            yield server
    finally:
        for runner in server.runners:
            runner.close()
        server.kill()
        server.free_port()
    assert "Traceback" not in server.log.read_text(), server.log.read_text()


def read_claims(token: str) -> dict[str, Any]:
    """What a token of a job says."""
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))
    return claims
