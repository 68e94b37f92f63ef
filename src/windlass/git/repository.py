"""Reading the facts of a checkout: what `windlass.model.repository.Repository` holds.

Git is asked few questions, all at once, since this lies between the user and the first step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from windlass.errors import GitError, InputError
from windlass.git.commands import Answer, ask, complain, decode, run
from windlass.git.remotes import Remote, read_remote
from windlass.model.repository import Repository
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Comparison: TypeAlias = Literal["parent", "default-branch"]

_COMMIT_FORMAT: Final = "%H%x00%P%x00%D%x00%an%x00%ae%x00%cI%x00%B%x00"
_COMMIT_FIELDS: Final = 7
_LOG: Final = (
    *("log", "-1", "-z", "--name-status", "--no-renames", "--no-ext-diff", "-m", "--first-parent"),
    *("--root", "--decorate=full", "--no-show-signature", "--no-color", "--encoding=UTF-8"),
    f"--format={_COMMIT_FORMAT}",
)
_LOCAL_OWNER: Final = "local"
_USUAL_NAMES: Final = ("main", "master")
_PLACES: Final = ("heads", "remotes/origin")


_Changes: TypeAlias = "dict[str, str]"
"""By path, what happened to it: A, M, D or T, as `git diff --name-status` says."""


@dataclass(frozen=True, slots=True)
class _Commit:
    """The head commit as `git log` tells it."""

    sha: str
    parents: tuple[str, ...]
    branch: str | None
    tag: str | None
    author_name: str
    author_email: str
    timestamp: str
    message: str
    changes: _Changes


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the checkout is, and what kind it is."""

    root: Path
    is_shallow: bool


@dataclass(frozen=True, slots=True)
class _Facts:
    """Everything the questions brought, before it is put together."""

    layout: _Layout
    commit: _Commit
    refs: Mapping[str, str]
    remote: Remote | None


def read_repository(
    folder: Path, *, against: Comparison = "parent", base: str | None = None
) -> Repository:
    """Return the facts of the checkout that a folder is in.

    `changed_files` compares the head with its first parent (what a push of one commit changes), or
    with the merge base of the default branch (what a pull request changes), or with `base`, any
    revision. A head that is not ahead of the default branch is compared with its parent.

    Raises:
        InputError: this is no checkout, it has no commits, or `base` names none.
        GitError: git is missing, or could not read the repository.
    """
    facts = _gather(folder)
    default_branch = _find_default_branch(facts)
    base_sha, changed = _compare(facts, against, base, default_branch)
    commit, remote = facts.commit, facts.remote
    return Repository(
        root=str(facts.layout.root),
        owner=remote.owner if remote else _LOCAL_OWNER,
        name=remote.name if remote else facts.layout.root.name or "repository",
        server_url=remote.server_url if remote else "https://github.com",
        head_sha=commit.sha,
        base_sha=base_sha,
        branch=commit.branch,
        tag=commit.tag,
        default_branch=default_branch,
        author_name=commit.author_name,
        author_email=commit.author_email,
        commit_message=commit.message,
        commit_timestamp=commit.timestamp,
        changed_files=None if changed is None else tuple(changed),
        added_files=_select(changed, "A"),
        removed_files=_select(changed, "D"),
    )


def find_branch(folder: Path, revision: str) -> str | None:
    """Return the branch a revision names, `main` for `origin/main` too; None where it names none.

    Raises:
        GitError: git is missing, or the folder is no checkout.
    """
    answer = ask(
        ["rev-parse", "--symbolic-full-name", "--quiet", "--verify", "--end-of-options", revision],
        folder=folder,
    ).answer()
    ref = decode(answer.output).strip()
    for prefix in ("refs/heads/", "refs/remotes/origin/"):
        if ref.startswith(prefix):
            return ref.removeprefix(prefix)
    return None


