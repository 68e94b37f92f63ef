"""Runs of a server: what a broken database, a second process and other runs do to them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from tests.journals import attempt_row

from windlass.db.inbox import list_letters
from windlass.db.jobs import list_queued, list_running
from windlass.db.runs import enter_attempt, list_attempts
from windlass.db.server_database import ServerDatabase
from windlass.engine.journals.server import ServerJournal
from windlass.engine.key_cover import KeyCover
from windlass.engine.server.runs import ServerRuns, Staged
from windlass.lang.workflow.reading import read_workflow
from windlass.model.status import Result
from windlass.plan.run import RunMachine
from windlass.plan.signals import CancelRequested, JobFinished

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from windlass.db.connections import Connection, Rows, Store

DIAMOND = """
on: push
jobs:
  a: {runs-on: x, steps: [{run: echo}]}
  b: {runs-on: x, needs: a, steps: [{run: echo}]}
  c: {runs-on: x, needs: a, steps: [{run: echo}]}
  d: {runs-on: x, needs: [b, c], steps: [{run: echo}]}
"""
GROUPED = """
on: push
concurrency: {group: quay, cancel-in-progress: false}
jobs:
  a: {runs-on: x, steps: [{run: echo}]}
"""
ENDING = GROUPED.replace("false", "true")


class CutOffError(Exception):
    """The process dies here."""


class Fragile:
    """A database whose user dies before its n-th statement, or right after the commit behind it."""

    def __init__(self, store: Store, moment: int, *, late: bool) -> None:
        self._store = store
        self._left = moment
        self._late = late

    def ask(self, question: str, values: Sequence[Any] = ()) -> Sequence[Any]:
        return self._store.ask(question, values)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._store.writing() as connection:
            yield _FragileConnection(connection, self)
        if self._late and self._left < 0:
            raise CutOffError

    def count(self) -> None:
        self._left -= 1
        if self._left < 0 and not self._late:
            raise CutOffError


class _FragileConnection:
    def __init__(self, connection: Connection, owner: Fragile) -> None:
        self._connection = connection
        self._owner = owner

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Rows:
        self._owner.count()
        return self._connection.execute(statement, values)

    def executemany(self, statement: str, values: Any) -> Any:
        self._owner.count()
        return self._connection.executemany(statement, values)


class Server:
    """One process on a database; `runs` of it know nothing of what others have told."""

    def __init__(self, store: Store, text: str) -> None:
        self.store = store
        self.text = text
        self.runs = ServerRuns(store, self.open_attempt, lambda _run, _attempt: None)

    def open_attempt(self, run: str, attempt: int) -> Staged:
        cover = KeyCover(lambda text: text)
        reading = read_workflow(".github/workflows/ci.yml", self.text.encode())
        assert reading.workflow is not None
        contexts = {"github": {"ref": "refs/heads/main"}, "inputs": {}, "vars": {}}
        machine = RunMachine(reading.workflow, contexts)
        return Staged("octo/boat", machine, ServerJournal(self.store, run, attempt, cover), cover)

    def begin(self, run: str) -> None:
        with self.store.writing() as connection:
            enter_attempt(connection, attempt_row(run))
            self.runs.begin(connection, run, 1, self.open_attempt(run, 1))

    def queued(self) -> list[tuple[str, str]]:
        return [(row.run, row.job) for row in list_queued(self.store, 99)]

    def result(self, run: str = "1") -> Result | None:
        return list_attempts(self.store, run)[0].result

    def play(self, ledger: list[str], run: str = "1") -> None:
        """Do all that is queued, as a runner would: each job writes its name to the ledger once."""
        while jobs := [job for of, job in self.queued() if of == run]:
            for job in jobs:
                if job not in ledger:
                    ledger.append(job)
                self.runs.tell(run, 1, JobFinished(job, Result.SUCCESS))


@pytest.fixture
def store(database_address: str) -> Iterator[ServerDatabase]:
    made = ServerDatabase(database_address)
    yield made
    made.close()


def count_statements(store: Store) -> int:
    """How many statements write the whole of DIAMOND."""
    fragile = Fragile(store, 10_000, late=False)
    Server(fragile, DIAMOND).begin("count")
    Server(fragile, DIAMOND).play([], "count")
    assert Server(store, DIAMOND).result("count") is Result.SUCCESS
    return 10_000 - fragile._left


@pytest.mark.parametrize("late", [False, True], ids=["before a statement", "after a commit"])
def test_a_server_that_dies_at_any_statement(store: ServerDatabase, *, late: bool) -> None:
    """Another one goes on: every job is done, in order, and the journal leads to the same end."""
    for moment in range(count_statements(store)):
        run, ledger = str(moment), list[str]()
        with contextlib.suppress(CutOffError):
            dying = Server(Fragile(store, moment, late=late), DIAMOND)
            dying.begin(run)
            dying.play(ledger, run)
        heir = Server(store, DIAMOND)
        if not list_attempts(store, run):
            heir.begin(run)
        heir.runs.deliver()
        heir.play(ledger, run)

        assert heir.result(run) is Result.SUCCESS
        assert sorted(ledger) == ["a", "b", "c", "d"]
        assert (ledger[0], ledger[-1]) == ("a", "d")


def test_two_servers_take_turns(store: ServerDatabase) -> None:
    """Each finds out what the other has told a run meanwhile."""
    one, other = Server(store, DIAMOND), Server(store, DIAMOND)
    one.begin("1")
    assert one.runs.tell("1", 1, JobFinished("a", Result.SUCCESS))
    assert other.runs.tell("1", 1, JobFinished("c", Result.SUCCESS))
    assert one.runs.tell("1", 1, JobFinished("b", Result.SUCCESS))
    assert other.queued() == [("1", "d")]
    assert other.runs.tell("1", 1, JobFinished("d", Result.FAILURE))
    assert one.result() is Result.FAILURE


def test_the_end_of_a_job_counts_once(store: ServerDatabase) -> None:
    """A runner that does not know whether it was heard says it again."""
    server = Server(store, DIAMOND)
    server.begin("1")
    assert server.runs.tell("1", 1, JobFinished("a", Result.SUCCESS))
    assert not server.runs.tell("1", 1, JobFinished("a", Result.FAILURE))
    assert server.queued() == [("1", "b"), ("1", "c")]


def test_an_ended_run_hears_nothing(store: ServerDatabase) -> None:
    """What comes too late changes nothing."""
    server = Server(store, DIAMOND)
    server.begin("1")
    server.play([])
    assert not server.runs.tell("1", 1, CancelRequested("too late"))
    assert server.result() is Result.SUCCESS


def test_cancelling_what_nobody_has_taken(store: ServerDatabase) -> None:
    """Jobs that wait for a runner end at once."""
    server = Server(store, DIAMOND)
    server.begin("1")
    assert server.runs.tell("1", 1, CancelRequested("stop"))
    assert server.result() is Result.CANCELLED
    assert server.queued() == list_running(store, "a") == []


@pytest.mark.parametrize("text", [GROUPED, ENDING], ids=["waits", "cancels"])
def test_concurrency_groups_of_several_runs(store: ServerDatabase, text: str) -> None:
    """One run of a group goes on at a time; one waits, and whoever comes next takes its place."""
    server, other = Server(store, text), Server(store, text)
    for run in ("1", "2", "3"):
        server.begin(run)
    other.runs.deliver()
    if text is ENDING:
        assert [server.result(run) for run in ("1", "2")] == [Result.CANCELLED, Result.CANCELLED]
    else:
        assert server.queued() == [("1", "a")]
        assert server.result("2") is Result.CANCELLED
        server.runs.tell("1", 1, JobFinished("a", Result.SUCCESS))
        other.runs.deliver()
    assert server.queued() == [("3", "a")]
    server.runs.tell("3", 1, JobFinished("a", Result.SUCCESS))
    assert server.result("3") is Result.SUCCESS
    assert list_letters(store, 1) == []
    assert store.ask("SELECT * FROM group_members") == []
