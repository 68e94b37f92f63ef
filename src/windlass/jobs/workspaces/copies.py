"""Serves a base by copying it: by sharing blocks where the disk can, byte by byte elsewhere.

Git's index says what there is to copy, so that no folder is searched and no file asked for its
mode. Hard links are never used: a step could write through them.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING, Final

from windlass.git.index import LINK, PROGRAM, SUBMODULE, GitIndex
from windlass.jobs.workspaces.removal import remove_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from windlass.git.index import IndexEntry
    from windlass.jobs.workspaces.bases import Base, Part

FICLONE: Final = 0x40049409
"""Share a whole file's blocks with another file: ioctl_ficlone(2)."""

_READ: Final = os.O_RDONLY | os.O_CLOEXEC
_FOLDER: Final = _READ | os.O_DIRECTORY
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_WHOLE: Final = 1 << 30

Facts = dict[bytes, os.stat_result]
"""By name, what the system says of a file."""


def copy_base(base: Base, folder: Path, *, wide: bool) -> list[Facts]:
    """Copy a base into a folder, over what is there; return the facts of the copies, by part.

    Raises:
        OSError: something cannot be written.
    """
    copier = _Copier()
    return [
        copier.copy(base.files / part.prefix, folder / part.prefix, _entries(part, wide=wide))
        for part in base.parts
    ]


def put_facts(index: bytes, facts: Mapping[bytes, os.stat_result], *, wide: bool) -> bytes:
    """Return an index with the facts of these files, where they are what the index says.

    Raises:
        GitError: the index cannot be read.
    """
    result = GitIndex(index, wide=wide)
    for entry in result.entries():
        if entry.is_known and entry.name in facts:
            result.put_facts(entry, facts[entry.name])
    return result.to_bytes()


def _entries(part: Part, *, wide: bool) -> Iterable[IndexEntry]:
    entries = GitIndex(part.index.read_bytes(), wide=wide).entries()
    return (entry for entry in entries if not entry.is_absent)


class _Copier:
    """Copies files one after the other; learns whether the disk can share blocks."""

    def __init__(self) -> None:
        self._shares = True

    def copy(self, source: Path, target: Path, entries: Iterable[IndexEntry]) -> Facts:
        target.mkdir(parents=True, exist_ok=True)
        facts: Facts = {}
        folder: bytes | None = None
        with contextlib.ExitStack() as opened:
            top = _open(source, opened), _open(target, opened)
            here = top
            made: set[bytes] = set()
            inner = opened.enter_context(contextlib.ExitStack())
            for entry in entries:
                above, _, name = entry.name.rpartition(b"/")
                if above != folder:
                    inner.close()
                    here = _enter(top, above, made, inner, target) if above else top
                    folder = above
                facts[entry.name] = self._put(entry, name, here, target)
        return facts

    def _put(
        self, entry: IndexEntry, name: bytes, folders: tuple[int, int], target: Path
    ) -> os.stat_result:
        try:
            return self._make(entry, name, folders)
        except FileExistsError:
            remove_entry(target / os.fsdecode(entry.name))
            return self._make(entry, name, folders)

    def _make(self, entry: IndexEntry, name: bytes, folders: tuple[int, int]) -> os.stat_result:
        source, target = folders
        if entry.mode == LINK:
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
            return os.stat(name, dir_fd=target, follow_symlinks=False)
        if entry.mode == SUBMODULE:
            os.mkdir(name, dir_fd=target)
            return os.stat(name, dir_fd=target)
        mode = 0o777 if entry.mode == PROGRAM else 0o666
        reader = os.open(name, _READ, dir_fd=source)
        try:
            writer = os.open(name, _NEW, mode, dir_fd=target)
            try:
                if not (self._shares and self._share(reader, writer)):
                    while os.sendfile(writer, reader, None, _WHOLE):
                        pass
                return os.fstat(writer)
            finally:
                os.close(writer)
        finally:
            os.close(reader)

    def _share(self, reader: int, writer: int) -> bool:
        try:
            fcntl.ioctl(writer, FICLONE, reader)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise
            self._shares = False
        return self._shares


def _open(folder: Path, opened: contextlib.ExitStack) -> int:
    descriptor = os.open(folder, _FOLDER)
    opened.callback(os.close, descriptor)
    return descriptor


def _enter(
    top: tuple[int, int],
    folder: bytes,
    made: set[bytes],
    opened: contextlib.ExitStack,
    target: Path,
) -> tuple[int, int]:
    """Open a folder of the base and its copy, which is made if need be."""
    _make_folders(top[1], folder, made, target)
    pair = [os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=root) for root in top]
    for descriptor in pair:
        opened.callback(os.close, descriptor)
    return pair[0], pair[1]


def _make_folders(root: int, folder: bytes, made: set[bytes], target: Path) -> None:
    """Make a folder and those above it, each once; what is in the way of one goes."""
    missing = []
    while folder and folder not in made:
        missing.append(folder)
        folder = folder.rpartition(b"/")[0]
    for path in reversed(missing):
        try:
            os.mkdir(path, dir_fd=root)
        except FileExistsError:
            facts = os.stat(path, dir_fd=root, follow_symlinks=False)
            if facts.st_mode & 0o170000 != 0o040000:
                remove_entry(target / os.fsdecode(path))
                os.mkdir(path, dir_fd=root)
        made.add(path)
