"""How many jobs a second pass through a server and 20 runners that do nothing with them.

    .venv/bin/python bench/server/throughput.py [JOBS]

Runs of a matrix of 25 jobs each are started, 1,000 jobs in all, and wait in the queue of `windlass
up`. Then 20 runners come, each a thread of one process beside it with a connection of its own to
the server, and capacity for four jobs. A job is an answer to a poll, one message with its three
events, and one with its end: what a runner says of a job that prints nothing. The clock runs from
the first poll to the end of the last run.

What the same runners ask of the server around an application that does nothing (`load.py floor`) is
the floor: no server could let more jobs pass on this machine with this generator. 50 jobs a second
on PostgreSQL and 20 on SQLite are the least, where the floor is at least four times as much.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import httpx
from tests.hosted_runner import register
from tests.hosted_runs import REPOSITORY, define, open_site

from hosting import databases, describe_machine, read_processor_seconds, serving
from windlass.errors import PlatformError
from windlass.model.status import Result
from windlass.operations.hosted.attempts import start_run
from windlass.operations.hosted.runners import create_registration
from windlass.protocol import events
from windlass.protocol.event_lines import write_event
from windlass.protocol.runner import (
    EndRequest,
    EventsRequest,
    PollAnswer,
    PollRequest,
    decode_message,
    encode_message,
)
from windlass.runner.connection import Connection, read_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

JOBS = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else 1_000
JOBS_OF_A_RUN = 25
RUNNERS = 20
CAPACITY = 4
LEAST = {"sqlite": 20.0, "postgresql": 50.0}
TIMES_THE_LEAST = 4.0
FLOOR_SECONDS = 4.0
WORKFLOW = (
    "on: push\njobs:\n  job:\n    runs-on: x\n    steps: [{run: 'true'}]\n    strategy:\n"
    f"      matrix: {{number: {list(range(JOBS_OF_A_RUN))}}}\n"
)


def main() -> int:
    print(describe_machine())
    is_good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor = measure_floor()
        print(f"{'':12}{'jobs/s':>8}{'server ms/job':>15}")
        print(f"{'floor':12}{floor:>8.0f}")
        with databases(folder) as addresses:
            for kind, address in addresses.items():
                is_good &= measure(folder, kind, address, floor)
    return 0 if is_good else 1


def measure(folder: Path, kind: str, address: str, floor: float) -> bool:
    """Measure a server on one database; tell whether it keeps the limit."""
    with serving(folder, address, "--no-runner") as server:
        with open_site(address, server.data) as site:
            runs = [
                start_run(site, REPOSITORY, define(WORKFLOW)) for _ in range(JOBS // JOBS_OF_A_RUN)
            ]
            client: Any = httpx.Client(base_url=server.url, timeout=60)
            runners = [
                Runner(
                    server.url,
                    register(
                        client,
                        create_registration(site, patience=3600).token,
                        f"r{number}",
                        capacity=CAPACITY,
                    ).credential,
                )
                for number in range(RUNNERS)
            ]
            before, started = read_processor_seconds(server.process.pid), time.perf_counter()
            for runner in runners:
                runner.start()
            while site.store.ask("SELECT run FROM attempts WHERE result IS NULL LIMIT 1"):
                assert all(runner.is_alive() for runner in runners), "a runner has failed"
                time.sleep(0.05)
            seconds = time.perf_counter() - started
            used = read_processor_seconds(server.process.pid) - before
            for runner in runners:
                runner.stop()
            results = site.store.ask("SELECT DISTINCT result FROM attempts")
        assert [tuple(row) for row in results] == [("success",)], results
    count = len(runs) * JOBS_OF_A_RUN
    assert sum(runner.count for runner in runners) == count
    rate = count / seconds
    print(f"{kind:12}{rate:>8.0f}{used / count * 1000:>15.1f}")
    if rate >= LEAST[kind]:
        return True
    if floor < TIMES_THE_LEAST * LEAST[kind]:
        print(f"too busy for a verdict: {kind}: {rate:.0f} jobs/s, the floor {floor:.0f}")
        return True
    print(f"FAILED: {kind}: {rate:.0f} jobs/s, less than {LEAST[kind]:.0f}")
    return False


class Runner(threading.Thread):
    """Takes jobs and says that they have ended."""

    def __init__(self, url: str, credential: str) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self._connection = Connection(read_address(url), credential)
        self._is_over = threading.Event()

    def run(self) -> None:
        """Take jobs until it is over."""
        while not self._is_over.is_set():
            try:
                for given in self._poll():
                    self._end(str(given["job"]), str(given["order"]["key"]))
                    self.count += 1
            except PlatformError:
                if not self._is_over.is_set():
                    raise

    def stop(self) -> None:
        """Take no more: the poll that waits is given up."""
        self._is_over.set()
        self._connection.hang_up()
        self.join()

    def _poll(self) -> Sequence[Any]:
        request = PollRequest(free=CAPACITY)
        _, answer = self._connection.post("poll", encode_message(request), 60)
        return decode_message(PollAnswer, answer).assignments

    def _end(self, job: str, key: str) -> None:
        lines = tuple(write_event(it, time.time()) for it in tell(key))
        self._connection.post(f"jobs/{job}/events", encode_message(EventsRequest(0, lines)))
        end = EndRequest(received=len(lines), result=Result.SUCCESS, outputs={})
        self._connection.post(f"jobs/{job}/end", encode_message(end))


def tell(key: str) -> Iterator[events.RunEvent]:
    """What is told of a job that does nothing."""
    yield events.JobStarted(job=key, name=key, place="nowhere")
    yield events.StepStarted(job=key, step="1", name="true")
    yield events.JobFinished(job=key, name=key, result=Result.SUCCESS, seconds=0.0)


def measure_floor() -> float:
    """Let the runners' threads ask what does nothing; return how many jobs a second that is."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("load.py")), "floor"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    counts = [0] * RUNNERS
    over = time.perf_counter() + FLOOR_SECONDS

    def ask(number: int) -> None:
        connection = Connection(read_address(url), "none")
        lines = tuple(write_event(it, time.time()) for it in tell("job"))
        while time.perf_counter() < over:
            # A poll brings as many jobs as a runner has room for.
            connection.post("poll", encode_message(PollRequest(free=CAPACITY)))
            for _ in range(CAPACITY):
                connection.post("jobs/1/1/1/events", encode_message(EventsRequest(0, lines)))
                end = EndRequest(received=3, result=Result.SUCCESS, outputs={})
                connection.post("jobs/1/1/1/end", encode_message(end))
                counts[number] += 1
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(RUNNERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    process.terminate()
    process.wait()
    return sum(counts) / FLOOR_SECONDS


if __name__ == "__main__":
    sys.exit(main())
