"""Actions of other repositories as one run sees them: which commit each is, and its files.

A ref is looked up once in a run, so that all of its jobs use the same commit.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.git.asking_remotes import UnresolvedError, list_branches_first
from windlass.git.remote_actions import RemoteRepositories
from windlass.jobs.actions.manifests import MANIFESTS, LoadingError
from windlass.lang.casing import fold
from windlass.model.values import dataclass
from windlass.stores.user_cache import find_user_cache

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from windlass.model.action_sources import ActionSources
    from windlass.plan.references import Reference

REPOSITORIES: Final = "repositories"
CHECKOUTS: Final = "checkouts"
HISTORIES: Final = "histories"
"""In the user's cache: commits of actions, single commits that were checked out, and all else."""

GITHUB: Final = "https://github.com"
UNRESOLVED: Final = "Unable to resolve action `{}`, {}"
DEEPEST_SUGGESTION: Final = 3
MOST_AT_ONCE: Final = 8
"""How many repositories are fetched at the same time."""

_SUGGESTIONS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Where an action is: a commit of its repository, or a folder of this machine.

    `remarks` are what a user should know about how it was found.
    """

    sha: str = ""
    folder: Path | None = None
    remarks: tuple[str, ...] = ()


class PublishedActions:
    """Finds repositories of others and writes their files; shared by the jobs of a run."""

    def __init__(self, sources: ActionSources, server_url: str) -> None:
        """Take what the user has said, and the server of the repository itself."""
        self._urls, self._offline = sources.urls, sources.offline
        self._guess = None if sources.urls or server_url == GITHUB else server_url
        self._repositories = RemoteRepositories(
            find_user_cache() / REPOSITORIES,
            sources.urls or (GITHUB,),
            guess=self._guess,
            offline=sources.offline,
        )
        self._folders = {fold(name): Path(it) for name, it in sources.folders.items()}
        self._pins = {_fold_name(key): sha for key, sha in sources.pins.items()}
        self._found: dict[str, Located] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()

    def locate(self, reference: Reference) -> Located:
        """Return where an action is; what has to be fetched is fetched.

        Raises:
            UnresolvedError: there is no such repository or ref, or no remote could be reached.
            PlatformError: git failed, or what is fetched cannot be kept.
        """
        key = _fold_name(reference.key)
        with self._lock:
            own = self._locks[key]
        with own:
            if key not in self._found:
                self._found[key] = self._find(reference)
            return self._found[key]

    def open_for_checkout(
        self, *, urls: tuple[str, ...], variables: Mapping[str, str], with_history: bool
    ) -> RemoteRepositories:
        """Return what finds repositories for a checkout: nothing is pinned or stood in for there.

        `urls` are where they are looked for instead of github.com and the server of the repository
        itself, unless the user has said where; `variables` are those of Git beside the user's.
        """
        return RemoteRepositories(
            find_user_cache() / (HISTORIES if with_history else CHECKOUTS),
            self._urls or urls or (GITHUB,),
            guess=None if urls else self._guess,
            offline=self._offline,
            variables=variables,
            with_history=with_history,
            candidates=list_branches_first,
        )

    def fetch(self, references: Iterable[Reference]) -> None:
        """Locate several at once; what goes wrong is told to whoever locates that one."""
        # Imported only where there are several.
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
            for future in [pool.submit(self.locate, reference) for reference in references]:
                future.exception()

    def pins(self) -> Mapping[str, str]:
        """Return the commits that were used so far, by `owner/name@ref`."""
        return {key: found.sha for key, found in self._found.copy().items() if found.sha}

    def write(self, reference: Reference, folder: Path) -> tuple[str, ...]:
        """Write the files of a repository to a folder of its own; return what is to be said.

        Raises:
            UnresolvedError: there is no such repository or ref, or no remote could be reached.
            PlatformError: git failed, or a file cannot be written.
        """
        located = self.locate(reference)
        if located.folder is not None:
            _copy(located.folder, folder)
            return located.remarks
        left_out = self._repositories.write(reference.name, located.sha, folder)
        remarks = (
            f"The symbolic link '{link}' of {reference.key} leads out of its folder and is left out"
            for link in left_out
        )
        return (*located.remarks, *remarks)

    def read(self, reference: Reference, path: str, *, most_bytes: int) -> bytes | None:
        """Return the content of a file of a repository; None where it has no such file.

        Raises:
            UnresolvedError: there is no such repository or ref, or no remote could be reached.
            PlatformError: git failed.
        """
        located = self.locate(reference)
        if located.folder is None:
            return self._repositories.read(reference.name, located.sha, path, most_bytes=most_bytes)
        file = located.folder / path
        inside = file.resolve().is_relative_to(located.folder.resolve())
        return file.read_bytes() if inside and file.is_file() else None

    def ask(self, reference: Reference) -> str:
        """Return which commit a ref is at this moment, whatever is pinned; nothing is fetched.

        Raises:
            UnresolvedError: there is no such repository or ref, or no remote could be reached.
        """
        return self._repositories.resolve(reference.name, reference.ref).sha

    def check(self, reference: Reference) -> None:
        """Have a commit at hand and look at every object of it.

        Raises:
            UnresolvedError: there is no such repository or ref, or no remote could be reached.
            GitError: what is kept of it is damaged.
        """
        located = self.locate(reference)
        if located.folder is None:
            self._repositories.check(reference.name, located.sha)

    def _find(self, reference: Reference) -> Located:
        folder = self._stand_in(reference)
        if folder is not None:
            if not folder.is_dir():
                raise UnresolvedError(f"{folder} is not a folder", reason="repository")
            said = f"{reference.key} is taken from {folder}"
            return Located(folder=folder, remarks=(said,))
        sha = self._pins.get(_fold_name(reference.key))
        if sha is not None:
            self._repositories.provide(reference.name, sha)
            return Located(sha=sha)
        resolved = self._repositories.resolve(reference.name, reference.ref)
        self._repositories.provide(reference.name, resolved.sha)
        if not resolved.problem or resolved.remembered is None:
            return Located(sha=resolved.sha)
        when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(resolved.remembered))
        said = f"{resolved.problem}. {reference.key} is taken as it was on {when}"
        return Located(sha=resolved.sha, remarks=(said,))

    def _stand_in(self, reference: Reference) -> Path | None:
        for key in (reference.key, reference.name):
            if fold(key) in self._folders:
                return self._folders[fold(key)]
        return None


def explain_unresolved(reference: Reference, error: PlatformError) -> LoadingError:
    """Return the error of a job that needs an action which is not there, in GitHub's words."""
    if isinstance(error, UnresolvedError) and error.reason == "unreachable":
        message = f"Failed to resolve action download info. Error: {error.message}"
    elif isinstance(error, UnresolvedError):
        message = UNRESOLVED.format(reference.key, error.message)
    else:
        message = f"Failed to download the action {reference.key}. Error: {error.message}"
    return LoadingError(". ".join(it.rstrip(".") for it in (message, error.hint) if it))


