"""A server's own copy of a repository, and checkouts of single commits of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.errors import GitError
from windlass.git.commands import decode, run

if TYPE_CHECKING:
    from pathlib import Path

_EVERYTHING = "+refs/*:refs/*"


def fetch_mirror(url: str, mirror: Path) -> None:
    """Make a mirror what the repository at `url` is now; it is made where it is missing.

    Raises:
        GitError: git is missing, or the repository cannot be fetched.
    """
    if not (mirror / "HEAD").exists():
        mirror.mkdir(parents=True, exist_ok=True)
        run(["init", "--quiet", "--bare", "."], folder=mirror)
    run(["fetch", "--quiet", "--prune", "--no-tags", "--", url, _EVERYTHING], folder=mirror)


def find_head_branch(url: str, folder: Path) -> str | None:
    """Return the default branch of the repository at `url`; None where its HEAD is on none.

    Raises:
        GitError: git is missing, or there is no such repository.
    """
    said = decode(run(["ls-remote", "--symref", "--", url, "HEAD"], folder=folder))
    for line in said.splitlines():
        if line.startswith("ref: refs/heads/"):
            return line.removeprefix("ref: refs/heads/").split("\t")[0]
    return None


def find_commit(mirror: Path, revision: str) -> str:
    """Return the id of the commit that a branch, tag or id means.

    Raises:
        GitError: there is none.
    """
    words = ["rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}"]
    try:
        return decode(run(words, folder=mirror)).strip()
    except GitError as error:
        raise GitError(f"there is no commit '{revision}'") from error


def check_out(mirror: Path, sha: str, folder: Path, *, branch: str | None, origin: str) -> None:
    """Make a checkout of one commit, which shares the objects of the mirror.

    `origin` is what its remote of that name is said to be.

    Raises:
        GitError: there is no such commit, or git failed.
    """
    run(
        ["clone", "--quiet", "--shared", "--no-checkout", "--", str(mirror), str(folder)],
        folder=mirror,
    )
    run(["remote", "set-url", "origin", origin], folder=folder)
    where = ["--detach", sha] if branch is None else ["-B", branch, sha]
    run(["checkout", "--quiet", *where], folder=folder)
