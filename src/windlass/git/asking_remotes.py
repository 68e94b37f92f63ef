"""Asking remotes by Git: which commits their refs are, and for commits.

Git asks with the user's configuration, and never asks the user. What it complains of is read for
what went wrong: there is no such repository, there is no such ref, or nobody has answered.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from windlass.errors import GitError
from windlass.git.commands import ask, decode, run_apart
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from windlass.git.commands import Answer

Reason: TypeAlias = Literal["repository", "ref", "unreachable"]

SHORT_SHA: Final = re.compile(r"[0-9a-f]{7,39}")
KEPT: Final = "refs/windlass"
PASSED_VARIABLES: Final = (
    "GIT_ASKPASS",
    "GIT_CONFIG_COUNT",
    "GIT_PROXY_COMMAND",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "GIT_SSL_NO_VERIFY",
)
"""Variables that say how a remote is reached, which other questions to Git do without."""

_NUMBERED: Final = re.compile(r"GIT_CONFIG_(?:KEY|VALUE)_\d+")
_SSH: Final = "ssh -o BatchMode=yes -o ConnectTimeout=20"
_PATIENCE: Final = ("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=30")
LOOK_UP_SECONDS: Final = 30
"""How long a remote may take to say what its refs are."""

DEFAULT_BRANCH: Final = "HEAD"

_QUIET: Final = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc")
_MISSING_REPOSITORY: Final = re.compile(
    r"not found|does not appear to be a git repository|does not exist|could not read Username"
    r"|Authentication failed|Permission denied \(|returned error: 40[134]",
    re.IGNORECASE,
)
MISSING_COMMIT: Final = re.compile(r"not our ref|no such ref|couldn't find remote ref")
_NEEDS_ALL: Final = re.compile(
    r"dumb http transport|unadvertised object|does not support shallow|couldn't find remote ref"
)


class UnresolvedError(GitError):
    """A repository, a ref or a commit was not found, or nobody could be asked; see `reason`."""

    def __init__(self, message: str, *, reason: Reason, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a ref is: a commit, and where that is known from.

    `url` is the remote that said so, empty for a commit that was named itself, and `ref` the full
    name of the branch or tag; `remembered` is when it did (seconds since the epoch), where it could
    not be asked again.
    """

    sha: str
    url: str = ""
    ref: str = ""
    remembered: float | None = None
    problem: str = ""


def fetch_commit(
    store: Path, url: str, sha: str, lock: int, variables: Mapping[str, str]
) -> Answer:
    """Fetch one commit; all of the repository where its server gives no single commits."""
    kept = f"+{sha}:{KEPT}/{sha}"
    command = ["fetch", *_QUIET, "--depth=1", "--", url, kept]
    answer = ask_remote(command, store, lock, variables=variables)
    if answer.code == 0 or not _NEEDS_ALL.search(answer.complaint):
        return answer
    spread = [f"+refs/{kind}/*:{KEPT}-all/{kind}/*" for kind in ("heads", "tags")]
    answer = ask_remote(["fetch", *_QUIET, "--", url, *spread], store, lock, variables=variables)
    if answer.code == 0 and _has_commit(store, sha):
        run_apart(["update-ref", f"{KEPT}/{sha}", sha], folder=store)
    return answer


def fetch_history(
    store: Path, url: str, sha: str, lock: int, variables: Mapping[str, str]
) -> Answer:
    """Fetch all branches and tags with their history, and a commit that may be on none of them."""
    spread = [f"+refs/{kind}/*:refs/{kind}/*" for kind in ("heads", "tags")]
    command = ["fetch", *_QUIET, "--prune", "--", url, *spread]
    answer = ask_remote(command, store, lock, variables=variables)
    if answer.code == 0 and not _has_commit(store, sha):
        command = ["fetch", *_QUIET, "--", url, sha]
        answer = ask_remote(command, store, lock, variables=variables)
    if answer.code == 0 and _has_commit(store, sha):
        run_apart(["update-ref", f"{KEPT}/{sha}", sha], folder=store)
    return answer


def fetch_with_history(
    store: Path, url: str, sha: str, lock: int, variables: Mapping[str, str]
) -> Answer:
    """Do what `fetch_history` does at once, where the server gives any commit."""
    spread = [f"+refs/{kind}/*:refs/{kind}/*" for kind in ("heads", "tags")]
    command = ["fetch", *_QUIET, "--prune", "--", url, *spread, f"+{sha}:{KEPT}/{sha}"]
    return ask_remote(command, store, lock, variables=variables)


def _has_commit(store: Path, sha: str) -> bool:
    question = ["cat-file", "-e", f"{sha}^{{commit}}"]
    return ask(question, folder=store, variables={"GIT_DIR": str(store)}).answer().code == 0


