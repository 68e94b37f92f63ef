"""The database of a server goes away and comes back: what was asked meanwhile is asked again."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.hosted_runner import StandIn, job_finished, job_started, register
from tests.hosted_runs import REPOSITORY, define, open_site
from tests.hosted_site import ask
from tests.postgres import PostgresServer, find_programs
from tests.waiting import wait_until

from windlass.db.runs import list_attempts
from windlass.engine.server.leases import Watch
from windlass.errors import DatabaseError
from windlass.model.status import Result
from windlass.operations.hosted.attempts import start_run
from windlass.operations.hosted.runners import create_registration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from httpx import Response

JOB = "on: push\njobs:\n  a: {runs-on: x, steps: [{run: echo}]}\n"
PATIENCE_SECONDS = 60


@pytest.fixture
def mortal() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test's own."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="windlass-pg.", dir="/tmp"))
    folder.chmod(0o755)
    server = PostgresServer(folder, programs)
    server.start()
    yield server
    server.stop("immediate")
    shutil.rmtree(folder)


def insist(ask_server: Callable[[], Response]) -> Response:
    """Ask again until the database lets it be done, as a runner does."""
    answers: list[Response] = []

    def has_answer() -> bool:
        answers.append(ask_server())
        return answers[-1].status_code < 500

    assert wait_until(has_answer, PATIENCE_SECONDS), answers[-1].text
    return answers[-1]


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_postgresql_is_restarted(mortal: PostgresServer, tmp_path: Path, mode: str) -> None:
    """Nothing is lost and nothing done twice, and who waits for a job is given it."""
    with open_site(mortal.make_database(), tmp_path) as site, ask(site, token=None) as client:
        watch = Watch(site.store, site.runs, site.changes)
        watch.start()
        runner = register(client, create_registration(site).token)
        first = start_run(site, REPOSITORY, define(JOB))
        (given,) = runner.take(free=1)
        job = given["job"]
        assert runner.tell(job, 0, [job_started("a")]).status_code == 200
        answers: list[Any] = []
        waiting = threading.Thread(target=lambda: answers.append(wait_for_job(runner, job)))
        waiting.start()
        mortal.stop(mode)
        with pytest.raises(DatabaseError):
            start_run(site, REPOSITORY, define(JOB))
        answer = runner.tell(job, 1, [job_finished("a")])
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        mortal.resume()
        told = [job_started("a"), job_finished("a")]
        assert insist(lambda: runner.tell(job, 0, told)).json()["received"] == 2
        assert insist(lambda: runner.end(job, 2)).status_code == 204
        second = start_run(site, REPOSITORY, define(JOB))
        waiting.join(PATIENCE_SECONDS)
        assert answers == [f"{second}/1/1"]
        assert runner.end(answers[0]).status_code == 204
        results = [list_attempts(site.store, run)[0].result for run in (first, second)]
        assert results == [Result.SUCCESS] * 2
        watch.stop()


def wait_for_job(runner: StandIn, job: str) -> str:
    """Poll as a runner does that has a job, until it is given another."""
    while True:
        answer = insist(lambda: runner.poll(job, free=1))
        assert answer.status_code == 200, answer.text
        if found := answer.json()["assignments"]:
            return str(found[0]["job"])
