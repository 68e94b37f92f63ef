"""What a client calls a commit: a branch, a tag, a whole ref, an id, or nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.git.commit_log import find_commit, is_object_id, read_commit
from windlass.git.entries import measure_object
from windlass.git.references import HEADS, TAGS
from windlass.services.github_api.refusals import not_found

if TYPE_CHECKING:
    from windlass.services.github_api.questions import Question

_ID_LENGTH: Final = 40


def find_default_branch(question: Question) -> str:
    """Return the default branch: what the event says, else main or master, whichever there is."""
    repository: Any = question.payload.get("repository")
    named = repository.get("default_branch") if repository is not None else None
    if isinstance(named, str) and named:
        return named
    for name in ("main", "master"):
        if find_commit(_spell(name), root=question.root) is not None:
            return name
    return question.job.text("ref_name") or "main"


def resolve(question: Question, revision: str) -> str:
    """Return the id of the commit that a client names; "" and HEAD are the default branch.

    Raises:
        RequestError: there is no such commit.
    """
    if revision in ("", "HEAD"):
        revision = find_default_branch(question)
    if revision == question.job.text("ref"):
        return question.job.text("sha")
    sha = find_commit(_spell(revision), root=question.root)
    if sha is None:
        raise not_found(f"No commit found for the ref {revision}")
    return sha


def resolve_tree(question: Question, name: str) -> str:
    """Return the id of the tree that a client names, by its own id or by a commit.

    Raises:
        RequestError: there is neither.
    """
    if measure(name, question)[0] == "tree":
        return name
    return read_commit(resolve(question, name), root=question.root).tree


def measure(sha: str, question: Question) -> tuple[str, int]:
    """Return the kind of an object and its size in bytes, by its whole id; ("", 0) for none."""
    if not is_object_id(sha) or len(sha) < _ID_LENGTH:
        return "", 0
    return measure_object(sha, root=question.root) or ("", 0)


def _spell(revision: str) -> list[str]:
    """Return the names under which Git may have a revision, in GitHub's order."""
    if revision.startswith("refs/"):
        branch = revision.removeprefix(HEADS)
        remote = [f"refs/remotes/origin/{branch}"] if branch != revision else []
        return [revision, *remote]
    short = revision.removeprefix("heads/").removeprefix("tags/")
    names = [f"{HEADS}{short}", f"refs/remotes/origin/{short}", f"{TAGS}{short}"]
    return [*names, revision] if is_object_id(revision) else names
