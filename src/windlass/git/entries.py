"""What is in a commit: folders, files and their content, without writing anything out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.git.commands import ask, decode, run
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a tree.

    `mode` is Git's, in octal, `kind` is blob, tree or commit (a submodule). `size` is in bytes, of
    blobs alone. `path` starts at the tree that was asked for.
    """

    mode: str
    kind: str
    sha: str
    size: int | None
    path: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


def list_entries(tree: str, *, root: Path, recursive: bool = False) -> list[Entry]:
    """Return what is in a tree (or a commit's), with all that is below it if so asked.

    Raises:
        GitError: there is no such tree.
    """
    command = ["ls-tree", "-z", "-l", "--full-tree", *(["-r", "-t"] if recursive else []), tree]
    return _read_entries(run(command, folder=root))


def find_entry(tree: str, path: str, *, root: Path) -> Entry | None:
    """Return the entry of a path in a tree (or a commit's), or None.

    Raises:
        GitError: there is no such tree.
    """
    if not is_plain_path(path):
        return None
    command = ["ls-tree", "-z", "-l", "--full-tree", tree, "--", path]
    found = _read_entries(run(command, folder=root, variables={"GIT_LITERAL_PATHSPECS": "1"}))
    return next((entry for entry in found if entry.path == path), None)


def is_plain_path(path: str) -> bool:
    """Tell whether a path is one that a tree can have: without `..`, and from the top."""
    return "\0" not in path and not {"", ".", ".."} & set(path.split("/"))


def measure_object(sha: str, *, root: Path) -> tuple[str, int] | None:
    """Return the kind and the size in bytes of an object; None where it is not there.

    Raises:
        GitError: git is missing.
    """
    command = ["cat-file", "--batch-check=%(objecttype) %(objectsize)"]
    answer = ask(command, folder=root, text=f"{sha}\n".encode()).answer()
    kind, _, size = decode(answer.output).strip().rpartition(" ")
    return (kind, int(size)) if size.isdecimal() and kind in _KINDS else None


_KINDS = frozenset({"blob", "tree", "commit", "tag"})


def read_blob(sha: str, *, root: Path) -> bytes:
    """Return the content of a file.

    Raises:
        GitError: there is no such blob.
    """
    return run(["cat-file", "blob", sha], folder=root)


def _read_entries(listing: bytes) -> list[Entry]:
    """Read `MODE KIND SHA SIZE TAB PATH NUL`."""
    entries = []
    for record in decode(listing).split("\0")[:-1]:
        facts, _, path = record.partition("\t")
        mode, kind, sha, size = facts.split()
        entries.append(Entry(mode, kind, sha, None if size == "-" else int(size), path))
    return entries
