"""The contract of `windlass.db.connections.Store`: SQLite here and on a server, and PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from windlass.db.database import Database
from windlass.db.groups import MemberRow, list_members, write_members
from windlass.db.inbox import list_letters, post_letter, take_letter
from windlass.db.jobs import claim_job, end_job, find_job, list_queued, queue_job
from windlass.db.migrations import MIGRATIONS
from windlass.db.runs import AttemptRow, RunRow, enter_attempt, list_latest, lock_attempt
from windlass.db.server_database import ServerDatabase
from windlass.errors import DatabaseError, InputError, PlatformError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import PostgresServer

    from windlass.db.connections import Store

STORES = ("local", "sqlite", "postgresql")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "local":
        local = Database(tmp_path / "history.db")
        yield local
        local.close()
        return
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'server.db'}"
    else:
        address = request.getfixturevalue("postgres").make_database()
    served = ServerDatabase(address)
    yield served
    served.close()


def make_row(run: str = "1", number: int = 1) -> AttemptRow:
    run_row = RunRow(
        id=run,
        number=number,
        workflow="CI",
        path="ci.yml",
        event="push",
        sha="f" * 40,
        ref="refs/heads/main",
        created=float(number),
    )
    return AttemptRow(run=run_row, attempt=1, started=5.5)


def test_what_is_written_is_read(store: Store) -> None:
    """A row comes back as it was."""
    with store.writing() as connection:
        enter_attempt(connection, make_row())

    assert list_latest(store) == [make_row()]


def test_an_exception_takes_a_transaction_back(store: Store) -> None:
    """Nothing of a transaction that ends with an exception is there afterwards."""

    def break_off() -> None:
        with store.writing() as connection:
            enter_attempt(connection, make_row())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()

    assert list_latest(store) == []


def test_a_mistake_is_told_by_the_name_of_the_database(store: Store) -> None:
    """What the database refuses is a PlatformError."""
    with pytest.raises(PlatformError, match="no_such_table"):
        store.ask("SELECT * FROM no_such_table")


def test_writers_wait_for_each_other(store: Store) -> None:
    """Of many that count at once none is lost."""
    with store.writing() as connection:
        enter_attempt(connection, make_row())
        write_members(connection, "count", [])

    def count() -> None:
        for _ in range(10):
            with store.writing() as connection:
                assert lock_attempt(connection, "1", 1)
                members = list_members(connection, "count")
                new = MemberRow("1", 1, f"job {len(members)}", "waiting")
                write_members(connection, "count", [*members, new])

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with store.writing() as connection:
        jobs = [member.job for member in list_members(connection, "count")]
    assert jobs == [f"job {number}" for number in range(40)]


def test_a_job_is_given_to_one_runner(store: Store) -> None:
    """Whoever claims first has it, and it ends once."""
    with store.writing() as connection:
        enter_attempt(connection, make_row())
        queue_job(connection, "1", 1, "build", ("ubuntu-latest",), 7.0)
        queue_job(connection, "1", 1, "test", (), 7.5)
    first, second = list_queued(store, 10)
    assert (first.job, first.labels, second.job) == ("build", ("ubuntu-latest",), "test")

    with store.writing() as connection:
        assert claim_job(connection, first, "a", 8.0)
        assert not claim_job(connection, first, "b", 9.0)
        found = find_job(connection, "1", 1, "build")
        assert found is not None
        assert (found.state, found.runner, found.claimed) == ("running", "a", 8.0)
        assert end_job(connection, "1", 1, "build")
        assert not end_job(connection, "1", 1, "build")

    assert [row.job for row in list_queued(store, 10)] == ["test"]


def test_letters_come_in_order_and_are_taken_once(store: Store) -> None:
    """An inbox is a queue, of which each letter is taken by one."""
    with store.writing() as connection:
        for number in range(3):
            post_letter(connection, "1", 1, f"signal {number}")
    letters = list_letters(store, 2)
    assert [letter.signal for letter in letters] == ["signal 0", "signal 1"]

    with store.writing() as connection:
        assert take_letter(connection, letters[0].ticket)
        assert not take_letter(connection, letters[0].ticket)

    assert [letter.signal for letter in list_letters(store, 9)] == ["signal 1", "signal 2"]


def test_several_servers_open_an_empty_database_at_once(database_address: str) -> None:
    """One of them makes the tables, the others wait for it."""
    opened: list[ServerDatabase] = []
    threads = [
        threading.Thread(target=lambda: opened.append(ServerDatabase(database_address)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [it.ask("SELECT version_num FROM alembic_version") for it in opened] == [
        [(f"{len(MIGRATIONS):04d}",)]
    ] * 4
    for it in opened:
        it.close()


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_local_history_of_any_version_becomes_a_servers(tmp_path: Path, version: int) -> None:
    """What was written before is there afterwards, and local commands still read it."""
    import sqlite3

    path = tmp_path / "history.db"
    old = sqlite3.connect(path)
    for statements in MIGRATIONS[:version]:
        for statement in statements:
            old.execute(statement)
    old.execute(f"PRAGMA user_version = {version}")
    old.execute("INSERT INTO runs VALUES ('1', 1, 'CI', 'ci.yml', 'push', 'f', 'main', 1.0)")
    old.execute("INSERT INTO attempts VALUES ('1', 1, 5.5, NULL, NULL)")
    old.commit()
    old.close()

    served = ServerDatabase(f"sqlite:///{path}")
    assert [row.run.id for row in list_latest(served)] == ["1"]
    served.close()
    local = Database(path)
    assert [row.run.id for row in list_latest(local)] == ["1"]
    local.close()


def test_a_database_that_was_started_again(postgres: PostgresServer) -> None:
    """Who reads and who writes go on with new connections, and nobody is told of the old ones."""
    served = ServerDatabase(postgres.make_database())
    # Two connections for reading are kept, of which both are lost.
    both = threading.Barrier(2)
    threads = [
        threading.Thread(target=lambda: (both.wait(), served.ask("SELECT pg_sleep(0.2)")))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    postgres.stop()
    with pytest.raises(DatabaseError, match="cannot be read"):
        served.ask("SELECT 1")
    postgres.resume()

    assert served.ask("SELECT 1") == [(1,)]
    with served.writing() as connection:
        enter_attempt(connection, make_row())
    postgres.stop()
    postgres.resume()
    with served.writing() as connection:
        write_members(connection, "count", [])
    assert [row.run.id for row in list_latest(served)] == ["1"]
    served.close()


def test_a_database_without_an_encoding(postgres: PostgresServer) -> None:
    """Such as a machine without a locale makes: what is written there is UTF-8 all the same."""
    options = ("--encoding=SQL_ASCII", "--locale=C", "--template=template0")
    served = ServerDatabase(postgres.make_database(*options))
    row = replace(make_row(), run=replace(make_row().run, workflow="Größe ⛵"))
    with served.writing() as connection:
        enter_attempt(connection, row)

    assert list_latest(served) == [row]
    served.close()


def test_a_newer_database_is_refused(database_address: str) -> None:
    """An old server must not write to tables that it does not know."""
    served = ServerDatabase(database_address)
    with served.writing() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    served.close()

    with pytest.raises(PlatformError, match="newer Windlass: its version is 9999"):
        ServerDatabase(database_address)


@pytest.mark.parametrize("address", ["mysql://localhost/x", "nonsense", "sqlite", ""])
def test_addresses_of_other_databases(address: str) -> None:
    """The error says what an address looks like."""
    with pytest.raises(InputError) as caught:
        ServerDatabase(address)
    assert "sqlite:///FILE or postgresql://" in str(caught.value.hint)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """The error names the database without its password."""
    with pytest.raises(PlatformError) as caught:
        ServerDatabase(f"postgresql://me:hunter2@/x?host={tmp_path}")
    assert "cannot be opened" in caught.value.message
    assert "hunter2" not in caught.value.message
