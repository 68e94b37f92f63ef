"""Backups: taken while a server writes, whole or refused, put back into either database."""

from __future__ import annotations

import fcntl
import io
import json
import os
import stat
import tarfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard
from tests.database_rows import fill, read_rows

from windlass.cli.main import main
from windlass.db.lineage import upgrade
from windlass.db.migrations import MIGRATIONS
from windlass.db.server_database import ServerDatabase, open_engine
from windlass.errors import ConflictError, InputError, PlatformError
from windlass.git.kept_repositories import LOCK
from windlass.operations.hosted.backups import make_backup, restore_backup
from windlass.stores.backup_files import FILES, BackupWriter, writing_backup

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.database_rows import Rows

NOW = 1_700_000_000.0
LOG = b"line\n" * 40_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A server's folder with one file of each kind."""
    folder = tmp_path / "data"
    contents = {
        "runs/1/1/jobs/1/log": LOG,
        "blobs/ab/abcd/0": b"\0\1\2" * 1000,
        "blobs/staged/x/0": b"half",
        "blobs/lock": b"",
        "mirrors/1.git/HEAD": b"ref: refs/heads/main\n",
        "mirrors/1.git/objects/ab/cd": b"object",
        "mirrors/1.git/refs/heads/main": b"f" * 40,
        "identity/key.pem": b"private",
        "services.key": b"private",
        "key": b"private",
        "token": b"wlt_private",
        "runner/credential": b"wlr_private",
        "effects.db": b"of DBOS",
        "lock": b"",
    }
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    os.mkfifo(folder / "runs/1/1/control")
    (folder / "runs/1/1/jobs/1/link").symlink_to("/etc/passwd")
    return folder