def _gather(folder: Path) -> _Facts:
    """Ask everything at once, then read the answers in the order that gives the best errors."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder", hint="name the folder of a Git checkout")
    layout = ask(
        ["rev-parse", "--is-bare-repository", "--is-shallow-repository", "--show-toplevel"],
        folder=folder,
    )
    log = ask(_LOG, folder=folder)
    usual = [f"refs/{place}/{name}" for place in _PLACES for name in _USUAL_NAMES]
    refs = ask(
        ["for-each-ref", "--format=%(refname) %(symref)", "refs/remotes/origin/HEAD", *usual],
        folder=folder,
    )
    url = ask(["config", "--get", "remote.origin.url"], folder=folder)
    answers = [question.answer() for question in (layout, log, refs, url)]
    found = _read_layout(folder, answers[0])
    commit = _read_commit(found, answers[1])
    return _Facts(
        layout=found,
        commit=commit,
        refs=_read_refs(answers[2]),
        remote=read_remote(decode(answers[3].output).strip()) if answers[3].code == 0 else None,
    )


def _expect(command: str, answer: Answer) -> bytes:
    if answer.code != 0:
        raise complain([command], answer)
    return answer.output


def _read_layout(folder: Path, answer: Answer) -> _Layout:
    if answer.code != 0:
        raise _explain_failure(folder, answer)
    _, shallow, root = decode(answer.output).rstrip("\n").split("\n", 2)
    return _Layout(folder / root, shallow == "true")


def _explain_failure(folder: Path, answer: Answer) -> InputError | GitError:
    """Say what a folder is that git cannot find a working tree in."""
    said = answer.complaint
    if "dubious ownership" in said:
        return InputError(
            f"{folder} belongs to another user, so Git refuses to read it",
            hint=f"if you trust it: git config --global --add safe.directory {folder.resolve()}",
        )
    if "must be run in a work tree" in said:
        return InputError(
            f"{folder} is a bare repository: it has no working tree to run workflows from",
            hint="clone it, or name the folder of a checkout",
        )
    if "not a git repository" in said:
        return InputError(
            f"{folder} is not in a Git repository",
            hint="run this in a checkout, or name one with -C; `git init` makes one",
        )
    return complain(["rev-parse"], answer)


def _read_commit(layout: _Layout, answer: Answer) -> _Commit:
    if answer.code != 0:
        if "does not have any commits" in answer.complaint or "bad default" in answer.complaint:
            raise InputError(
                f"{layout.root} has no commits yet",
                hint="commit something first: an event is about a commit",
            )
        raise complain(["log"], answer)
    *fields, files = decode(answer.output).split("\0", _COMMIT_FIELDS)
    sha, parents, decoration, name, email, timestamp, message = fields
    branch, tag = _read_decoration(decoration)
    return _Commit(
        sha=sha,
        parents=tuple(parents.split()),
        branch=branch,
        tag=tag,
        author_name=name,
        author_email=email,
        timestamp=timestamp,
        message=message.rstrip("\n"),
        changes=_read_changes(files.removeprefix("\0").removeprefix("\n")),
    )


def _read_decoration(decoration: str) -> tuple[str | None, str | None]:
    """Read `HEAD -> refs/heads/main, tag: refs/tags/v1`: the branch, and the first tag."""
    branch, tag = None, None
    for part in decoration.split(", "):
        if part.startswith("HEAD -> refs/heads/"):
            branch = part.removeprefix("HEAD -> refs/heads/")
        elif part.startswith("tag: refs/tags/") and tag is None:
            tag = part.removeprefix("tag: refs/tags/")
    return branch, tag


def _read_changes(text: str) -> _Changes:
    """Read `status NUL path NUL …`."""
    fields = text.split("\0")
    return dict(zip(fields[1::2], fields[::2], strict=False))


def _read_refs(answer: Answer) -> dict[str, str]:
    """Read `ref target` lines; the target is empty unless the ref is symbolic."""
    lines = decode(_expect("for-each-ref", answer)).splitlines()
    return {ref: target for ref, _, target in (line.partition(" ") for line in lines)}


def _find_default_branch(facts: _Facts) -> str:
    """Return what the remote calls its default, else main or master, else the current branch."""
    prefix = "refs/remotes/origin/"
    target = facts.refs.get(f"{prefix}HEAD", "")
    if target.startswith(prefix):
        return target.removeprefix(prefix)
    for name in _USUAL_NAMES:
        if any(f"refs/{place}/{name}" in facts.refs for place in _PLACES):
            return name
    return facts.commit.branch or "main"


def _compare(
    facts: _Facts, against: Comparison, base: str | None, default_branch: str
) -> tuple[str | None, _Changes | None]:
    """Return the commit to compare with and the files that differ (None: nobody can say)."""
    root, commit = facts.layout.root, facts.commit
    if base is not None:
        sha = _resolve_base(root, base)
        return sha, _list_changes(root, sha, commit.sha)
    if against == "default-branch":
        merge_base = _find_merge_base(root, commit, default_branch)
        if merge_base is not None:
            return merge_base, _list_changes(root, merge_base, commit.sha)
    parent = commit.parents[0] if commit.parents else None
    if facts.layout.is_shallow and _is_cut_off(root, commit.sha):
        return parent, None
    return parent, commit.changes


def _resolve_base(root: Path, base: str) -> str:
    answer = ask(
        ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}"], folder=root
    ).answer()
    if answer.code != 0:
        raise InputError(
            f"'{base}' names no commit in {root}", hint="name a branch, a tag or a commit"
        )
    return decode(answer.output).strip()


def _find_merge_base(root: Path, commit: _Commit, default_branch: str) -> str | None:
    """Return where the head left the default branch; None where it is not ahead of it."""
    for ref in (f"refs/remotes/origin/{default_branch}", f"refs/heads/{default_branch}"):
        answer = ask(["merge-base", ref, "HEAD"], folder=root).answer()
        found = decode(answer.output).strip()
        if answer.code == 0 and found != commit.sha:
            return found
    return None


def _select(changes: _Changes | None, status: str) -> tuple[str, ...]:
    return tuple(path for path, found in (changes or {}).items() if found == status)


def _list_changes(root: Path, base: str, head: str) -> _Changes:
    arguments = ["diff", "-z", "--name-status", "--no-renames", "--no-ext-diff", base, head]
    return _read_changes(decode(run(arguments, folder=root)))


def _is_cut_off(root: Path, sha: str) -> bool:
    """Tell whether a shallow clone ends at this commit, so that its parent is not there."""
    path = decode(run(["rev-parse", "--git-path", "shallow"], folder=root)).rstrip("\n")
    return sha in (root / path).read_text(encoding="ascii").split()
