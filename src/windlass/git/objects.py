"""The objects of a bare repository, read through one process of git, not one for each question.

Source: https://git-scm.com/docs/git-cat-file#_batch_output
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from windlass.errors import GitError
from windlass.git.commands import NO_CONFIGURATION, Answer, complain, decode, start
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

Kind: TypeAlias = Literal["commit", "tree", "blob", "tag"]

MOST_BYTES: Final = 32 << 20
"""Of a commit or a tree: more than any has that somebody works with."""

_COMMAND: Final = ("cat-file", "--batch")
_KINDS: Final = ("commit", "tree", "blob", "tag")
_HEADER_FIELDS: Final = 3
_TREE_MODE: Final = 0o40000


class LargeObjectError(GitError):
    """An object has more bytes than were to be read."""


@dataclass(frozen=True, slots=True)
class GitObject:
    """An object as it is kept: its id, what it is, and its bytes."""

    id: str
    kind: Kind
    content: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """What a tree has under one name: a mode as in the index, and the id of an object."""

    mode: int
    id: str

    @property
    def is_tree(self) -> bool:
        """Whether this is a folder."""
        return self.mode == _TREE_MODE


class ObjectReader:
    """Reads objects of a bare repository; for one thread, and as a context.

    Nothing that the user has set up counts. What has been fetched since it began is found too.
    """

    def __init__(self, repository: Path) -> None:
        """Start git.

        Raises:
            GitError: there is no git, or no such repository.
        """
        self._repository = repository
        variables = {**NO_CONFIGURATION, "GIT_DIR": str(repository)}
        self._process = start(_COMMAND, folder=repository, variables=variables, has_input=True)
        process = self._process
        assert process.stdin is not None  # noqa: S101 (all three are pipes)
        assert process.stdout is not None  # noqa: S101
        self._questions, self._answers = process.stdin, process.stdout

    def __enter__(self) -> ObjectReader:
        """Return this."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End git."""
        self._end()

    def find(self, name: str, limit: int | None = None) -> GitObject | None:
        """Return the object that an id, a ref, or `COMMIT:PATH` names; None where there is none.

        Raises:
            LargeObjectError: it has more than `limit` bytes; nothing can be asked any more.
            GitError: git failed.
        """
        if "\n" in name or "\0" in name:
            return None
        try:
            self._questions.write(f"{name}\n".encode("utf-8", "surrogateescape"))
            self._questions.flush()
        except OSError:
            raise self._explain() from None
        header = self._answers.readline()
        fields = decode(header).split(" ")
        if len(fields) != _HEADER_FIELDS or fields[1] not in _KINDS:
            if not header.endswith(b"\n"):
                raise self._explain()
            return None
        sha, kind, size = fields
        if limit is not None and int(size) > limit:
            raise LargeObjectError(f"the {kind} {sha} has more than {limit} bytes")
        content = self._answers.read(int(size) + 1)
        if len(content) <= int(size):
            raise self._explain()
        return GitObject(sha, cast("Kind", kind), content[:-1])

    def find_commit(self, revision: str) -> str | None:
        """Return the id of the commit that a ref or an id stands for, through tags too."""
        found = self.find(f"{revision}^{{commit}}", MOST_BYTES)
        return None if found is None else found.id

    def list_tree(self, name: str) -> Mapping[bytes, Entry]:
        """Return what a tree, or the tree of a commit, holds by name; nothing of what is a file.

        Raises:
            LargeObjectError: it has more than `MOST_BYTES`; nothing can be asked any more.
            GitError: there is no such object, or git failed.
        """
        found = self.find(name, MOST_BYTES)
        if found is not None and found.kind == "commit":
            found = self.find(decode(found.content[5:].partition(b"\n")[0]), MOST_BYTES)
        if found is None:
            raise GitError(f"the object {name} is missing in {self._repository}")
        return _read_tree(found) if found.kind == "tree" else {}

    def _explain(self) -> GitError:
        """Return why there is no answer."""
        self._process.kill()
        _, complaint = self._process.communicate()
        return complain(_COMMAND, Answer(1, b"", decode(complaint).strip()))

    def _end(self) -> None:
        process = self._process
        process.kill()
        for pipe in (process.stdin, process.stdout, process.stderr):
            # What could not be written any more is of no use.
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        process.wait()


def _read_tree(tree: GitObject) -> Mapping[bytes, Entry]:
    """Read `MODE NAME NUL ID`, where the id is bytes."""
    length, content, at = len(tree.id) // 2, tree.content, 0
    entries = {}
    while at < len(content):
        space, end = content.index(b" ", at), content.index(b"\0", at)
        sha = content[end + 1 : end + 1 + length].hex()
        entries[content[space + 1 : end]] = Entry(int(content[at:space], 8), sha)
        at = end + 1 + length
    return entries
