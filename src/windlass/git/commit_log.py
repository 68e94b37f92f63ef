"""Commits as Git tells of them: who made one, when, from which others, and in what order.

Nothing of a user's settings changes an answer: no mailmap, no signatures checked, no graph.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from windlass.git.commands import ask, complain, decode
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FORMAT: Final = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
_FIELDS: Final = 10
_LOG: Final = (
    *("log", "-z", "--no-show-signature", "--no-color", "--no-mailmap", "--encoding=UTF-8"),
    *("--no-patch", "--no-notes", "--no-decorate", f"--format=tformat:{_FORMAT}"),
)
_SAFE_NAME: Final = re.compile(r"(?!-)(?!.*(?:\.\.|@\{))[^\x00-\x20~^:?*\[\\\x7f]+")
_HEXADECIMAL: Final = re.compile(r"[0-9a-fA-F]{4,64}")


@dataclass(frozen=True, slots=True)
class Person:
    """An author or a committer; `date` is ISO 8601 with the offset of their clock."""

    name: str
    email: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit. `message` has no line end at its end."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRange:
    """Which commits are asked for, and how many.

    `revisions` are commits to start from, `^SHA` leaves out what that one reaches. `path` keeps
    those that changed it; `since` and `until` are dates as Git reads them; `author` is a part of a
    name or an address.
    """

    revisions: tuple[str, ...]
    limit: int
    skip: int = 0
    path: str = ""
    since: str = ""
    until: str = ""
    author: str = ""
    oldest_first: bool = False


def find_commit(names: Sequence[str], *, root: Path) -> str | None:
    """Return the commit of the first of these names that there is; None where there is none.

    A name is that of a ref, whole, or (the beginning of) an id. A tag is followed to its commit.

    Raises:
        GitError: git is missing.
    """
    usable = [name for name in names if is_safe_name(name)]
    if not usable:
        return None
    lines = "".join(f"{name}^{{commit}}\n" for name in usable)
    command = ["cat-file", "--batch-check=%(objectname) %(objecttype)"]
    answer = ask(command, folder=root, text=lines.encode("utf-8", "surrogateescape")).answer()
    if answer.code != 0:
        raise complain(command, answer)
    for line in decode(answer.output).splitlines():
        sha, _, kind = line.partition(" ")
        if kind == "commit":
            return sha
    return None


def is_safe_name(name: str) -> bool:
    """Tell whether a text can be the name of a ref or an id, and is no other kind of question."""
    return _SAFE_NAME.fullmatch(name) is not None


def is_object_id(text: str) -> bool:
    """Tell whether a text can be the id of an object, whole or its beginning."""
    return _HEXADECIMAL.fullmatch(text) is not None


def list_commits(wanted: LogRange, *, root: Path) -> list[Commit]:
    """Return commits, newest first unless asked otherwise.

    Raises:
        GitError: git is missing, or a revision is none.
    """
    command = [*_LOG, f"--max-count={wanted.limit}", f"--skip={wanted.skip}"]
    chosen = (("since", wanted.since), ("until", wanted.until), ("author", wanted.author))
    command += [f"--{name}={value}" for name, value in chosen if value]
    if wanted.author:
        command += ["--fixed-strings", "--regexp-ignore-case"]
    if wanted.oldest_first:
        command += ["--reverse"]
    command += [*wanted.revisions, "--", *([wanted.path] if wanted.path else [])]
    answer = ask(command, folder=root, variables={"GIT_LITERAL_PATHSPECS": "1"}).answer()
    if answer.code != 0:
        raise complain(command, answer)
    records = decode(answer.output).split("\0")[:-1]
    groups = (records[at : at + _FIELDS] for at in range(0, len(records), _FIELDS))
    return [_read_commit(group) for group in groups]


def read_commit(sha: str, *, root: Path) -> Commit:
    """Return one commit that is there.

    Raises:
        GitError: it is not there.
    """
    return list_commits(LogRange(revisions=(sha,), limit=1), root=root)[0]


def _read_commit(fields: Sequence[str]) -> Commit:
    sha, tree, parents, *people, message = fields
    return Commit(
        sha=sha,
        tree=tree,
        parents=tuple(parents.split()),
        author=Person(*people[:3]),
        committer=Person(*people[3:]),
        message=message.rstrip("\n"),
    )
