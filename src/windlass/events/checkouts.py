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

from windlass.errors import InputError, WorkspaceError
from windlass.git.commands import decode, run_apart
from windlass.git.entries import is_plain_path
from windlass.git.folders import SHA256_LENGTH, make_git_folder, write_refs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WORKFLOWS: Final = ".github/workflows"
_WANTED: Final = (WORKFLOWS, "windlass.lock")
_PLAIN: Final = ("100644", "100755", "100664")
MOST_BYTES: Final = 10 << 20


@contextlib.contextmanager
def check_out(
    mirror: Path, folder: Path, sha: str, ref: str, default_branch: str
) -> Iterator[Path]:
    """Yield a checkout of a commit with what planning needs, which is removed afterwards.

    It lies in `folder`. HEAD is on the branch or tag that `ref` names, if it names one, and the
    mirror's default branch is that of the remote.

    Raises:
        InputError: its workflow files are too large.
        GitError: the mirror has no such commit.
        WorkspaceError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        root = Path(tempfile.mkdtemp(prefix="plan-", dir=folder))
    except OSError as error:
        raise WorkspaceError(f"{folder} cannot be written: {error.strerror}") from error
    try:
        _write_git(mirror, root / ".git", sha, ref, default_branch)
        _write_files(mirror, root, sha)
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _write_git(mirror: Path, git: Path, sha: str, ref: str, default_branch: str) -> None:
    make_git_folder(git, [mirror / "objects"], bare=False, wide=len(sha) == SHA256_LENGTH)
    refs = {ref: sha} if ref.startswith(("refs/heads/", "refs/tags/")) else {}
    default = _find_default(mirror, default_branch)
    if default is not None:
        remote = f"refs/remotes/origin/{default_branch}"
        refs[remote] = default
        head = git / "refs/remotes/origin/HEAD"
        head.parent.mkdir(parents=True)
        head.write_text(f"ref: {remote}\n", encoding="utf-8")
    write_refs(git, refs)
    is_branch = ref.startswith("refs/heads/")
    (git / "HEAD").write_text(f"ref: {ref}\n" if is_branch else f"{sha}\n", encoding="utf-8")


def _find_default(mirror: Path, branch: str) -> str | None:
    command = ["for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}"]
    return decode(run_apart(command, folder=mirror)).strip() or None


def _write_files(mirror: Path, root: Path, sha: str) -> None:
    """Write the plain files of a commit that are wanted."""
    found = _list_files(mirror, sha)
    answer = run_apart(
        ["cat-file", "--batch"],
        folder=mirror,
        text="".join(f"{blob}\n" for blob in found.values()).encode(),
    )
    for path in found:
        header, _, rest = answer.partition(b"\n")
        size = int(header.rpartition(b" ")[2])
        content, answer = rest[:size], rest[size + 1 :]
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


def _list_files(mirror: Path, sha: str) -> Mapping[str, str]:
    """Return the ids of the contents that are wanted, by path."""
    variables = {"GIT_DIR": str(mirror), "GIT_LITERAL_PATHSPECS": "1"}
    command = ["ls-tree", "-r", "-z", "-l", "--full-tree", sha, "--", *_WANTED]
    listing = decode(run_apart(command, folder=mirror, variables=variables))
    found, size = {}, 0
    for record in listing.split("\0")[:-1]:
        facts, _, path = record.partition("\t")
        mode, kind, blob, length = facts.split()
        if kind == "blob" and mode in _PLAIN and is_plain_path(path):
            found[path] = blob
            size += int(length)
    if size > MOST_BYTES:
        raise InputError(f"the workflow files of {sha} have more than {MOST_BYTES >> 20} MiB")
    return found
