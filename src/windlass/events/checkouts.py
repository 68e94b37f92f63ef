"""As much of a commit as planning needs, on disk: its workflow files and `windlass.lock`.

What is written comes from whoever pushed. Only plain files are written, at the paths that are asked
for: a symbolic link could lead anywhere on the server's machine, and what a mistake in a workflow
is shown with are lines of the file.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import GitError, InputError, WorkspaceError
from windlass.git.commands import decode
from windlass.git.entries import is_plain_path
from windlass.git.objects import LargeObjectError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.git.objects import Entry, ObjectReader

WORKFLOWS: Final = ".github/workflows"
LOCK: Final = "windlass.lock"
MOST_BYTES: Final = 10 << 20
MOST_ENTRIES: Final = 1000
"""So many files and folders may lie below the one of workflows."""

_PLAIN: Final = (0o100644, 0o100755, 0o100664)


@contextlib.contextmanager
def check_out(objects: ObjectReader, folder: Path, sha: str) -> Iterator[Path]:
    """Yield a folder with what planning needs of a commit, which is removed afterwards.

    It lies in `folder`.

    Raises:
        InputError: its workflow files are too large or too many, or a name of one is too long.
        GitError: git failed.
        WorkspaceError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        root = Path(tempfile.mkdtemp(prefix="plan-", dir=folder))
    except OSError as error:
        raise WorkspaceError(f"{folder} cannot be written: {error.strerror}") from error
    try:
        _write_files(objects, root, sha)
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def find_workflows(objects: ObjectReader, revision: str) -> str:
    """Return the id of what a commit has at the path of workflows; empty where there is nothing."""
    found = objects.find(f"{revision}:{WORKFLOWS}")
    return "" if found is None else found.id


def _write_files(objects: ObjectReader, root: Path, sha: str) -> None:
    """Write the plain files of a commit that are wanted."""
    left = MOST_BYTES
    for path, entry in _list_files(objects, sha):
        try:
            found = objects.find(entry.id, left)
        except LargeObjectError as error:
            raise InputError(
                f"the workflow files of {sha} have more than {MOST_BYTES >> 20} MiB"
            ) from error
        if found is None:
            raise GitError(f"{path} of the commit {sha} is missing in the mirror")
        left -= len(found.content)
        _write(root, path, found.content)


def _write(root: Path, path: str, content: bytes) -> None:
    try:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(f"the path of a workflow file is too long: {path[:100]}…") from error
        raise WorkspaceError(f"{root} cannot be written: {error.strerror}") from error


def _list_files(objects: ObjectReader, sha: str) -> Iterator[tuple[str, Entry]]:
    """Yield the plain files that are wanted, by path."""
    found = list(_list_workflows(objects, sha))
    if lock := objects.list_tree(sha).get(LOCK.encode()):
        found.append((LOCK, lock))
    for path, entry in found:
        if entry.mode in _PLAIN and is_plain_path(path):
            yield path, entry


def _list_workflows(objects: ObjectReader, sha: str) -> Iterator[tuple[str, Entry]]:
    """Yield all that is below the folder of workflows, by path.

    Raises:
        InputError: that is too much.
    """
    count, folders = 0, [(WORKFLOWS, f"{sha}:{WORKFLOWS}")]
    while folders:
        path, tree = folders.pop()
        for name, entry in objects.list_tree(tree).items():
            count += 1
            if count > MOST_ENTRIES:
                raise InputError(f"{WORKFLOWS} of {sha} holds more than {MOST_ENTRIES} files")
            inner = f"{path}/{decode(name)}"
            if entry.is_tree:
                folders.append((inner, entry.id))
            else:
                yield inner, entry
