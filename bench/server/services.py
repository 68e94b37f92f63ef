"""How fast jobs on runners send to a server what is kept, beside jobs of `windlass run`.

    .venv/bin/python bench/server/services.py [MEGABYTES]

Random data goes in blocks of 8 MiB by four connections, in turns: to services in a process of its
own, as `windlass run` has them, and through a runner's process to `windlass up` on each database.
Then the same comes back by one connection. What is printed is the best of some rounds; the ratio is
what the way through a runner leaves. Nobody compresses: the data is random.

A runner and a server are two processes where there was one, and on a machine with two processors
the client has one of them: a ratio below LEAST_RATIO is a failure, memory above MOST_MEMORY too.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import httpx
from tests.hosted_runner import register
from tests.hosted_runs import REPOSITORY, define, open_site

from hosting import databases, describe_machine, read_memory, serving
from windlass.db.database import Database
from windlass.jobs.folders import JobFolders
from windlass.operations.hosted.attempts import start_run
from windlass.operations.hosted.runners import create_registration
from windlass.protocol.assignments import decode_assignment
from windlass.runner.services import RunnerServices
from windlass.services.artifacts import SERVICE
from windlass.services.jobs import ServedJob
from windlass.services.run_services import RunServices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.services.job_services import JobServices

MEGABYTES = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else 512
BLOCK = 8 << 20
CONNECTIONS = 4
ROUNDS = 3
LEAST_RATIO = 0.4
MOST_MEMORY_MEGABYTES = 250.0
WORKFLOW = "on: push\njobs:\n  one: {runs-on: x, steps: [{run: echo}]}\n"


def main() -> int:
    print(describe_machine())
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        clients = {"windlass run": Client(stack, "local", {"STATE": str(folder / "state")})}
        servers: dict[str, int] = {}
        for kind, database in stack.enter_context(databases(folder)).items():
            server = stack.enter_context(serving(folder, database, "--no-runner"))
            servers[kind] = server.process.pid
            given = {"URL": server.url, "DATABASE": database, "DATA": str(server.data)}
            clients[kind] = Client(stack, "remote", given)
        rates = measure(clients)
        memory = {kind: read_memory(process)["most"] for kind, process in servers.items()}
        runners = {kind: read_memory(clients[kind].process.pid)["most"] for kind in servers}
    return judge(rates, memory, runners)


def measure(clients: Mapping[str, Client]) -> dict[str, tuple[float, float]]:
    """Send and fetch in turns; return the best megabytes a second, up and down, of each."""
    up: dict[str, list[float]] = {name: [] for name in clients}
    down: dict[str, list[float]] = {name: [] for name in clients}
    for turn in range(ROUNDS):
        for name, client in clients.items():
            up[name].append(client.upload(f"round-{turn}"))
            down[name].append(client.download(f"round-{turn}"))
    return {name: (max(up[name]), max(down[name])) for name in clients}


def judge(
    rates: Mapping[str, tuple[float, float]],
    memory: Mapping[str, float],
    runners: Mapping[str, float],
) -> int:
    """Print what was measured; return 1 where a limit was missed."""
    local = rates["windlass run"]
    print(f"{'':14}{'up MB/s':>10}{'ratio':>8}{'down MB/s':>12}{'ratio':>8}{'server MB':>12}")
    is_good = True
    for name, (up, down) in rates.items():
        held = f"{memory[name]:>12.0f}" if name in memory else ""
        ratios = up / local[0], down / local[1]
        print(f"{name:14}{up:>10.0f}{ratios[0]:>8.2f}{down:>12.0f}{ratios[1]:>8.2f}{held}")
        if min(ratios) < LEAST_RATIO:
            print(f"FAILED: {name}: less than {LEAST_RATIO} of what goes to a local run")
            is_good = False
        for held_by in (memory, runners):
            if held_by.get(name, 0) > MOST_MEMORY_MEGABYTES:
                print(f"FAILED: {name}: {held_by[name]:.0f} MB of memory")
                is_good = False
    return 0 if is_good else 1


class Client:
    """What a job does, with services behind it in a process of their own."""

    def __init__(self, stack: ExitStack, kind: str, variables: Mapping[str, str]) -> None:
        self.process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, __file__, kind],
                env={**os.environ, **variables},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        assert self.process.stdin is not None
        stack.callback(self.process.stdin.close)
        assert self.process.stdout is not None
        self._told: dict[str, str] = json.loads(self.process.stdout.readline())
        self._block = os.urandom(BLOCK)

    def upload(self, name: str) -> float:
        """Send an artifact; return the megabytes a second."""
        address = self._call("CreateArtifact", name=name)["signed_upload_url"]
        count = (MEGABYTES << 20) // BLOCK
        started = time.perf_counter()
        threads = [
            threading.Thread(target=self._send, args=(address, range(first, count, CONNECTIONS)))
            for first in range(CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - started
        names = "".join(f"<Latest>{_name(number)}</Latest>" for number in range(count))
        _ask(address, "&comp=blocklist", f"<BlockList>{names}</BlockList>".encode())
        self._call("FinalizeArtifact", name=name, size=str(count * BLOCK))
        return count * BLOCK / 1e6 / seconds

    def download(self, name: str) -> float:
        """Fetch an artifact by one connection; return the megabytes a second."""
        parts = urlsplit(self._call("GetSignedArtifactURL", name=name)["signed_url"])
        client = http.client.HTTPConnection(parts.netloc)
        started, size, buffer = time.perf_counter(), 0, bytearray(1 << 20)
        client.request("GET", f"{parts.path}?{parts.query}")
        answer = client.getresponse()
        while count := answer.readinto(buffer):
            size += count
        client.close()
        return size / 1e6 / (time.perf_counter() - started)

    def _send(self, address: str, numbers: range) -> None:
        parts = urlsplit(address)
        client = http.client.HTTPConnection(parts.netloc)
        for number in numbers:
            target = f"{parts.path}?{parts.query}&comp=block&blockid={_name(number)}"
            client.request("PUT", target, self._block)
            answer = client.getresponse()
            answer.read()
            assert answer.status == 201, answer.status
        client.close()

    def _call(self, procedure: str, **fields: Any) -> dict[str, Any]:
        body = json.dumps({"workflow_run_backend_id": self._told["run"], **fields})
        client = http.client.HTTPConnection(urlsplit(self._told["origin"]).netloc)
        token = {"Authorization": f"Bearer {self._told['token']}"}
        client.request("POST", f"/twirp/{SERVICE}/{procedure}", body, token)
        answer = client.getresponse()
        content: dict[str, Any] = json.loads(answer.read())
        assert answer.status == 200, content
        client.close()
        return content


def _name(number: int) -> str:
    return base64.urlsafe_b64encode(f"block-{number:06d}".encode()).decode()


def _ask(address: str, more: str, body: bytes) -> None:
    parts = urlsplit(address)
    client = http.client.HTTPConnection(parts.netloc)
    client.request("PUT", f"{parts.path}?{parts.query}{more}", body)
    answer = client.getresponse()
    assert answer.status == 201, answer.read()
    client.close()


def serve_local() -> JobServices:
    """What `windlass run` serves."""
    state = Path(os.environ["STATE"])
    state.mkdir()
    services = RunServices(Database(state / "history.db"), state, print)
    return services.open(ServedJob(run="1", attempt=1, key="bench"))


def serve_remote() -> JobServices:
    """A runner with one job, which it serves."""
    url, data = os.environ["URL"], Path(os.environ["DATA"])
    with open_site(os.environ["DATABASE"], data) as site:
        start_run(site, REPOSITORY, define(WORKFLOW))
        client: Any = httpx.Client(base_url=url)
        runner = register(client, create_registration(site, patience=3600).token)
        assignment = decode_assignment(runner.take(free=1)[0])
    folders = JobFolders(data / "job", "boat", data / "tools")
    services = RunnerServices(url, runner.credential)
    return services.open(assignment.job, assignment.order, "127.0.0.1", folders)


def serve(services: JobServices) -> None:
    """Serve for as long as the input is open."""
    told = {"origin": services.origin, "token": services.token, "run": services.job.run_id}
    print(json.dumps(told), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    if sys.argv[1:2] == ["local"]:
        serve(serve_local())
    elif sys.argv[1:2] == ["remote"]:
        serve(serve_remote())
    else:
        sys.exit(main())
