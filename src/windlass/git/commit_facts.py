"""What a commit of a bare repository says, and which files it has changed, without any checkout.

Source of the format of commits: https://git-scm.com/docs/user-manual#commit-object
"""

from __future__ import annotations

import codecs
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final, TypeAlias

from windlass.git.commands import decode
from windlass.git.objects import MOST_BYTES
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.git.objects import Entry, ObjectReader

MOST_EFFORT: Final = 1_000_000
"""So many entries of trees are looked at to compare two commits; a tree itself counts as twenty."""

MOST_PATH_BYTES: Final = 32 << 20
"""So long may the paths be together that differ."""

_EFFORT_OF_TREE: Final = 20
_KINDS_OF_FILE: Final = 0o170000

Changes: TypeAlias = "dict[str, str]"
"""By path, what happened to it: A, M, D or T, as `git diff --name-status` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitFacts:
    """A commit as `git log` tells it; `timestamp` is when it was committed, as ISO 8601 has it."""

    sha: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    timestamp: str
    message: str


def read_commit(objects: ObjectReader, sha: str) -> CommitFacts | None:
    """Return what a commit says; None where there is no such commit.

    Raises:
        GitError: git failed.
    """
    found = objects.find(f"{sha}^{{commit}}", MOST_BYTES)
    if found is None:
        return None
    head, _, message = found.content.partition(b"\n\n")
    fields: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        fields.setdefault(key, []).append(value)
    encoding = fields.get(b"encoding", [b"utf-8"])[0].decode("ascii", "replace")
    name, email, _ = _read_person(fields.get(b"author", [b""])[0], encoding)
    *_, committed = _read_person(fields.get(b"committer", [b""])[0], encoding)
    return CommitFacts(
        sha=found.id,
        parents=tuple(decode(it) for it in fields.get(b"parent", ())),
        author_name=name,
        author_email=email,
        timestamp=committed,
        message=_decode(message, encoding).rstrip("\n"),
    )


def compare_commits(objects: ObjectReader, old: str | None, new: str) -> Changes | None:
    """Return the files that differ between two commits or trees, in the order of their paths.

    Without an old one everything is new. Folders that are alike are not looked into. None where
    more differs than is looked at: ten trees can stand for more files than there is memory.

    Raises:
        GitError: git failed, or a tree has more bytes than are read.
    """
    found: dict[bytes, str] = {}
    effort = size = 0
    folders: list[tuple[str | None, str | None, bytes]] = [(old, new, b"")]
    while folders:
        one, other, folder = folders.pop()
        before = objects.list_tree(one) if one else {}
        after = objects.list_tree(other) if other else {}
        effort += _EFFORT_OF_TREE + len(before) + len(after)
        for name in before.keys() | after.keys():
            was, now = before.get(name), after.get(name)
            if was == now:
                continue
            path = folder + name
            inner = _find_tree(was), _find_tree(now)
            if any(inner):
                folders.append((*inner, path + b"/"))
            if status := _judge(was, now):
                found[path] = status
                size += len(path)
        if effort > MOST_EFFORT or size > MOST_PATH_BYTES:
            return None
    return {decode(path): found[path] for path in sorted(found)}


def _find_tree(entry: Entry | None) -> str | None:
    return entry.id if entry is not None and entry.is_tree else None


def _judge(was: Entry | None, now: Entry | None) -> str:
    """Return what has become of a file; nothing where there is none before or after."""
    is_there, is_left = was is not None and not was.is_tree, now is not None and not now.is_tree
    if is_there and is_left:
        assert was is not None  # noqa: S101 (see above)
        assert now is not None  # noqa: S101
        return "M" if (was.mode ^ now.mode) & _KINDS_OF_FILE == 0 else "T"
    if is_there:
        return "D"
    return "A" if is_left else ""


def _read_person(line: bytes, encoding: str) -> tuple[str, str, str]:
    """Read `NAME <EMAIL> SECONDS ZONE`: the name, the address, and the time as ISO 8601."""
    rest, _, when = line.rpartition(b">")
    name, _, email = rest.partition(b"<")
    return _decode(name.strip(), encoding), _decode(email, encoding), _read_time(decode(when))


def _read_time(text: str) -> str:
    """Return `SECONDS +HHMM` as Git's `%cI` has it; nothing that can be read is the epoch."""
    seconds, _, zone = text.strip().partition(" ")
    try:
        minutes = int(zone[-4:-2]) * 60 + int(zone[-2:])
        offset = timezone(timedelta(minutes=-minutes if zone.startswith("-") else minutes))
        return datetime.fromtimestamp(int(seconds), offset).isoformat()
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC).isoformat()


def _decode(text: bytes, encoding: str) -> str:
    """Decode what a commit says; what is not in its encoding is read as UTF-8."""
    try:
        if codecs.lookup(encoding).name != "utf-8":
            return text.decode(encoding)
    except (LookupError, ValueError):
        pass
    return decode(text)