def ask_remote(
    arguments: Sequence[str],
    folder: Path,
    *files: int,
    patience: float | None = None,
    variables: Mapping[str, str] | None = None,
) -> Answer:
    """Ask git about a remote, with the user's configuration and without any question to them.

    It keeps `files` open as long as it lives, which is for `patience` seconds at most; `variables`
    are stronger than those of the user.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = {} if "GIT_SSH" in os.environ else {"GIT_SSH_COMMAND": _SSH}
    own |= {key: os.environ[key] for key in os.environ if _is_passed(key)}
    own |= variables or {}
    if (folder / "HEAD").exists():
        own["GIT_DIR"] = str(folder)
    else:
        own["GIT_CEILING_DIRECTORIES"] = str(folder.parent)
    question = ask([*_PATIENCE, *arguments], folder=folder, variables=own, files=files)
    return question.answer(patience)


def add_setting(name: str, value: str) -> dict[str, str]:
    """Return the variables that add a setting to those of the user, unseen by other processes."""
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    number = int(count) if count.isdecimal() else 0
    return {
        "GIT_CONFIG_COUNT": str(number + 1),
        f"GIT_CONFIG_KEY_{number}": name,
        f"GIT_CONFIG_VALUE_{number}": value,
    }


def _is_passed(variable: str) -> bool:
    return variable in PASSED_VARIABLES or _NUMBERED.fullmatch(variable) is not None


def list_candidates(ref: str) -> list[str]:
    """Return which refs an action's `@ref` may stand for, in the order in which Git looks."""
    full = [ref] if ref.startswith("refs/") else []
    return [*full, *(f"refs/{kind}{ref}" for kind in ("", "tags/", "heads/"))]


def list_branches_first(ref: str) -> list[str]:
    """Return which refs a checkout's `ref` may stand for; none at all is the default branch.

    Source: https://github.com/actions/checkout src/ref-helper.ts
    """
    if not ref:
        return [DEFAULT_BRANCH]
    return [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]


def look_up(
    url: str,
    ref: str,
    folder: Path,
    *,
    candidates: Sequence[str],
    variables: Mapping[str, str] | None = None,
) -> Resolved | str:
    """Return which commit a ref of a remote is, or why there is no such repository.

    The first of its `candidates` that is there counts. `folder` is where git runs, with `variables`
    beside those of the user.

    Raises:
        UnresolvedError: the repository has no such ref, or the remote does not answer.
    """
    patterns = [part for it in candidates for part in (it, f"{it}^{{}}")]
    command = ["ls-remote", "--quiet", "--symref", "--", url, *patterns]
    answer = ask_remote(command, folder, patience=LOOK_UP_SECONDS, variables=variables)
    if answer.code == 0:
        return _choose_ref(answer.output, candidates, ref, url)
    check_reachable(answer, url)
    return f"{url}: {first_line(answer.complaint)}"


def _choose_ref(listing: bytes, candidates: Iterable[str], ref: str, url: str) -> Resolved:
    """Return the first candidate that is there; a symbolic ref is what it stands for."""
    lines = [line.partition("\t") for line in decode(listing).splitlines()]
    names = {name: it[5:] for it, _, name in lines if it.startswith("ref: ")}
    refs = {name: it for it, _, name in lines if not it.startswith("ref: ")}
    for candidate in candidates:
        sha = refs.get(f"{candidate}^{{}}") or refs.get(candidate)
        if sha is not None:
            return Resolved(sha=sha, url=url, ref=names.get(candidate, candidate))
    if SHORT_SHA.fullmatch(ref):
        problem = (
            f"the provided ref `{ref}` is the shortened version of a commit SHA, which is not "
            "supported. Please use the full commit SHA instead."
        )
        raise UnresolvedError(problem, reason="ref", hint=f"{url} was asked")
    hint = f"name a branch, a tag or a full commit SHA; `git ls-remote {url}` lists them"
    raise UnresolvedError(f"unable to find version `{ref}`", reason="ref", hint=hint)


def check_reachable(answer: Answer, url: str) -> None:
    """Raise an error unless a remote said that it does not have the repository."""
    if not _MISSING_REPOSITORY.search(answer.complaint):
        raise UnresolvedError(
            f"Git cannot read {url}: {first_line(answer.complaint)}",
            reason="unreachable",
            hint="check the network, or name another place with --action-url",
        )


def describe_missing(name: str, refused: Sequence[str]) -> UnresolvedError:
    """Return the error for a repository that is nowhere; `refused` says what each place said."""
    tried = "; ".join(refused) or "no base URL is set"
    hint = (
        f"{tried}. If it is private, give Git access to it (`git ls-remote URL` tells); "
        f"--action-url URL names another server, --action {name}=FOLDER a folder of this machine"
    )
    return UnresolvedError("repository not found", reason="repository", hint=hint)


def first_line(complaint: str) -> str:
    """Return what git complains of in one line."""
    lines = [line.removeprefix("fatal: ").strip() for line in complaint.splitlines()]
    return next((line for line in lines if line and not line.startswith("warning:")), "git failed")
