"""How fast a server's queue is: how long a claim takes, and how many jobs pass through in a second.

    python bench/job_queue.py                  SQLite, and PostgreSQL where it is installed
    python bench/job_queue.py --quick          a tenth of the jobs

A claim is one answer to a runner's poll: from the question to the whole assignment. It is measured
with 100 and with 100,000 other jobs in the queue: half of them behind those that are taken, half
for runners with other labels, in 50 different sets. A claim that takes more than twice as long with
the long queue, and 2 ms, is a failure; compared are the lower quartiles, since the machine may have
other work. Then runs are started at once and brought to their end by 20 runners, all in this
process: what HTTP costs is not in it. Less than 20 jobs a second on SQLite, or 50 on PostgreSQL, is
a failure.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.hosted_runs import REPOSITORY, define, open_site
from tests.postgres import PostgresServer, find_programs

from windlass.db.runs import AttemptRow, RunRow, enter_attempt
from windlass.db.tickets import draw_ticket
from windlass.model.status import Result
from windlass.operations.hosted.attempts import start_run
from windlass.operations.hosted.job_reports import end_job
from windlass.operations.hosted.jobs import answer_poll
from windlass.operations.hosted.runners import check_runner, create_registration, register_runner
from windlass.protocol.runner import EndRequest, PollRequest, RegisterRequest, read_job_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from windlass.db.runners import RunnerRow
    from windlass.operations.hosted.site import Site

JOB = "on: push\njobs:\n  a: {runs-on: x, steps: [{run: echo}]}\n"
SHORT, LONG = 100, 100_000
CLAIMS = 100
RUNS = 10_000
RUNNERS = 20
LABEL_SETS = 50
MOST_GROWTH = 2.0
SLACK_MILLISECONDS = 2.0
LEAST_RATES = {"sqlite": 20.0, "postgresql": 50.0}


def register(site: Site, name: str) -> RunnerRow:
    request = RegisterRequest(
        token=create_registration(site).token, name=name, labels=("x",), capacity=1000
    )
    return check_runner(site, register_runner(site, request).credential)


def fill(site: Site, count: int) -> None:
    """Queue jobs that only wait: every other one for runners with other labels."""
    run = f"filler {time.time_ns()}"
    row = RunRow(
        id=run,
        number=1,
        workflow="filler",
        path="filler.yml",
        event="push",
        sha="f" * 40,
        ref="refs/heads/main",
        created=1.0,
    )
    jobs = [
        (run, str(number), number, draw_ticket(), f'["other {number // 2 % LABEL_SETS}"]')
        if number % 2
        else (run, str(number), number, draw_ticket(), '["x"]')
        for number in range(count)
    ]
    with site.store.writing() as connection:
        enter_attempt(connection, AttemptRow(run=row, attempt=1, started=1.0))
        connection.executemany(
            "INSERT INTO jobs (run, attempt, job, number, ticket, labels, state, queued) "
            "VALUES (?, 1, ?, ?, ?, ?, 'queued', 1e12)",
            jobs,
        )
        connection.execute("ANALYZE")


def measure_claims(address: str, folder: Path, waiting: int) -> list[float]:
    """Return how many milliseconds each of some claims took, with so many other jobs waiting."""
    with open_site(address, folder) as site:
        runner = register(site, "claims")
        for _ in range(CLAIMS):
            start_run(site, REPOSITORY, define(JOB))
        fill(site, waiting)
        found = sorted(_measure_claim(site, runner) for _ in range(CLAIMS))
    median, late = statistics.median(found), found[int(len(found) * 0.95)]
    print(f"  claim with {waiting:>7,} more jobs {median:7.2f} ms  p95 {late:7.2f} ms")
    return found


def _measure_claim(site: Site, runner: RunnerRow) -> float:
    began = time.perf_counter()
    answer = answer_poll(site, runner, PollRequest(free=1))
    seconds = time.perf_counter() - began
    (given,) = answer.assignments
    finish(site, runner, given["job"])
    return seconds * 1000


def finish(site: Site, runner: RunnerRow, job: str) -> None:
    end = EndRequest(received=0, result=Result.SUCCESS, outputs={})
    end_job(site, runner, read_job_id(job), end)


def compare_claims(make: Callable[[], str], folder: Path, scale: float) -> bool:
    """Tell whether a claim takes as long with a long queue as with a short one."""
    found = [measure_claims(make(), folder, count) for count in (SHORT, int(LONG * scale))]
    short, long = (statistics.quantiles(it, n=4)[0] for it in found)
    return long <= short * MOST_GROWTH + SLACK_MILLISECONDS


def pass_runs(site: Site, count: int) -> float:
    """Start many runs, have runners end all; return how many passed in a second."""
    began = time.perf_counter()
    for _ in range(count):
        start_run(site, REPOSITORY, define(JOB))
    seconds = time.perf_counter() - began
    print(f"  {count:,} runs queued in {seconds:.1f} s, {count / seconds:,.0f}/s")
    runners = [register(site, f"runner {number}") for number in range(RUNNERS)]
    ended: list[float] = []

    def work(runner: RunnerRow) -> None:
        while assignments := answer_poll(site, runner, PollRequest(free=1)).assignments:
            finish(site, runner, assignments[0]["job"])
            ended.append(time.perf_counter())

    threads = [threading.Thread(target=work, args=(runner,)) for runner in runners]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    parts = [ended[int(len(ended) * part) - 1] for part in (0.1, 0.9, 1.0)]
    first, last = parts[0] - began, parts[2] - parts[1]
    rate = len(ended) / seconds
    print(
        f"  {len(ended):,} jobs through {RUNNERS} runners in {seconds:.1f} s, {rate:,.0f}/s; "
        f"the first tenth in {first:.1f} s, the last in {last:.1f} s"
    )
    return rate if len(ended) == count else 0.0


def measure_passing(kind: str, address: str, folder: Path, scale: float) -> bool:
    with open_site(address, folder) as site:
        return pass_runs(site, int(RUNS * scale)) >= LEAST_RATES[kind]


@contextmanager
def postgresql() -> Iterator[PostgresServer | None]:
    programs = find_programs()
    if programs is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="windlass-pg.", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = PostgresServer(folder, programs)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    scale = 0.1 if parser.parse_args().quick else 1.0
    good = []
    with tempfile.TemporaryDirectory() as name, postgresql() as server:
        folder = Path(name)
        kinds = {"sqlite": lambda: f"sqlite:///{folder / f'{time.time_ns()}.db'}"}
        if server is None:
            print("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
        else:
            kinds["postgresql"] = server.make_database
        for kind, make in kinds.items():
            print(f"{kind}:")
            good.append(compare_claims(make, folder, scale))
            good.append(measure_passing(kind, make(), folder, scale))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