@pytest.fixture
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes the address of an empty database of one kind."""
    count = iter(range(100))

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / f'made{next(count)}.db'}"
        made: str = request.getfixturevalue("postgres").make_database()
        return made

    return make


def fill_database(address: str, version: int = len(MIGRATIONS)) -> Rows:
    engine = open_engine(address)
    with engine.begin() as connection:
        upgrade(connection, version)
        for number in range(1, 4):
            fill(connection, number)
        rows = read_rows(connection)
    engine.dispose()
    return rows


def read_database(address: str) -> Rows:
    engine = open_engine(address)
    with engine.connect() as connection:
        rows = read_rows(connection)
    engine.dispose()
    return rows


def list_files(folder: Path) -> list[str]:
    return sorted(str(it.relative_to(folder)) for it in folder.rglob("*") if not it.is_dir())


def make_empty(tmp_path: Path, name: str = "restored") -> Path:
    (tmp_path / name).mkdir()
    return tmp_path / name


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
@pytest.mark.parametrize("source", ["sqlite", "postgresql"])
def test_what_is_restored_is_what_was_there(
    source: str,
    target: str,
    data: Path,
    tmp_path: Path,
    make_database: Callable[[str], str],
) -> None:
    """All rows, and what the folder keeps; not what opens doors, and nothing half done."""
    address, path = make_database(source), tmp_path / "boat.tar.zst"
    rows = fill_database(address)
    made = make_backup(data, address, path, now=NOW, keys=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [it.name for it in tmp_path.iterdir() if it.name.startswith(".")] == []

    folder, new = make_empty(tmp_path), make_database(target)
    restored = restore_backup(path, folder, new)

    del rows["servers"]
    found = read_database(new)
    assert found.pop("servers") == []
    assert found == rows
    assert list_files(folder) == [
        "blobs/ab/abcd/0",
        "mirrors/1.git/HEAD",
        "mirrors/1.git/objects/ab/cd",
        "mirrors/1.git/refs/heads/main",
        "runs/1/1/jobs/1/log",
    ]
    assert (folder / "runs/1/1/jobs/1/log").read_bytes() == LOG
    assert (restored.rows, restored.files) == (made.rows, made.files)
    assert made.rows == sum(map(len, rows.values()))


def test_a_restored_postgresql_goes_on_counting(
    data: Path, tmp_path: Path, make_database: Callable[[str], str]
) -> None:
    """What the database numbers by itself gets numbers that are free."""
    address, new, path = make_database("sqlite"), make_database("postgresql"), tmp_path / "b"
    fill_database(address)
    make_backup(data, address, path, now=NOW, keys=False)
    restore_backup(path, make_empty(tmp_path), new)

    store = ServerDatabase(new)
    with store.writing() as connection:
        connection.execute(
            "INSERT INTO caches (scope, version, cache_key, created, used, size) "
            "VALUES ('s', 'v', 'k', 1, 1, 1)"
        )
    assert store.ask("SELECT max(id) FROM caches") == [(4,)]
    store.close()


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_backup_of_an_earlier_version(
    data: Path, tmp_path: Path, make_database: Callable[[str], str], version: int
) -> None:
    """Its rows are taken along to the newest tables."""
    address, path = make_database("sqlite"), tmp_path / "boat.tar.zst"
    rows = fill_database(address, version)
    make_backup(data, address, path, now=NOW, keys=False)
    new = make_database("sqlite")
    assert restore_backup(path, make_empty(tmp_path), new).version == version

    found = read_database(new)
    for name, before in rows.items():
        assert [{it: row[it] for it in before[0]} for row in found[name]] == before
    ServerDatabase(new).close()


def test_keys_come_along_where_they_are_asked_for(
    data: Path, tmp_path: Path, make_database: Callable[[str], str]
) -> None:
    """Never the tokens of the server and its runner."""
    address, path = make_database("sqlite"), tmp_path / "boat.tar.zst"
    fill_database(address)
    (data / "key").chmod(0o600)
    make_backup(data, address, path, now=NOW, keys=True)
    folder = make_empty(tmp_path)
    assert restore_backup(path, folder, make_database("sqlite")).keys

    assert [it for it in list_files(folder) if "key" in it] == [
        "identity/key.pem",
        "key",
        "services.key",
    ]
    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600


def test_a_backup_is_of_one_moment(
    data: Path, tmp_path: Path, database_address: str, make_database: Callable[[str], str]
) -> None:
    """While a server writes two rows in each transaction, a backup has both of each or none."""
    store = ServerDatabase(database_address)
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            with store.writing() as connection:
                for table in ("a", "b"):
                    connection.execute(
                        "INSERT INTO inbox VALUES (?, ?, 1, '')", (f"{table}{number:06}", table)
                    )
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            path = tmp_path / f"{number}.tar.zst"
            make_backup(data, database_address, path, now=NOW, keys=False)
            new = make_database("sqlite")
            restore_backup(path, make_empty(tmp_path, f"restored{number}"), new)
            letters = read_database(new)["inbox"]
            assert {it["ticket"][1:] for it in letters if it["run"] == "a"} == {
                it["ticket"][1:] for it in letters if it["run"] == "b"
            }
    finally:
        ended.set()
        writer.join()
        store.close()
    assert letters


def test_nobody_packs_a_mirror_that_is_copied(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pack that was listed is there until it is in the backup."""
    lock = data / "mirrors/1.git" / LOCK
    lock.touch()
    copied = []
    add = BackupWriter.add_file

    def add_and_look(self: BackupWriter, name: str, path: Path) -> None:
        if "1.git" in name:
            with lock.open() as other, pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            copied.append(path.name)
        add(self, name, path)

    monkeypatch.setattr(BackupWriter, "add_file", add_and_look)
    address = f"sqlite:///{tmp_path / 'a.db'}"
    ServerDatabase(address).close()

    make_backup(data, address, tmp_path / "backup", now=NOW, keys=False)

    assert copied == ["HEAD", "main", LOCK, "cd"]
    with lock.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_is_not_empty_is_refused(
    data: Path, tmp_path: Path, database_address: str, make_database: Callable[[str], str]
) -> None:
    """Neither a folder nor a database is written over, and neither is touched."""
    path, full = tmp_path / "boat.tar.zst", make_database("sqlite")
    rows = fill_database(full)
    make_backup(data, full, path, now=NOW, keys=False)
    before = fill_database(database_address)

    with pytest.raises(ConflictError, match=r"data is not empty: it holds 'blobs'"):
        restore_backup(path, data, make_database("sqlite"))
    folder = make_empty(tmp_path)
    with pytest.raises(ConflictError, match=r"the database .* is not empty"):
        restore_backup(path, folder, database_address)

    assert read_database(database_address) == before
    assert read_database(full) == rows
    assert list_files(folder) == []
    with pytest.raises(InputError, match="is there already"):
        make_backup(data, full, path, now=NOW, keys=False)


def unpack(content: bytes) -> bytes | None:
    """Return what was compressed; None where that cannot be told any more."""
    try:
        return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content)).read()
    except zstandard.ZstdError:
        return None