def explain_missing(reference: Reference, root: Path) -> str:
    """Say that a repository has no action where one was looked for, and where it has some."""
    inside = f"/{reference.path}" if reference.path else ""
    uses = f"{reference.name}{inside}@{reference.ref}"
    message = f"Can't find 'action.yml', 'action.yaml' or 'Dockerfile' for action '{uses}'."
    found = [f"'{reference.name}{it}@{reference.ref}'" for it in _suggest(root)]
    return f"{message} The repository has {', '.join(found)}." if found else message


def _suggest(root: Path) -> list[str]:
    """Return the folders of a repository that have an action, the first few."""
    found: set[str] = set()
    for depth in range(DEEPEST_SUGGESTION + 1):
        for manifest in MANIFESTS:
            for path in root.glob("*/" * depth + manifest):
                inside = path.parent.relative_to(root).as_posix()
                found.add("" if inside == "." else f"/{inside}")
    return sorted(found)[:_SUGGESTIONS]


def _fold_name(key: str) -> str:
    """Return `owner/name@ref` with the case of what has none: a ref has."""
    name, _, ref = key.partition("@")
    return f"{name.lower()}@{ref}"


def _copy(source: Path, destination: Path) -> None:
    """Copy a folder of this machine, as it is now, without its Git folder."""
    try:
        shutil.copytree(source, destination, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    except (OSError, shutil.Error) as error:
        raise PlatformError(f"{source} cannot be copied: {error}") from error
