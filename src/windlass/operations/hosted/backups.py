"""Backups of a server: its database and what its folder keeps, taken while it runs.

The database is read first, at one moment, and files afterwards: a blob is there before a row needs
it, and logs only grow. Left out is what can be made again (checkouts, DBOS's own tables: effects
that are still to be done are rows of ours), what opens doors (the first access token), and, unless
it is asked for, the keys: without them nobody reads the secrets that a backup holds sealed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING, Any, Final

from windlass import __version__
from windlass.db.contents import Table, reading, writing_anew
from windlass.db.migrations import MIGRATIONS
from windlass.errors import ConflictError, InputError, PlatformError
from windlass.events.mirrors import find_mirrors, keeping_objects
from windlass.listings import find_paths
from windlass.model.values import dataclass
from windlass.secrets.sealing import KEY_FILE
from windlass.stores.backup_files import FILES, TABLES, open_backup, writing_backup
from windlass.stores.blobs import BlobStore
from windlass.stores.state_folder import BLOBS, IDENTITY, RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

    from windlass.stores.backup_files import Backup, BackupWriter

_SUFFIX: Final = ".jsonl"
_BLOBS: Final = "[0-9a-f][0-9a-f]"
_KEYS: Final = (KEY_FILE, "services.key")
_KEPT: Final = ("lock",)
_LAST: Final = "objects"
"""Git's objects: copied behind the refs that need them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much a backup holds; `version` is that of its tables, `bytes` those of its file."""

    version: int
    rows: int
    files: int
    bytes: int
    keys: bool


def make_backup(data: Path, database: str, path: Path, *, now: float, keys: bool) -> Extent:
    """Write a backup of a server that has its files in `data` and `database` as its database.

    Raises:
        InputError: there is something at `path`, or no server has been at the others.
        PlatformError: something cannot be read or written; then nothing is left.
    """
    rows = {}
    with reading(database) as contents:
        if not contents.tables:
            raise InputError(
                f"there is no server's database in {data}", hint="give its folder with --data DIR"
            )
        with writing_backup(path) as backup, _keeping_blobs(data / BLOBS):
            for table in contents.tables:
                rows[table.name] = backup.add_lines(
                    f"{TABLES}{table.name}{_SUFFIX}", contents.read(table)
                )
            files = _add_files(backup, data, keys=keys)
            tables = {table.name: list(table.columns) for table in contents.tables}
            backup.finish(
                {
                    "windlass": __version__,
                    "version": contents.version,
                    "created": now,
                    "keys": keys,
                    "tables": tables,
                    "rows": rows,
                }
            )
        version = contents.version
    return Extent(
        version=version,
        rows=sum(rows.values()),
        files=files,
        bytes=path.stat().st_size,
        keys=keys,
    )


def restore_backup(path: Path, data: Path, database: str) -> Extent:
    """Put back what a backup holds, into a folder and a database that are empty.

    The folder has to be there. Where it fails both are empty again.

    Raises:
        InputError: it is no backup, was damaged, or is of a newer Windlass.
        ConflictError: folder or database are not empty.
        PlatformError: something cannot be written.
    """
    backup = open_backup(path)
    _check_version(backup)
    if found := [it.name for it in data.iterdir() if it.name not in _KEPT]:
        raise ConflictError(
            f"{data} is not empty: it holds '{min(found)}'", hint="give a new folder"
        )
    rows = files = 0
    with _emptied_on_failure(data), writing_anew(database, backup.about["version"]) as writer:
        for name, mode, file in backup.read():
            if name.startswith(TABLES):
                table = name.removeprefix(TABLES).removesuffix(_SUFFIX)
                columns = tuple(backup.about["tables"][table])
                rows += writer.write(Table(table, columns), _read_lines(file))
            else:
                _write_file(data / name.removeprefix(FILES), mode, file)
                files += 1
    return Extent(
        version=backup.about["version"],
        rows=rows,
        files=files,
        bytes=path.stat().st_size,
        keys=backup.about["keys"],
    )


def _check_version(backup: Backup) -> None:
    version = backup.about.get("version")
    if not isinstance(version, int) or not 0 < version <= len(MIGRATIONS):
        raise InputError(
            f"{backup.path}: the tables of the backup are of the version {version}, and this "
            f"Windlass knows {len(MIGRATIONS)}",
            hint="use the Windlass that has written it",
        )


def _add_files(backup: BackupWriter, data: Path, *, keys: bool) -> int:
    before = len(backup.members)
    folders = [data / RUNS, *find_paths(data / BLOBS, _BLOBS)]
    if keys:
        folders.append(data / IDENTITY)
        for name in _KEYS:
            backup.add_file(f"{FILES}{name}", data / name)
    for folder in folders:
        _add_folder(backup, data, folder)
    for mirror in find_paths(find_mirrors(data).folder, "*.git"):
        with keeping_objects(mirror):
            _add_folder(backup, data, mirror)
    return len(backup.members) - before


def _add_folder(backup: BackupWriter, data: Path, folder: Path) -> None:
    for path in _walk(folder):
        backup.add_file(f"{FILES}{path.relative_to(data)}", path)


@contextlib.contextmanager
def _keeping_blobs(folder: Path) -> Iterator[None]:
    """Let no blob be removed that rows needed when they were read."""
    if folder.is_dir():
        with BlobStore(folder, outlives=True).keeping():
            yield
    else:
        yield


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that may change meanwhile, Git's objects last."""
    try:
        entries = sorted(os.scandir(folder), key=lambda it: (it.name == _LAST, it.name))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name)
        elif entry.is_file(follow_symlinks=False):
            yield folder / entry.name


def _read_lines(file: IO[bytes]) -> Iterator[str]:
    for line in file:
        yield line.decode()


def _write_file(path: Path, mode: int, file: IO[bytes]) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode & 0o755)
        with os.fdopen(number, "wb") as copy:
            shutil.copyfileobj(file, copy)
            copy.flush()
            os.fsync(number)
    except OSError as error:
        raise PlatformError(f"{path} cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def _emptied_on_failure(data: Path) -> Iterator[None]:
    """Remove what has come into an empty folder when that has failed."""
    try:
        yield
    except BaseException:
        for entry in data.iterdir():
            if entry.name in _KEPT:
                continue
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
        raise


def describe(extent: Extent) -> dict[str, Any]:
    """Return how much a backup holds, for programs."""
    return {
        "version": extent.version,
        "rows": extent.rows,
        "files": extent.files,
        "bytes": extent.bytes,
        "keys": extent.keys,
    }
