"""A server's tables, taken along from every earlier version with rows in all of them."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tests.database_rows import describe, fill, read_rows

from windlass.cli.main import main
from windlass.db import lineage, server_database
from windlass.db.lineage import upgrade
from windlass.db.migrations import MIGRATIONS
from windlass.db.server_database import ServerDatabase, open_engine
from windlass.db.upgrades import migrate
from windlass.errors import PlatformError

if TYPE_CHECKING:
    from pathlib import Path

    from alembic.config import Config
    from sqlalchemy import Connection
    from tests.database_rows import Rows
    from tests.postgres import PostgresServer

NEWEST = len(MIGRATIONS)
VERSIONS = range(1, NEWEST)


def make_old(address: str, version: int) -> Rows:
    """A database of an earlier version with two rows in each table."""
    engine = open_engine(address)
    with engine.begin() as connection:
        upgrade(connection, version)
        for number in (1, 2):
            fill(connection, number)
        rows = read_rows(connection)
    engine.dispose()
    return rows


@pytest.mark.parametrize("version", VERSIONS)
def test_rows_of_every_earlier_version_are_kept(database_address: str, version: int) -> None:
    """All rows have the values they had, in tables like those of a new database."""
    before = make_old(database_address, version)
    assert all(len(rows) == 2 for rows in before.values())

    ServerDatabase(database_address).close()

    engine = open_engine(database_address)
    with engine.connect() as connection:
        after, tables = read_rows(connection), describe(connection)
    engine.dispose()
    for name, rows in before.items():
        kept = [{it: row[it] for it in rows[0]} for row in after[name]]
        assert sorted(kept, key=repr) == rows, name
    assert set(tables) >= set(before)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgraded_database_is_like_a_new_one(
    request: pytest.FixtureRequest, tmp_path: Path, database_address: str, version: int
) -> None:
    """It has the same tables, columns and indexes."""
    make_old(database_address, version)
    ServerDatabase(database_address).close()
    other = f"sqlite:///{tmp_path / 'other.db'}"
    if not database_address.startswith("sqlite"):
        other = request.getfixturevalue("postgres").make_database()
    ServerDatabase(other).close()

    found = []
    for address in (database_address, other):
        engine = open_engine(address)
        with engine.connect() as connection:
            found.append(describe(connection))
        engine.dispose()
    assert found[0] == found[1]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_dry_run_changes_nothing(database_address: str, version: int) -> None:
    """It says which steps there are, and has tried them."""
    before = make_old(database_address, version)

    tried = migrate(database_address, dry_run=True)

    assert (tried.before, tried.after) == (version, NEWEST)
    assert [step.version for step in tried.steps] == list(range(version + 1, NEWEST + 1))
    engine = open_engine(database_address)
    with engine.connect() as connection:
        assert read_rows(connection) == before
    engine.dispose()
    assert migrate(database_address, dry_run=False).before == version
    assert migrate(database_address, dry_run=False).steps == []


def test_a_machine_that_is_slow_over_it(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers that come up meanwhile wait, though nobody may stand still in other transactions."""
    configure, address = lineage._configure, postgres.make_database()

    def configure_slowly(connection: Connection) -> Config:
        connection.exec_driver_sql("SELECT 1")
        threading.Event().wait(2)
        return configure(connection)

    for limit in ("IDLE_SECONDS", "LOCK_SECONDS"):
        monkeypatch.setattr(server_database, limit, 1)
    monkeypatch.setattr(lineage, "_configure", configure_slowly)
    with ThreadPoolExecutor() as pool:
        for opened in [pool.submit(ServerDatabase, address) for _ in range(2)]:
            opened.result().close()


def test_a_migration_that_fails_leaves_everything(database_address: str) -> None:
    """The error says why, and the tables are as they were."""
    before = make_old(database_address, NEWEST - 1)
    engine = open_engine(database_address)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE deliveries (x TEXT)")

    for dry_run in (True, False):
        with pytest.raises(PlatformError, match=r"cannot be brought up to date: .*exists"):
            migrate(database_address, dry_run=dry_run)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE deliveries")
        assert read_rows(connection) == before
    engine.dispose()
    assert migrate(database_address, dry_run=False).after == NEWEST


def test_the_command_says_what_it_would_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The statements on standard output, for people or as JSON."""
    make_old(f"sqlite:///{tmp_path / 'windlass.db'}", 3)

    assert main(["migrate", "--data", str(tmp_path), "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("-- to version 4\nALTER TABLE caches ADD COLUMN places TEXT;\n-- to ver")
    assert err == f"windlass: the tables are of the version 3, and can be taken to {NEWEST}\n"

    assert main(["migrate", "--data", str(tmp_path), "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["before"], done["after"], done["dry_run"]) == (3, NEWEST, False)
    assert main(["migrate", "--data", str(tmp_path)]) == 0
    assert "there is nothing to do" in capsys.readouterr().err
    assert main(["migrate", "--data", str(tmp_path / "missing")]) == 2
