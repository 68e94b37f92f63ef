"""Git's index file, as far as we need it: which files a folder holds, and what git knows of them.

Git trusts a file whose facts (times, inode, owner, size) are those in the index, and reads every
other one again. A copy of a folder therefore gets a copy of its index with the facts of the copies.
Source: https://git-scm.com/docs/index-format
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from windlass.errors import GitError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

LINK: Final = 0o120000
SUBMODULE: Final = 0o160000
PROGRAM: Final = 0o100755

_HEADER: Final = struct.Struct(">4sII")
_FACTS: Final = struct.Struct(">10I")
_LONGEST_NAME: Final = 0xFFF
_EXTENDED: Final = 0x4000
_SKIPS_WORKTREE: Final = 0x4000
_MASK: Final = 0xFFFFFFFF
_NANOSECONDS: Final = 1_000_000_000


class IndexEntry(NamedTuple):
    """One path: where its entry begins in the file, its mode and its name.

    `is_known` tells whether git has facts of the file, `is_absent` whether a sparse checkout left
    it out of the folder.
    """

    offset: int
    mode: int
    name: bytes
    is_known: bool
    is_absent: bool


class GitIndex:
    """The content of an index file of version 2 or 3."""

    def __init__(self, data: bytes, *, wide: bool) -> None:
        """Take the bytes of the file; `wide` where ids are SHA-256.

        Raises:
            GitError: these are not the bytes of such a file.
        """
        self._data = bytearray(data)
        self._hash = hashlib.sha256 if wide else hashlib.sha1
        self._id_length = 32 if wide else 20
        signature, version, self._count = _HEADER.unpack_from(self._data)
        if signature != b"DIRC" or version not in (2, 3):
            raise GitError(f"an index of version {version} cannot be read")

    def entries(self) -> Iterator[IndexEntry]:
        """Yield the entries in the order of their names' bytes: a folder's files together."""
        data = bytes(self._data)
        fields = struct.Struct(f">8xI12xI12x{self._id_length}xH")
        offset = _HEADER.size
        for _ in range(self._count):
            changed, mode, flags = fields.unpack_from(data, offset)
            start = offset + fields.size
            absent = False
            if flags & _EXTENDED:
                absent = bool(data[start] << 8 & _SKIPS_WORKTREE)
                start += 2
            length = flags & _LONGEST_NAME
            end = start + length if length < _LONGEST_NAME else data.index(0, start)
            yield IndexEntry(offset, mode, data[start:end], changed != 0, absent)
            # Entries end with one to eight NULs, so that each takes a multiple of eight bytes.
            offset += (end - offset + 8) & ~7

    def put_facts(self, entry: IndexEntry, facts: os.stat_result) -> None:
        """Say that a file with these facts holds what the entry says."""
        created, created_ns = divmod(facts.st_ctime_ns, _NANOSECONDS)
        changed, changed_ns = divmod(facts.st_mtime_ns, _NANOSECONDS)
        _FACTS.pack_into(
            self._data,
            entry.offset,
            created & _MASK,
            created_ns,
            changed & _MASK,
            changed_ns,
            facts.st_dev & _MASK,
            facts.st_ino & _MASK,
            entry.mode,
            facts.st_uid,
            facts.st_gid,
            facts.st_size & _MASK,
        )

    def to_bytes(self) -> bytes:
        """Return the bytes of the file, with the checksum they need."""
        content = bytes(self._data[: -self._id_length])
        return content + self._hash(content, usedforsecurity=False).digest()
