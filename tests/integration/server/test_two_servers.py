"""Several processes of a server on one PostgreSQL: one is killed or stopped, the others go on."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.hosted_runner import StandIn, job_finished, job_started, register
from tests.hosted_runs import REPOSITORY, define, open_site
from tests.waiting import wait_until

from windlass.db.announcements import read_announcements
from windlass.db.inbox import post_letter
from windlass.db.runs import list_attempts
from windlass.db.servers import list_servers
from windlass.engine.journals.codec import encode_signal
from windlass.model.status import Result
from windlass.operations.hosted.attempts import start_run
from windlass.operations.hosted.runners import create_registration
from windlass.plan.signals import CancelRequested

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import PostgresServer

    from windlass.operations.hosted.site import Site

JOB = "on: push\njobs:\n  a: {runs-on: x, steps: [{run: echo}]}\n"
PATIENCE_SECONDS = 8.0
"""So long a runner may be silent. It says something each half second here, and a machine that is
busy with other things may come to that late."""


class ServerProcess:
    """A process of a server, and a client of it."""

    def __init__(self, address: str, data: Path) -> None:
        words = [sys.executable, "-m", "tests.server_process", address, str(data)]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.client: Any = None

    def connect(self) -> None:
        """Wait until it answers."""
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.read()}", timeout=60)

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> None:
        if self.client is not None:
            self.client.close()
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def address(postgres: PostgresServer) -> str:
    return postgres.make_database()


@pytest.fixture
def site(address: str, tmp_path: Path) -> Iterator[Site]:
    """What the tests themselves do, without a watch of their own."""
    with open_site(address, tmp_path) as made:
        yield made


@pytest.fixture
def servers(site: Site, address: str) -> Iterator[list[ServerProcess]]:
    with contextlib.ExitStack() as stack:
        made = [ServerProcess(address, site.data) for _ in range(2)]
        for server in made:
            stack.callback(server.end)
        for server in made:
            server.connect()
        yield made


def join(site: Site, server: ServerProcess, patience: float = 30, name: str = "boat") -> StandIn:
    return register(server.client, create_registration(site, patience=patience).token, name)


def begin(site: Site, runner: StandIn) -> tuple[str, str]:
    run = start_run(site, REPOSITORY, define(JOB))
    return run, runner.take()[0]["job"]


def result(site: Site, run: str) -> Result | None:
    return list_attempts(site.store, run)[0].result


def test_a_runner_goes_on_with_another_server(site: Site, servers: list[ServerProcess]) -> None:
    """Its server is killed in the middle of a job: the other one takes the rest of it."""
    one, other = servers
    runner = join(site, one)
    run, job = begin(site, runner)
    assert runner.tell(job, 0, [job_started("a")]).json()["received"] == 1
    assert runner.write(job, "log", 0, b"hello\n").json() == {"size": 6}
    one.signal(signal.SIGKILL)
    heir = StandIn(other.client, runner.credential)
    assert heir.poll(job, "1/1/1").json()["gone"] == ["1/1/1"]
    assert heir.write(job, "log", 6, b"again\n").json() == {"size": 12}
    assert heir.tell(job, 0, [job_started("a"), job_finished("a")]).json()["received"] == 2
    assert heir.end(job, 2).status_code == 204
    assert result(site, run) is Result.SUCCESS
    assert wait_until(lambda: len(list_servers(site.store)) == 1)


def test_a_job_that_another_server_queues(site: Site, servers: list[ServerProcess]) -> None:
    """A runner that waits at one server is given it within a moment."""
    runner = join(site, servers[0])
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.extend(runner.take()))
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    run = start_run(site, REPOSITORY, define(JOB))
    waiting.join(60)
    assert not waiting.is_alive()
    assert [it["job"] for it in answers] == [f"{run}/1/1"]


def test_server_and_runner_are_killed(site: Site, servers: list[ServerProcess]) -> None:
    """The job of the runner ends, and letters of the dead server reach whom they are for."""
    one, _ = servers
    runner = join(site, one, patience=2)
    run, _ = begin(site, runner)
    other_run = start_run(site, REPOSITORY, define(JOB.replace("runs-on: x", "runs-on: y")))
    one.signal(signal.SIGKILL)
    with site.store.writing() as connection:
        post_letter(connection, other_run, 1, encode_signal(CancelRequested("enough")))
    assert wait_until(lambda: result(site, other_run) is Result.CANCELLED)
    assert wait_until(lambda: result(site, run) is Result.FAILURE)


def test_a_server_that_stops_within_a_transaction(site: Site, servers: list[ServerProcess]) -> None:
    """What it has locked is free again soon; when it goes on, it does nothing of what it was at."""
    one, other = servers
    runner = join(site, other)
    run, job = begin(site, runner)
    one.say(f"hold {run}")
    assert one.read() == "held"
    one.signal(signal.SIGSTOP)
    assert runner.tell(job, 0, [job_started("a"), job_finished("a")]).json()["received"] == 2
    assert runner.end(job, 2).status_code == 204
    assert result(site, run) is Result.SUCCESS
    assert wait_until(lambda: len(list_servers(site.store)) == 1)
    one.signal(signal.SIGCONT)
    one.say("go on")
    assert one.read() == "failed"
    assert result(site, run) is Result.SUCCESS
    ends = [it for it in read_announcements(site.store, run, 1, 0) if "run-finished" in it]
    assert len(ends) == 1
    # It is a server like any other again.
    assert wait_until(lambda: len(list_servers(site.store)) == 2)
    again = StandIn(one.client, runner.credential)
    second, job = begin(site, again)
    assert again.end(job).status_code == 204
    assert result(site, second) is Result.SUCCESS


def test_a_stopped_server_ends_nobodys_job(site: Site, servers: list[ServerProcess]) -> None:
    """It has heard of no runner while it stood still; those that were heard of elsewhere go on."""
    one, other = servers
    runner = join(site, other, PATIENCE_SECONDS)
    run, job = begin(site, runner)

    def write_on(seconds: float) -> None:
        def write() -> bool:
            assert runner.write(job, "log", 0, b"").status_code == 200
            return False

        assert not wait_until(write, seconds, pause_milliseconds=500)

    one.signal(signal.SIGSTOP)
    write_on(PATIENCE_SECONDS + 1)
    one.signal(signal.SIGCONT)
    write_on(2)
    assert result(site, run) is None
    assert runner.end(job).status_code == 204
    assert result(site, run) is Result.SUCCESS


def test_both_servers_begin_and_end_jobs_of_one_group(
    site: Site, servers: list[ServerProcess]
) -> None:
    """Of a concurrency group one run goes on at a time, whoever ends the one before."""
    text = "concurrency: {group: quay, queue: max}\n" + JOB
    starts = [
        threading.Thread(target=start_run, args=(site, REPOSITORY, define(text, path=f"{n}.yml")))
        for n in range(6)
    ]
    ended: list[str] = []
    is_over = threading.Event()

    def work(runner: StandIn) -> None:
        try:
            while len(ended) < len(starts) and not is_over.is_set():
                for job in [it["job"] for it in runner.poll().json()["assignments"]]:
                    states = site.store.ask("SELECT state FROM jobs WHERE state = 'running'")
                    assert len(states) == 1
                    assert runner.end(job).status_code == 204
                    ended.append(job)
        finally:
            is_over.set()

    # Polls are held for half of it.
    runners = [join(site, it, PATIENCE_SECONDS, f"boat {n}") for n, it in enumerate(servers)]
    threads = [*starts, *(threading.Thread(target=work, args=(it,)) for it in runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ended)) == len(starts)
    assert site.store.ask("SELECT * FROM group_members") == []
    assert site.store.ask("SELECT * FROM group_locks") == []
