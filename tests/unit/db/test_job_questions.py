"""No question about the queue reads all of it, whatever a database knows of its distribution."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.journals import attempt_row

from windlass.db import jobs, runners
from windlass.db.runs import enter_attempt
from windlass.db.server_database import ServerDatabase
from windlass.db.tickets import draw_ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from windlass.db.connections import Connection, Rows, Store

COUNT = 2000
SCANS = re.compile(r"SCAN jobs(?:_\d+)?$")


class Explained:
    """A database, and a connection of it, that notes how each question would be answered."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.plans: list[str] = []

    def ask(self, question: str, values: Sequence[Any] = ()) -> Sequence[Any]:
        for *_, step in self._store.ask(f"EXPLAIN QUERY PLAN {question}", values):
            self.plans.append(step)
        return self._store.ask(question, values)

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Rows:
        statement = statement.removesuffix(" FOR UPDATE SKIP LOCKED")
        self.ask(statement, values)
        with self._store.writing() as connection:
            return _Fetched(connection.execute(statement, values).fetchall())

    def executemany(self, statement: str, values: Any) -> Any:
        with self._store.writing() as connection:
            connection.executemany(statement, values)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        yield self


class _Fetched(list[Any]):
    @property
    def rowcount(self) -> int:
        return len(self)

    def fetchall(self) -> Sequence[Any]:
        return self


@pytest.fixture(scope="module", params=["as it comes", "analysed"])
def store(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[ServerDatabase]:
    """A queue in which all jobs are of one run and one set of labels."""
    folder: Path = tmp_path_factory.mktemp("queue")
    made = ServerDatabase(f"sqlite:///{folder / 'server.db'}")
    with made.writing() as connection:
        enter_attempt(connection, attempt_row())
        connection.executemany(
            "INSERT INTO jobs (run, attempt, job, number, ticket, labels, state, queued) "
            "VALUES ('1', 1, ?, ?, ?, '[\"x\"]', 'queued', 5.0)",
            [(str(number), number, draw_ticket()) for number in range(COUNT)],
        )
        if request.param == "analysed":
            connection.execute("ANALYZE")
    yield made
    made.close()


QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "is_anything_due": jobs.is_anything_due,
    "list_label_sets": jobs.list_label_sets,
    "lock_oldest": lambda it: jobs.lock_oldest(it, '["x"]', 2),
    "list_running": lambda it: jobs.list_running(it, "r"),
    "count_running": lambda it: jobs.count_running(it, "r"),
    "list_asked_to_end": jobs.list_asked_to_end,
    "find_numbered": lambda it: jobs.find_numbered(it, "1", 1, 7),
    "find_job": lambda it: jobs.find_job(it, "1", 1, "7"),
    "find_by_token": lambda it: jobs.find_by_token(it, "t"),
    "runs_job_of": lambda it: jobs.runs_job_of(it, "r", "7"),
    "list_queued": lambda it: jobs.list_queued_before(it, 4.0, 9),
    "list_busy": runners.list_busy,
    "end_job": lambda it: jobs.end_job(it, "2", 1, "7", 7),
    "drop_job": lambda it: jobs.drop_job(it, "2", 1, "7"),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_reads_a_few_rows(store: ServerDatabase, name: str) -> None:
    explained = Explained(store)
    QUESTIONS[name](explained)
    assert explained.plans
    assert not [step for step in explained.plans if SCANS.search(step)], explained.plans
