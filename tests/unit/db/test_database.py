"""The database of local history: transactions, versions, damage, several processes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.journals import attempt_row

from windlass.db.database import DamagedDatabaseError, Database, open_database
from windlass.db.migrations import MIGRATIONS
from windlass.db.run_events import add_entries, count_entries, read_entries
from windlass.db.runs import (
    enter_attempt,
    finish_attempt,
    list_attempts,
    list_ids,
    list_latest,
    next_number,
    remove_run,
)
from windlass.errors import PlatformError
from windlass.model.status import Result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "history.db")
    yield opened
    opened.close()


def say_nothing(message: str) -> None:
    raise AssertionError(message)


class TestOpening:
    def test_a_new_file_has_all_tables(self, database: Database) -> None:
        """The version is the number of migrations, and the log of writes lies beside the file."""
        assert database.is_new
        assert database.ask("PRAGMA user_version") == [(len(MIGRATIONS),)]
        assert database.ask("PRAGMA journal_mode") == [("wal",)]
        assert database.ask("PRAGMA foreign_keys") == [(1,)]

    def test_an_older_file_is_brought_up_to_date(self, tmp_path: Path) -> None:
        """A file without tables gets those that are missing; opened again, it is not new."""
        path = tmp_path / "history.db"
        sqlite3.connect(path).close()
        Database(path).close()

        again = Database(path)

        assert not again.is_new
        assert list_latest(again) == []
        again.close()

    def test_a_file_of_a_newer_version_is_refused(self, tmp_path: Path) -> None:
        """It is neither changed nor moved: the newer Windlass can go on with it."""
        path = tmp_path / "history.db"
        Database(path).close()
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()

        with pytest.raises(PlatformError, match="newer Windlass: its version is 99") as caught:
            open_database(path, say_nothing)

        assert not isinstance(caught.value, DamagedDatabaseError)
        assert [file.name for file in tmp_path.glob("*.damaged*")] == []

    @pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + b"x" * 5000])
    def test_a_damaged_file_is_moved_aside(self, tmp_path: Path, content: bytes) -> None:
        """History begins anew, somebody is told, and what was there is kept beside it."""
        path = tmp_path / "history.db"
        path.write_bytes(content)
        told: list[str] = []

        database = open_database(path, told.append)

        assert list_latest(database) == []
        assert (tmp_path / "history.db.damaged-1").read_bytes() == content
        assert "it was moved to" in told[0]
        database.close()

    def test_a_folder_that_is_missing_is_an_error(self, tmp_path: Path) -> None:
        """Whatever SQLite says comes as an error of the platform that names the file."""
        with pytest.raises(PlatformError, match=r"none/history\.db cannot be opened"):
            Database(tmp_path / "none" / "history.db")

    def test_a_file_that_goes_away_is_noticed(self, database: Database) -> None:
        """A removed file, and another one in its place, are not the one that was opened."""
        assert database.is_in_place
        database.path.unlink()
        assert not database.is_in_place
        database.path.write_bytes(b"")
        assert not database.is_in_place

    def test_a_file_that_went_away_is_opened_again(self, database: Database) -> None:
        """All who hold the database go on with the new file."""
        told: list[str] = []
        database.path.unlink()

        database.renew(told.append)

        assert database.is_in_place
        assert database.ask("SELECT count(*) FROM runs") == [(0,)]
        assert told == []


class TestWriting:
    def test_what_raises_is_taken_back(self, database: Database) -> None:
        """A transaction is kept whole or not at all."""

        def write_and_stop() -> None:
            with database.writing() as connection:
                enter_attempt(connection, attempt_row())
                raise KeyError("stop")

        with pytest.raises(KeyError):
            write_and_stop()

        assert list_latest(database) == []

    def test_a_full_disk_is_an_error_that_says_so(self, database: Database) -> None:
        """Nothing is half written."""
        (pages,) = database.ask("PRAGMA page_count")[0]
        database.ask(f"PRAGMA max_page_count = {pages}")

        with (
            pytest.raises(PlatformError, match="cannot be written: No space left on device"),
            database.writing() as connection,
        ):
            enter_attempt(connection, attempt_row(workflow="x" * 100_000))

        assert list_latest(database) == []

    def test_processes_take_turns(self, tmp_path: Path) -> None:
        """Several processes open one new file and write to it at once; nothing is lost."""
        program = (
            "import sys\n"
            "from pathlib import Path\n"
            "from windlass.db.database import Database\n"
            "from windlass.db.runs import enter_attempt\n"
            "from tests.journals import attempt_row\n"
            "for number in range(20):\n"
            "    database = Database(Path(sys.argv[1]))\n"
            "    with database.writing() as connection:\n"
            "        enter_attempt(connection, attempt_row(f'{sys.argv[2]}{number}'))\n"
            "    database.close()\n"
        )
        path = tmp_path / "history.db"
        writers = [
            subprocess.Popen([sys.executable, "-c", program, str(path), str(number)])
            for number in range(1, 4)
        ]

        assert [writer.wait(300) for writer in writers] == [0, 0, 0]
        database = Database(path)
        assert len(list_latest(database)) == 60
        database.close()


class TestRuns:
    def test_runs_come_newest_first_with_their_last_attempt(self, database: Database) -> None:
        """A run is listed once, with what is known of its latest attempt."""
        with database.writing() as connection:
            for row in (attempt_row("1"), attempt_row("2"), attempt_row("1", 2)):
                enter_attempt(connection, row)
            finish_attempt(connection, "1", 1, 9.0, Result.FAILURE)

        assert [(row.run.id, row.attempt) for row in list_latest(database)] == [("2", 1), ("1", 2)]
        assert [row.run.id for row in list_latest(database, 1)] == ["2"]
        assert list_ids(database) == ["2", "1"]
        first, second = list_attempts(database, "1")
        assert (first.finished, first.result) == (9.0, Result.FAILURE)
        assert (second.finished, second.result) == (None, None)
        assert list_attempts(database, "3") == []

    def test_entering_again_changes_nothing(self, database: Database) -> None:
        """An attempt that has ended is not begun anew by being entered once more."""
        with database.writing() as connection:
            enter_attempt(connection, attempt_row())
            finish_attempt(connection, "1", 1, 9.0, Result.SUCCESS)
            enter_attempt(connection, attempt_row())

        assert list_latest(database)[0].result is Result.SUCCESS

    def test_numbers_count_the_runs_of_a_workflow(self, database: Database) -> None:
        """Every workflow file counts its own runs, from 1."""
        with database.writing() as connection:
            assert next_number(connection, "ci.yml") == 1
            enter_attempt(connection, attempt_row())
            assert next_number(connection, "ci.yml") == 2
            assert next_number(connection, "other.yml") == 1

    def test_a_removed_run_takes_its_journal_along(self, database: Database) -> None:
        """Nothing of a run that was removed is left, and nothing of another one goes."""
        with database.writing() as connection:
            for run in ("1", "2"):
                enter_attempt(connection, attempt_row(run))
                add_entries(connection, run, 1, 0, [("a", "b"), ("c", "d")])
            remove_run(connection, "1")
            assert count_entries(connection, "1", 1) == 0

        assert read_entries(database, "1", 1) == []
        assert read_entries(database, "2", 1) == [("a", "b"), ("c", "d")]
        assert list_ids(database) == ["2"]
