"""A backup: one compressed archive, whose last member says what all others have to be.

    tables/NAME.jsonl   the rows of a table, one JSON array a line
    files/…             files of the server's folder
    manifest.json       format, versions, columns, and of each member its size and SHA-256

It is written beside its place and moved there when it is whole, for its owner alone to read. It is
read from front to end: nothing of it is taken before all of it has been compared with its manifest.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import secrets
import stat
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Final

from windlass.errors import InputError, PlatformError
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
TABLES: Final = "tables/"
FILES: Final = "files/"
_BLOCK: Final = 1 << 20
_IN_MEMORY: Final = 8 << 20


class BackupWriter:
    """Adds members to an archive; see `writing_backup`."""

    def __init__(self, archive: tarfile.TarFile, folder: Path) -> None:
        self._archive = archive
        self._folder = folder
        self.members: dict[str, dict[str, Any]] = {}
        """Size and digest of what was added, by its name in the archive."""

    def add_lines(self, name: str, lines: Iterable[str]) -> int:
        """Add lines as a member, and return how many those were."""
        count = 0
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(self._folder)) as file:
            for line in lines:
                file.write(line.encode())
                count += 1
            size = file.tell()
            file.seek(0)
            self._add(name, file, size, mode=0o600)
        return count

    def add_file(self, name: str, path: Path) -> None:
        """Add a file as long as it is now; what is no file, or is gone by now, is passed over."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return
        with os.fdopen(handle, "rb") as file:
            facts = os.fstat(handle)
            if stat.S_ISREG(facts.st_mode):
                self._add(name, file, facts.st_size, mode=facts.st_mode & 0o777)

    def finish(self, about: Mapping[str, Any]) -> None:
        """Add the manifest, with what there is to say of the whole."""
        text = json.dumps({"format": FORMAT, **about, "members": self.members}, indent=1).encode()
        self._add(MANIFEST, io.BytesIO(text), len(text), mode=0o600)

    def _add(self, name: str, file: Any, size: int, *, mode: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, mode
        digesting = _Digesting(file)
        self._archive.addfile(member, digesting)  # type: ignore[arg-type]
        self.members[name] = {"size": size, "sha256": digesting.digest.hexdigest()}


@contextlib.contextmanager
def writing_backup(path: Path) -> Iterator[BackupWriter]:
    """Write a backup; where that fails nothing is left.

    Raises:
        InputError: there is something at that place.
        PlatformError: it cannot be written.
    """
    import zstandard

    if path.exists():
        raise InputError(f"{path} is there already", hint="give the backup another name")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            with (
                zstandard.ZstdCompressor(level=3, write_checksum=True).stream_writer(
                    file, closefd=False
                ) as packed,
                tarfile.open(fileobj=packed, mode="w|") as archive,
            ):
                yield BackupWriter(archive, path.parent)
            file.flush()
            os.fsync(handle)
        draft.rename(path)
    except OSError as error:
        raise PlatformError(
            f"{path}: the backup cannot be written: {error.strerror or error}",
            hint="has the disk room?",
        ) from error
    finally:
        draft.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that is whole; `about` is its manifest without the members."""

    path: Path
    about: Mapping[str, Any]
    members: Mapping[str, Mapping[str, Any]]

    def read(self) -> Iterator[tuple[str, int, IO[bytes]]]:
        """Yield name, mode and contents of each member but the manifest, in their order.

        Raises:
            InputError: it is another file than the one that was checked.
        """
        with _explained(self.path):
            for member, file in _read_members(self.path):
                if member.name != MANIFEST:
                    if member.name not in self.members:
                        raise InputError(f"{self.path} was changed while it was read")
                    yield member.name, member.mode & 0o777, file


def open_backup(path: Path) -> Backup:
    """Read all of a backup, compare it with its manifest, and return it.

    Raises:
        InputError: it is no backup, was damaged, or is of a newer Windlass.
    """
    found: dict[str, dict[str, Any]] = {}
    text = b""
    with _explained(path):
        for member, file in _read_members(path):
            if text:
                raise InputError(f"{path}: the backup goes on behind its manifest")
            _check_name(path, member)
            if member.name == MANIFEST:
                text = file.read()
                continue
            digest = hashlib.sha256()
            while block := file.read(_BLOCK):
                digest.update(block)
            found[member.name] = {"size": member.size, "sha256": digest.hexdigest()}
    return _compare(path, text, found)


def _compare(path: Path, text: bytes, found: Mapping[str, Any]) -> Backup:
    try:
        about = json.loads(text)
        members = about.pop("members")
    except (ValueError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: the backup is not whole: it has no manifest") from error
    if about.get("format") != FORMAT:
        raise InputError(
            f"{path}: the backup has the format {about.get('format')}, and this Windlass reads "
            f"{FORMAT}",
            hint="use the Windlass that has written it",
        )
    if wrong := sorted(name for name in {*members, *found} if members.get(name) != found.get(name)):
        raise InputError(
            f"{path}: the backup was damaged: {wrong[0]} is not as it was",
            hint="use another backup",
        )
    return Backup(path, about, members)


def _read_members(path: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    import zstandard

    with (
        path.open("rb") as packed,
        zstandard.ZstdDecompressor().stream_reader(packed) as unpacked,
        tarfile.open(fileobj=unpacked, mode="r|") as archive,
    ):
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            if file is None:
                raise InputError(f"{path}: the backup holds something that is no file")
            yield member, file
        # What is cut off at the end of a member is noticed by now; the checksum, only at the end.
        while unpacked.read(_BLOCK):
            pass


def _check_name(path: Path, member: tarfile.TarInfo) -> None:
    """Refuse a member that would lead out of the folder it is written to."""
    name = PurePosixPath(member.name)
    known = member.name == MANIFEST or member.name.startswith((TABLES, FILES))
    if not known or ".." in name.parts or str(name) != member.name:
        raise InputError(f"{path}: the backup holds {member.name!r}, which has no place in one")


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    import zstandard

    try:
        yield
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise InputError(
            f"{path} is no backup, or was damaged: {error}", hint="use another backup"
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


class _Digesting:
    """A file that is digested as it is read."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        block: bytes = self._file.read(size)
        self.digest.update(block)
        return block
