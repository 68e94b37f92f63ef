"""Repositories that others publish: which commit a ref is, and the content of commits, kept by Git.

Git itself fetches, with the user's configuration: proxies, credential helpers, `insteadOf`. Each
repository has one bare repository in a folder of the user's, which holds the commits that were
asked for, without their history, each under `refs/windlass/SHA`. A commit that is there is never
asked for again; `windlass-refs.json` beside it remembers which commit a branch or tag was, for the
time when no remote can be reached.

What is fetched is not trusted: content is written without the user's configuration, so that no
filter or hook runs, and symbolic links that lead out of the folder are left out.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import time
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import GitError, WorkspaceError
from windlass.git.asking_remotes import (
    KEPT,
    MISSING_COMMIT,
    Resolved,
    UnresolvedError,
    check_reachable,
    describe_missing,
    fetch_commit,
    fetch_history,
    first_line,
    list_candidates,
    look_up,
)
from windlass.git.commands import decode, run_apart
from windlass.git.folders import make_git_folder
from windlass.git.kept_repositories import LOCK
from windlass.git.trees import scratch_index, shadow_variables, sweep_scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

SHA: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
REFS_FILE: Final = "windlass-refs.json"
LINK_MODE: Final = "120000"


class RemoteRepositories:
    """Repositories below a list of base URLs, by `owner/name`, and what is kept of them.

    A base is anything that Git takes as the beginning of a URL: `https://github.com`,
    `ssh://git@host`, `git@host:`, `file:///srv/git`, a folder. The first one that has a repository
    answers for it. `guess` is asked before them, and nobody has said that it has any: it may be out
    of reach. With `offline` no remote is asked. `variables` are stronger than those of the user.

    `candidates` lists the full refs that a name may stand for. With `with_history` a repository is
    kept whole, with all branches and tags, and brought up to date each time.
    """

    def __init__(
        self,
        folder: Path,
        bases: Sequence[str],
        *,
        guess: str | None = None,
        offline: bool = False,
        variables: Mapping[str, str] | None = None,
        with_history: bool = False,
        candidates: Callable[[str], list[str]] = list_candidates,
    ) -> None:
        self._variables = dict(variables or {})
        self._with_history = with_history
        self._candidates = candidates
        self._folder = folder
        self._guess = guess
        self._bases = (*([] if guess is None else [guess]), *bases)
        self._offline = offline

    def resolve(self, name: str, ref: str) -> Resolved:
        """Return the commit that a branch, a tag or a full SHA of a repository is.

        Raises:
            UnresolvedError: there is no such repository or ref, or nobody could be asked and
                nothing is remembered.
        """
        if SHA.fullmatch(ref.lower()):
            return Resolved(sha=ref.lower())
        if self._offline:
            problem = UnresolvedError(f"{name}@{ref} is not known offline", reason="unreachable")
            return self._remember(name, ref, problem)
        try:
            found = self._ask_for_ref(name, ref)
        except UnresolvedError as error:
            if error.reason != "unreachable":
                raise
            return self._remember(name, ref, error)
        self._note(name, ref, found)
        return found

    def provide(self, name: str, sha: str) -> None:
        """Have a commit at hand, fetching it where it is not.

        Raises:
            UnresolvedError: no remote has it, or none could be reached.
            WorkspaceError: it cannot be kept.
        """
        is_there = self.has(name, sha)
        if is_there and (self._offline or not self._with_history):
            return
        if self._offline:
            raise UnresolvedError(
                f"the commit {sha} of {name} has not been fetched yet",
                reason="unreachable",
                hint="run once without --offline",
            )
        with self._lock(name) as lock:
            if self._with_history or not self.has(name, sha):
                try:
                    self._fetch_from_any(lock, name, sha)
                except UnresolvedError as error:
                    if error.reason != "unreachable" or not is_there:
                        raise

    def has(self, name: str, sha: str) -> bool:
        """Tell whether a commit is at hand."""
        return (self.find_store(name) / KEPT / sha).is_file()

    def write(self, name: str, sha: str, destination: Path) -> tuple[str, ...]:
        """Write a commit's files to a folder, which is made; return the links that are left out.

        Raises:
            GitError: a file cannot be written.
        """
        store = self.find_store(name)
        destination.mkdir(parents=True, exist_ok=True)
        with scratch_index(store) as index:
            variables = shadow_variables(store, index=index, work_tree=destination)
            command = ["read-tree", "--reset", "-u", sha]
            try:
                run_apart(command, folder=destination, variables=variables)
            except GitError as error:
                hint = f"if what is kept there is damaged, remove {store}: it is fetched again"
                raise GitError(error.message, hint=hint) from error
        return tuple(_remove_stray_links(destination, self._list_links(name, sha)))

    def check(self, name: str, sha: str) -> None:
        """Look at every object of a commit.

        Raises:
            GitError: one is damaged or missing.
        """
        store = self.find_store(name)
        command = ["fsck", "--full", "--no-dangling", "--no-progress", sha]
        try:
            run_apart(command, folder=store)
        except GitError as error:
            raise GitError(
                f"what is kept of {name} is damaged: {error.message}",
                hint=f"remove {store}; it is fetched again",
            ) from error

    def read(self, name: str, sha: str, path: str, *, most_bytes: int) -> bytes | None:
        """Return the content of a file of a commit; None where there is no such file.

        Raises:
            GitError: it is larger than `most_bytes`, or git failed.
        """
        store = self.find_store(name)
        listing = run_apart(["ls-tree", "-l", "-z", sha, "--", path], folder=store)
        facts, _, _ = decode(listing).partition("\t")
        if not facts:
            return None
        mode, kind, blob, size = facts.split()
        if kind != "blob" or mode == LINK_MODE:
            return None
        if int(size) > most_bytes:
            raise GitError(f"{path} of {name} is larger than {most_bytes} bytes")
        return run_apart(["cat-file", "blob", blob], folder=store)

    def find_store(self, name: str) -> Path:
        """Return the bare repository in which a repository is kept."""
        owner, _, repository = name.lower().partition("/")
        return self._folder / owner / f"{repository}.git"

    @contextlib.contextmanager
    def _lock(self, name: str) -> Iterator[int]:
        """Keep others out of the bare repository of a name, which is made where it is missing.

        Yields the file that is locked: whoever has it open keeps the lock.
        """
        store = self.find_store(name)
        try:
            store.mkdir(parents=True, exist_ok=True)
            lock = (store / LOCK).open("w")
        except OSError as error:
            raise WorkspaceError(
                f"{store} cannot be made: {error.strerror}",
                hint="XDG_CACHE_HOME names another folder for what is fetched",
            ) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (store / "HEAD").exists():
                make_git_folder(store, [], bare=True, wide=False)
            yield lock.fileno()

    # What a ref is

    def _ask_for_ref(self, name: str, ref: str) -> Resolved:
        refused: list[str] = []
        for url in self._urls(name):
            try:
                found = look_up(
                    url,
                    ref,
                    self._folder,
                    candidates=self._candidates(ref),
                    variables=self._variables,
                )
            except UnresolvedError as error:
                if not self._may_be_silent(url, error):
                    raise
                found = error.message
            if isinstance(found, Resolved):
                return found
            refused.append(found)
        raise describe_missing(name, refused)

    def _may_be_silent(self, url: str, error: UnresolvedError) -> bool:
        is_guess = self._guess is not None and url.startswith(self._guess)
        return is_guess and error.reason == "unreachable"

    def _urls(self, name: str) -> Iterator[str]:
        """Yield where a repository may be, the likeliest first."""
        for base in self._bases:
            start = base if base.endswith((":", "/")) else f"{base}/"
            yield f"{start}{name}"
            if start.startswith("http") and not start.startswith("https://github.com/"):
                yield f"{start}{name}.git"

    def _remember(self, name: str, ref: str, problem: UnresolvedError) -> Resolved:
        known = self._read_notes(name).get(ref)
        if not isinstance(known, dict) or known.get("bases") != list(self._bases):
            raise problem
        return Resolved(
            sha=known["sha"],
            url=known["url"],
            ref=known.get("ref", ""),
            remembered=known["seen"],
            problem="" if self._offline else problem.message,
        )

    def _note(self, name: str, ref: str, found: Resolved) -> None:
        known = self._read_notes(name)
        fact = {"sha": found.sha, "url": found.url, "ref": found.ref, "bases": list(self._bases)}
        if {**known.get(ref, {}), "seen": None} == {**fact, "seen": None}:
            return
        with self._lock(name):
            store = self.find_store(name)
            known = {**self._read_notes(name), ref: {**fact, "seen": time.time()}}
            beside = store / f"{REFS_FILE}.new"
            beside.write_text(json.dumps(known, indent=1), encoding="utf-8")
            beside.replace(store / REFS_FILE)

    def _read_notes(self, name: str) -> dict[str, Any]:
        try:
            notes = json.loads((self.find_store(name) / REFS_FILE).read_bytes())
        except (OSError, ValueError):
            return {}
        return notes if isinstance(notes, dict) else {}

    # Fetching

    def _fetch_from_any(self, lock: int, name: str, sha: str) -> None:
        store = self.find_store(name)
        # Whoever held these is dead: git keeps our lock open until it ends.
        for folder, names in (("", "*.lock"), ("refs", "**/*.lock"), ("objects", "*/tmp_*")):
            for stale in (store / folder).glob(names):
                stale.unlink(missing_ok=True)
        sweep_scratch(store)
        fetch = fetch_history if self._with_history else fetch_commit
        refused: list[str] = []
        is_there = False
        for url in self._urls(name):
            answer = fetch(store, url, sha, lock, self._variables)
            if answer.code == 0 and self.has(name, sha):
                return
            if answer.code == 0 or MISSING_COMMIT.search(answer.complaint):
                is_there = True
                continue
            if self._guess is None or not url.startswith(self._guess):
                check_reachable(answer, url)
            refused.append(f"{url}: {first_line(answer.complaint)}")
        if is_there:
            raise UnresolvedError(
                f"{name} has no commit {sha}", reason="ref", hint="name a commit that is there"
            )
        raise describe_missing(name, refused)

    def _list_links(self, name: str, sha: str) -> list[str]:
        listing = run_apart(["ls-tree", "-r", "-z", sha], folder=self.find_store(name))
        entries = (it.partition("\t") for it in decode(listing).split("\0"))
        return [path for facts, _, path in entries if facts.startswith(LINK_MODE)]


def _remove_stray_links(folder: Path, links: Iterable[str]) -> Iterator[str]:
    """Remove the symbolic links that lead out of a folder, and yield them."""
    root = os.path.realpath(folder)
    for link in links:
        path = os.path.join(root, link)  # noqa: PTH118 - names in any bytes
        leads_to = os.path.realpath(path)
        if os.path.islink(path) and not f"{leads_to}/".startswith(f"{root}/"):  # noqa: PTH114
            os.unlink(path)  # noqa: PTH108
            yield link
