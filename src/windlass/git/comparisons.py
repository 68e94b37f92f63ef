"""What differs between two commits: how far they are apart, which files, and the patches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.git.commands import ask, complain, decode, run
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_STYLE: Final = (
    *("--find-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--unified=3"),
    *("--inter-hunk-context=0", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/"),
    *("--no-relative", "--diff-algorithm=myers"),
)
"""What a diff looks like, whatever the user prefers."""

_DIFF: Final = ("diff", *_STYLE, "--ignore-submodules=none")
_PATCHES: Final = (
    *("format-patch", *_STYLE, "--stdout", "--no-signature", "--no-attach", "--no-thread"),
    "--no-cover-letter",
)
_EMPTY_TREES: Final = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
"""The id of a tree without entries, by the length of ids. Git knows it without having it."""


@dataclass(frozen=True, slots=True)
class Distance:
    """How two commits lie to one another; `merge_base` is None where they share nothing."""

    merge_base: str | None
    ahead: int
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file that differs. `status` is A, D, M, R or T, as `git diff --raw` has it.

    `sha` is its new content, or the old one where it is gone. Of binary files `added` and `deleted`
    are 0 and `patch` is None; otherwise the patch begins with its first hunk.
    """

    path: str
    status: str
    sha: str
    added: int
    deleted: int
    previous_path: str | None = None
    patch: str | None = None


def measure(base: str, head: str, *, root: Path) -> Distance:
    """Return how far one commit is ahead of another and behind it.

    Raises:
        GitError: one of them is not there.
    """
    merge_base = ask(["merge-base", base, head], folder=root)
    count = ["rev-list", "--left-right", "--count", f"{base}...{head}"]
    counted = ask(count, folder=root)
    found = merge_base.answer()
    behind, ahead = decode(counted.output()).split()
    shared = decode(found.output).split()
    return Distance(shared[0] if shared else None, int(ahead), int(behind))


def list_file_changes(base: str | None, head: str, *, root: Path) -> list[FileChange]:
    """Return the files that differ between two commits or trees, in Git's order.

    Without a base everything is new.

    Raises:
        GitError: one of them is not there.
    """
    pair = [base or _EMPTY_TREES[len(head)], head]
    commands = [[*_DIFF, kind, *pair] for kind in ("--raw", "--numstat", "--patch")]
    # With `-z` a patch is the same, but file names in the other two are not quoted.
    questions = [ask([*it[:-3], "-z", "--abbrev=64", *it[-3:]], folder=root) for it in commands]
    raw, numbers, patches = (decode(question.output()) for question in questions)
    found = list(_read_raw(raw))
    hunks = _split_patches(patches, [status for status, *_ in found])
    triples = zip(found, _read_numbers(numbers), hunks, strict=True)
    return [
        FileChange(
            path=path,
            status=status,
            sha=sha,
            added=added,
            deleted=deleted,
            previous_path=previous,
            patch=patch,
        )
        for (status, sha, previous, path), (added, deleted), patch in triples
    ]


def make_diff(base: str | None, head: str, *, root: Path) -> bytes:
    """Return the difference of two commits as one text, as `git diff` prints it.

    Raises:
        GitError: one of them is not there.
    """
    return run([*_DIFF, "--patch", base or _EMPTY_TREES[len(head)], head], folder=root)


def make_patches(base: str | None, head: str, *, root: Path) -> bytes:
    """Return the commits from one to another as mails, as `git format-patch` prints them.

    Without a base that is the one commit alone.

    Raises:
        GitError: one of them is not there.
    """
    command = [*_PATCHES]
    command += ["-1", head] if base is None else [f"{base}..{head}"]
    answer = ask(command, folder=root).answer()
    if answer.code != 0:
        raise complain(command, answer)
    return answer.output


def _read_raw(text: str) -> Iterator[tuple[str, str, str | None, str]]:
    """Read `:MODE MODE SHA SHA STATUS NUL PATH NUL [NEW PATH NUL]`."""
    fields = iter(text.split("\0"))
    for facts in fields:
        if not facts:
            return
        _, _, old, new, status = facts.removeprefix(":").split(" ")
        path, previous = next(fields), None
        if status[0] in "RC":
            previous, path = path, next(fields)
        yield status[0], old if status[0] == "D" else new, previous, path


def _read_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Read `ADDED TAB DELETED TAB PATH NUL`; a renamed file has its two paths behind the NUL."""
    fields = iter(text.split("\0"))
    for facts in fields:
        if not facts:
            return
        added, deleted, path = facts.split("\t", 2)
        if not path:
            next(fields), next(fields)
        yield _count(added), _count(deleted)


def _count(text: str) -> int:
    """Read a number of lines; Git writes `-` for a binary file."""
    return 0 if text == "-" else int(text)


def _split_patches(text: str, statuses: Iterable[str]) -> Iterator[str | None]:
    """Yield the hunks of each file; None for a file that has none.

    A file that became a link, or the reverse, is two in a patch: one that goes and one that comes.
    """
    # Within hunks every line has a sign before it: no content is mistaken for a header.
    parts = iter(("\n" + text).split("\ndiff --git ")[1:])
    for status in statuses:
        own = [next(parts)] + ([next(parts)] if status == "T" else [])
        hunks = [part[at + 1 :] for part in own if (at := part.find("\n@@ ")) >= 0]
        yield "\n".join(hunks).removesuffix("\n") if hunks else None
