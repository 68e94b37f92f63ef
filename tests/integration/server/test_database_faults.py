"""A server's database that is restarted, cut off, locked or full: what becomes of a transaction."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy
from tests.effect_servers import ADAPTERS, ROOT, Servers
from tests.postgres import PostgresServer, find_programs
from tests.waiting import wait_until

from windlass.db import server_database
from windlass.db.inbox import post_letter
from windlass.db.server_database import ServerDatabase
from windlass.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.db.connections import Store

SECONDS_TO_FAIL = 30
"""What waits for a database that is away for good would wait for ever."""

PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL that these tests may stop."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    made = subprocess.check_output(["mktemp", "-d", "/tmp/windlass-pg.XXXXXX"], text=True)
    folder = Path(made.strip())
    folder.chmod(0o755)
    server = PostgresServer(folder, programs)
    server.start()
    yield server
    server.stop("immediate")
    shutil.rmtree(folder)


@pytest.fixture
def postgres_store(own_postgres: PostgresServer) -> Iterator[ServerDatabase]:
    store = ServerDatabase(own_postgres.make_database())
    yield store
    store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "server.db"


@pytest.fixture
def sqlite_store(path: Path) -> Iterator[ServerDatabase]:
    store = ServerDatabase(f"sqlite:///{path}")
    yield store
    store.close()


def post_two(store: Store, name: str) -> None:
    """Write two rows that belong together."""
    with store.writing() as connection:
        post_letter(connection, name, 1, "first")
        post_letter(connection, name, 2, "second")


def count(store: Store, name: str) -> int:
    ((found,),) = store.ask("SELECT count(*) FROM inbox WHERE run = ?", (name,))
    return int(found)


class TestPostgresql:
    @pytest.mark.parametrize("mode", ["fast", "immediate"])
    def test_a_restart_between_transactions_is_not_noticed(
        self, own_postgres: PostgresServer, postgres_store: ServerDatabase, mode: str
    ) -> None:
        """Connections of the pool that are dead are replaced; also all of many at once."""
        threads = [
            threading.Thread(target=post_two, args=(postgres_store, f"{number}"))
            for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        own_postgres.stop(mode)
        own_postgres.resume()

        assert count(postgres_store, "0") == 2
        for number in range(8):
            post_two(postgres_store, "after")
            assert count(postgres_store, "after") == 2 * (number + 1)

    def test_a_restart_within_a_transaction_takes_it_back(
        self, own_postgres: PostgresServer, postgres_store: ServerDatabase
    ) -> None:
        """The caller hears of it, nothing is half done, and doing it again works."""

        def write_over_a_restart() -> None:
            with postgres_store.writing() as connection:
                post_letter(connection, "a", 1, "first")
                own_postgres.stop("immediate")
                own_postgres.resume()
                post_letter(connection, "a", 2, "second")

        with pytest.raises(DatabaseError, match="cannot be written"):
            write_over_a_restart()
        assert count(postgres_store, "a") == 0
        post_two(postgres_store, "a")
        assert count(postgres_store, "a") == 2

    def test_a_commit_that_is_cut_off_is_whole_or_nothing(
        self, own_postgres: PostgresServer, postgres_store: ServerDatabase
    ) -> None:
        """Wherever in a stream of transactions the end comes."""
        failed = threading.Event()

        def write_on(name: str) -> None:
            try:
                while True:
                    post_two(postgres_store, name)
            except DatabaseError:
                failed.set()

        writers = [threading.Thread(target=write_on, args=(name,)) for name in ("a", "b", "c")]
        for writer in writers:
            writer.start()
        assert wait_until(lambda: count(postgres_store, "a") > 10)
        own_postgres.stop("immediate")
        own_postgres.resume()
        for writer in writers:
            writer.join(PATIENCE_SECONDS)
        assert failed.is_set()
        assert not any(writer.is_alive() for writer in writers)

        for name in ("a", "b", "c"):
            assert count(postgres_store, name) % 2 == 0

    def test_a_database_that_is_away_is_named(
        self, own_postgres: PostgresServer, postgres_store: ServerDatabase
    ) -> None:
        """Soon, as what it is, and to whoever reads or writes or opens it."""
        address = own_postgres.make_database().replace("postgres@", "postgres:hunter2@")
        own_postgres.stop()
        began = time.monotonic()
        try:
            with pytest.raises(DatabaseError, match="cannot be read") as read:
                count(postgres_store, "a")
            with pytest.raises(DatabaseError, match="cannot be written"):
                post_two(postgres_store, "a")
            with pytest.raises(DatabaseError, match="cannot be opened") as opened:
                ServerDatabase(address)
            seconds = time.monotonic() - began
        finally:
            own_postgres.resume()

        assert seconds < SECONDS_TO_FAIL
        assert "hunter2" not in str(opened.value)
        assert read.value.hint == "is it running, and has it room?"
        post_two(postgres_store, "a")

    def test_one_that_stands_still_is_waited_for(
        self, own_postgres: PostgresServer, postgres_store: ServerDatabase
    ) -> None:
        """What was asked meanwhile is done when it goes on, once."""
        post_two(postgres_store, "warm")
        own_postgres.signal(signal.SIGSTOP)
        writer = threading.Thread(target=post_two, args=(postgres_store, "a"))
        try:
            writer.start()
            writer.join(3)
            assert writer.is_alive()
        finally:
            own_postgres.signal(signal.SIGCONT)
        writer.join(PATIENCE_SECONDS)

        assert count(postgres_store, "a") == 2

    def test_who_stops_within_a_transaction_loses_it(
        self, own_postgres: PostgresServer, postgres_store: ServerDatabase
    ) -> None:
        """Its locks are released, so that others go on, and it can commit nothing later."""
        post_two(postgres_store, "a")
        address = own_postgres.make_database()
        program = (
            "import sys\n"
            "from windlass.db.server_database import ServerDatabase\n"
            "store = ServerDatabase(sys.argv[1])\n"
            "with store.writing() as connection:\n"
            "    connection.execute(\"INSERT INTO group_locks VALUES ('x')\")\n"
            "    print('held', flush=True)\n"
            "    sys.stdin.readline()\n"
        )
        holder = subprocess.Popen(
            [sys.executable, "-c", program, address],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        os.kill(holder.pid, signal.SIGSTOP)
        other = ServerDatabase(address)
        with other.writing() as connection:
            connection.execute("INSERT INTO group_locks VALUES ('x')")
        os.kill(holder.pid, signal.SIGCONT)
        _, errors = holder.communicate("\n", timeout=PATIENCE_SECONDS)
        other.close()

        assert holder.returncode != 0
        assert "DatabaseError" in errors

    @pytest.mark.parametrize("adapter", ADAPTERS)
    def test_effects_survive_a_database_that_was_away(
        self, own_postgres: PostgresServer, tmp_path: Path, adapter: str
    ) -> None:
        """Every one is carried out, by the process that was there all the time."""
        servers = Servers(adapter, own_postgres.make_database(), tmp_path)
        try:
            process = servers.start("a")
            for number in range(20):
                servers.post(f"{number:02}", 0.05)
            assert wait_until(lambda: len(servers.read_ledger()) > 4)
            own_postgres.stop("immediate")
            wait_until(lambda: False, 3)
            own_postgres.resume()
            assert wait_until(servers.is_done)
            assert process.poll() is None

            ends = {it[1] for it in servers.read_ledger() if it[0] == "end"}
            assert ends == {f"{number:02}" for number in range(20)}
        finally:
            servers.close()


class TestSqlite:
    def test_a_writer_waits_for_another_process(
        self, sqlite_store: ServerDatabase, path: Path
    ) -> None:
        """Readers do not even wait."""
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        assert count(sqlite_store, "a") == 0
        assert other.in_transaction
        began = time.monotonic()
        ending = threading.Timer(1, other.execute, args=("COMMIT",))
        ending.start()
        post_two(sqlite_store, "a")
        assert time.monotonic() - began > 0.9
        ending.join()
        other.close()

        assert count(sqlite_store, "a") == 2

    def test_a_lock_that_is_held_for_too_long(
        self, monkeypatch: pytest.MonkeyPatch, path: Path
    ) -> None:
        """Nothing is written, reading goes on, and it works again afterwards."""
        monkeypatch.setattr(server_database, "BUSY_SECONDS", 0.3)
        store = ServerDatabase(f"sqlite:///{path}")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match="cannot be written: database is locked"):
            post_two(store, "a")
        assert count(store, "a") == 0
        other.execute("COMMIT")
        post_two(store, "a")
        assert count(store, "a") == 2
        other.close()
        store.close()

    def test_a_full_disk_takes_the_transaction_back(self, sqlite_store: ServerDatabase) -> None:
        """Readers go on, and writers when there is room again."""
        post_two(sqlite_store, "before")
        ((pages,),) = sqlite_store.ask("PRAGMA page_count")
        self.limit(sqlite_store, pages)

        def fill() -> None:
            with sqlite_store.writing() as connection:
                for number in range(1000):
                    post_letter(connection, "a", number, "x" * 1000)

        with pytest.raises(DatabaseError, match="database or disk is full"):
            fill()
        assert count(sqlite_store, "a") == 0
        assert count(sqlite_store, "before") == 2
        self.limit(sqlite_store, 1 << 30)
        fill()
        assert count(sqlite_store, "a") == 1000

    def limit(self, store: ServerDatabase, pages: int) -> None:
        """Have all connections of a store see a disk with room for so many pages."""

        def set_limit(connection: Any, _record: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages}")

        store._engine.dispose()
        sqlalchemy.event.listen(store._engine, "connect", set_limit)

    def test_a_file_that_is_removed_or_damaged(self, path: Path) -> None:
        """It is said of which file, and nothing is made in its place while it is used."""
        path.write_bytes(b"no database" * 1000)
        with pytest.raises(DatabaseError, match=r"server\.db cannot be opened: file is not a data"):
            ServerDatabase(f"sqlite:///{path}")
        with pytest.raises(DatabaseError, match="cannot be opened: unable to open database file"):
            ServerDatabase(f"sqlite:///{path.parent / 'missing' / 'server.db'}")

    @pytest.mark.parametrize("adapter", ADAPTERS)
    def test_effects_survive_a_lock(self, tmp_path: Path, path: Path, adapter: str) -> None:
        """Every one is carried out, after somebody has held the file for long."""
        servers = Servers(adapter, f"sqlite:///{path}", tmp_path)
        try:
            servers.start("a")
            for number in range(20):
                servers.post(f"{number:02}", 0.05)
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            wait_until(lambda: False, 3)
            other.execute("COMMIT")
            other.close()
            assert wait_until(servers.is_done)

            ends = [it[1] for it in servers.read_ledger() if it[0] == "end"]
            assert sorted(ends) == [f"{number:02}" for number in range(20)]
        finally:
            servers.close()
