"""As much of a commit as planning needs, on disk: its workflow files and `windlass.lock`.

What is written comes from whoever pushed. Only plain files are written, at the paths that are asked
for: a symbolic link could lead anywhere on the server's machine, and what a mistake in a workflow
is shown with are lines of the file.
"""

from __future__ import annotations

import contextlib
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
_PLAIN: Final = (0o100644, 0o100755, 0o100664)


@contextlib.contextmanager
def check_out(objects: ObjectReader, folder: Path, sha: str) -> Iterator[Path]:
    """Yield a folder with what planning needs of a commit, which is removed afterwards.

    It lies in `folder`.

    Raises:
        InputError: its workflow files are too large.
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
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(found.content)


def _list_files(objects: ObjectReader, sha: str) -> Iterator[tuple[str, Entry]]:
    """Yield the plain files that are wanted, by path."""
    found = list(_list_folder(objects, sha, WORKFLOWS))
    if lock := objects.list_tree(sha).get(LOCK.encode()):
        found.append((LOCK, lock))
    for path, entry in found:
        if entry.mode in _PLAIN and is_plain_path(path):
            yield path, entry


def _list_folder(objects: ObjectReader, sha: str, path: str) -> Iterator[tuple[str, Entry]]:
    """Yield all that is below a folder of a commit, by path."""
    for name, entry in objects.list_tree(f"{sha}:{path}").items():
        inner = f"{path}/{decode(name)}"
        if entry.is_tree:
            yield from _list_folder(objects, sha, inner)
        else:
            yield inner, entry