def test_damage_is_noticed_before_anything_is_written(
    data: Path, tmp_path: Path, make_database: Callable[[str], str]
) -> None:
    """Whichever byte of a backup is another one, or wherever it is cut off.

    A byte in a few thousand may be another one without changing what is unpacked.
    """
    address, path = make_database("sqlite"), tmp_path / "boat.tar.zst"
    fill_database(address)
    make_backup(data, address, path, now=NOW, keys=False)
    whole = path.read_bytes()
    folder = make_empty(tmp_path)
    broken = tmp_path / "broken"
    places = range(0, len(whole), max(1, len(whole) // 60))
    changed = (whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in places)
    damaged = [it for it in changed if unpack(it) != unpack(whole)]
    assert len(damaged) > 50
    # The last four bytes are a checksum of the compression's: digests say more.
    cut = [whole[:at] for at in places if at < len(whole) - 4]
    for content in (*damaged, *cut, b"no backup"):
        broken.write_bytes(content)
        with pytest.raises(InputError, match="broken"):
            restore_backup(broken, folder, f"sqlite:///{folder / 'windlass.db'}")
        assert list_files(folder) == []


@pytest.mark.parametrize(
    "name", ["files/../../out", "/files/x", "../x", "files//x", "other/x", "files/./x"]
)
def test_members_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    """Nobody writes outside of the folder by a backup."""
    path = tmp_path / "evil.tar.zst"
    with writing_backup(path) as backup:
        backup.add_lines(name, ["x\n"])
        backup.finish({"version": 1, "tables": {}, "rows": {}, "keys": False})

    with pytest.raises(InputError, match="has no place in one"):
        restore_backup(path, make_empty(tmp_path), f"sqlite:///{tmp_path / 'new.db'}")
    assert not (tmp_path / "new.db").exists()


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    """A backup holds files alone."""
    path = tmp_path / "evil.tar.zst"
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        member = tarfile.TarInfo("files/key")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    path.write_bytes(zstandard.compress(raw.getvalue()))

    with pytest.raises(InputError, match="something that is no file"):
        restore_backup(path, make_empty(tmp_path), f"sqlite:///{tmp_path / 'new.db'}")


def test_backups_of_the_future_are_refused(tmp_path: Path) -> None:
    """By their format, and by the version of their tables."""
    for number, about in enumerate(({"version": 9999}, {"version": 1, "format": 2}, {})):
        path = tmp_path / f"{number}.tar.zst"
        with writing_backup(path) as backup:
            backup.finish({"tables": {}, "rows": {}, "keys": False, **about})
        with pytest.raises(InputError, match=r"the version (9999|None)|has the format 2"):
            restore_backup(path, tmp_path, f"sqlite:///{tmp_path / 'new.db'}")


def test_a_failure_in_the_middle_leaves_nothing(
    data: Path, tmp_path: Path, database_address: str, make_database: Callable[[str], str]
) -> None:
    """Folder and database are empty again."""
    address, path = make_database("sqlite"), tmp_path / "boat.tar.zst"
    fill_database(address)
    engine = open_engine(address)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE zebra (x TEXT)")
    engine.dispose()
    make_backup(data, address, path, now=NOW, keys=False)
    folder = make_empty(tmp_path)

    with pytest.raises(InputError, match="a table 'zebra' that is not known"):
        restore_backup(path, folder, database_address)
    assert list_files(folder) == []
    assert read_database(database_address) == {}


def test_a_backup_that_cannot_be_written_leaves_nothing(
    data: Path, tmp_path: Path, make_database: Callable[[str], str]
) -> None:
    """The error names the file."""
    address = make_database("sqlite")
    fill_database(address)

    with pytest.raises(PlatformError, match="missing/b: the backup cannot be written"):
        make_backup(data, address, tmp_path / "missing/b", now=NOW, keys=False)
    with (
        pytest.raises(PlatformError, match="cannot be written"),
        writing_backup(tmp_path / "b") as backup,
    ):
        backup.add_file(f"{FILES}x", find_file_that_ends_early())
    assert sorted(it.name for it in tmp_path.iterdir()) == ["data", "made0.db"]


def find_file_that_ends_early() -> Path:
    """A file of which less can be read than its size says."""
    files = (it for it in Path("/sys/kernel/mm").rglob("*") if it.is_file())
    found = next(it for it in files if os.access(it, os.R_OK))
    assert found.stat().st_size > len(found.read_bytes())
    return found


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str], data: Path) -> None:
    """They find folder and database as `windlass up` does."""
    fill_database(f"sqlite:///{data / 'windlass.db'}")
    path, folder = tmp_path / "boat.tar.zst", tmp_path / "new"

    assert main(["backup", str(path), "--data", str(data)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{path}: ")
    assert "the keys are not in it" in err
    assert main(["restore", str(path), "--data", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == str(folder)
    assert list_latest_ids(folder) == ["1", "2", "3"]

    assert main(["restore", str(path), "--data", str(folder)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main(["backup", str(tmp_path / "x"), "--data", str(tmp_path / "missing")]) == 2
    empty = make_empty(tmp_path, "empty")
    assert main(["backup", str(tmp_path / "x"), "--data", str(empty)]) == 2
    assert f"there is no file {empty / 'windlass.db'}" in capsys.readouterr().err
    assert list_files(empty) == []


def list_latest_ids(folder: Path) -> list[str]:
    return sorted(row["id"] for row in read_database(f"sqlite:///{folder / 'windlass.db'}")["runs"])
