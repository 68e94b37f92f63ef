"""Commits, the files that they change, and how two of them compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from windlass.services.github_api.links import make_node_id
from windlass.services.github_api.people import find_user, make_person

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from windlass.git.commit_log import Commit
    from windlass.git.comparisons import Distance, FileChange
    from windlass.services.github_api.links import Links

    Shape = dict[str, Any]

_STATUSES: Final = {
    "A": "added",
    "D": "removed",
    "M": "modified",
    "R": "renamed",
    "C": "copied",
    "T": "changed",
}
_UNVERIFIED: Final = {
    "verified": False,
    "reason": "unsigned",
    "signature": None,
    "payload": None,
    "verified_at": None,
}
"""Signatures are not looked at: none is ever said to be good."""


def make_commit(commit: Commit, links: Links) -> Shape:
    """Return GitHub's `commit` without files."""
    address = f"{links.repository}/commits/{commit.sha}"
    return {
        "sha": commit.sha,
        "node_id": make_node_id("Commit", commit.sha),
        "commit": {
            "author": make_person(commit.author),
            "committer": make_person(commit.committer),
            "message": commit.message,
            "tree": _make_tree_link(commit, links),
            "url": links.git("commit", commit.sha),
            "comment_count": 0,
            "verification": _UNVERIFIED,
        },
        "url": address,
        "html_url": f"{links.page}/commit/{commit.sha}",
        "comments_url": f"{address}/comments",
        "author": find_user(commit.author, links),
        "committer": find_user(commit.committer, links),
        "parents": [
            {
                "sha": parent,
                "url": f"{links.repository}/commits/{parent}",
                "html_url": f"{links.page}/commit/{parent}",
            }
            for parent in commit.parents
        ],
    }


def make_full_commit(
    commit: Commit, changes: Iterable[FileChange], page: slice, links: Links
) -> Shape:
    """Return GitHub's `commit` with its numbers of lines and one page of its files."""
    found = list(changes)
    added, deleted = sum(it.added for it in found), sum(it.deleted for it in found)
    return {
        **make_commit(commit, links),
        "stats": {"total": added + deleted, "additions": added, "deletions": deleted},
        "files": [make_file_change(it, commit.sha, links) for it in found[page]],
    }


def make_git_commit(commit: Commit, links: Links) -> Shape:
    """Return GitHub's `git-commit`, which has no users."""
    return {
        "sha": commit.sha,
        "node_id": make_node_id("Commit", commit.sha),
        "url": links.git("commit", commit.sha),
        "html_url": f"{links.page}/commit/{commit.sha}",
        "author": make_person(commit.author),
        "committer": make_person(commit.committer),
        "tree": _make_tree_link(commit, links),
        "message": commit.message,
        "parents": [
            {
                "sha": parent,
                "url": links.git("commit", parent),
                "html_url": f"{links.page}/commit/{parent}",
            }
            for parent in commit.parents
        ],
        "verification": _UNVERIFIED,
    }


def make_simple_commit(commit: Commit) -> Shape:
    """Return GitHub's `simple-commit`, as runs name it."""
    author, committer = make_person(commit.author), make_person(commit.committer)
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": committer["date"],
        "author": {"name": author["name"], "email": author["email"]},
        "committer": {"name": committer["name"], "email": committer["email"]},
    }


def make_file_change(change: FileChange, sha: str, links: Links) -> Shape:
    """Return GitHub's `diff-entry` of a file as it is at the commit `sha`."""
    path = quote(change.path, errors="surrogateescape")
    shape: Shape = {
        "sha": change.sha,
        "filename": change.path,
        "status": _STATUSES[change.status],
        "additions": change.added,
        "deletions": change.deleted,
        "changes": change.added + change.deleted,
        "blob_url": f"{links.page}/blob/{sha}/{path}",
        "raw_url": f"{links.page}/raw/{sha}/{path}",
        "contents_url": f"{links.repository}/contents/{path}?ref={sha}",
    }
    if change.patch is not None:
        shape["patch"] = change.patch
    if change.previous_path is not None:
        shape["previous_filename"] = change.previous_path
    return shape


def describe_distance(distance: Distance) -> str:
    """Return GitHub's word for how a head lies to its base."""
    if distance.ahead and distance.behind:
        return "diverged"
    if distance.ahead or distance.behind:
        return "ahead" if distance.ahead else "behind"
    return "identical"


def make_comparison(
    names: tuple[str, str],
    ends: Sequence[Commit],
    distance: Distance,
    commits: Iterable[Commit],
    links: Links,
) -> Shape:
    """Return GitHub's `commit-comparison` without files.

    `names` are the base and the head as they were asked for, `ends` the commits of the base, the
    head and where they parted, `commits` one page of those that the head is ahead, oldest first.
    """
    base, head, parted = ends
    spread = f"{names[0]}...{names[1]}"
    page = f"{links.page}/compare/{quote(spread, errors='surrogateescape')}"
    return {
        "url": f"{links.repository}/compare/{quote(spread, errors='surrogateescape')}",
        "html_url": page,
        "permalink_url": f"{links.page}/compare/{base.sha}...{head.sha}",
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": make_commit(base, links),
        "merge_base_commit": make_commit(parted, links),
        "status": describe_distance(distance),
        "ahead_by": distance.ahead,
        "behind_by": distance.behind,
        "total_commits": distance.ahead,
        "commits": [make_commit(commit, links) for commit in commits],
    }


def _make_tree_link(commit: Commit, links: Links) -> Shape:
    return {"sha": commit.tree, "url": links.git("tree", commit.tree)}
