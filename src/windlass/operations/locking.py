"""`actions lock`, `actions update`, `actions verify`: keeping `windlass.lock`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from windlass.errors import PlatformError, UsageError
from windlass.git.repository import read_repository
from windlass.jobs.actions.published import PublishedActions
from windlass.lang.diagnostics import Diagnostic, Severity, has_error
from windlass.model.values import dataclass, replace
from windlass.operations.action_locks import LOCK_FILE, read_lock, write_lock
from windlass.operations.called_workflows import CalledWorkflows
from windlass.operations.loading import load_workflows
from windlass.operations.used_repositories import find_used
from windlass.plan.references import Reference, is_full_sha, read_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from windlass.model.action_sources import ActionSources


@dataclass(frozen=True, slots=True)
class PinChange:
    """One line of the lock file that changed; the commit before or after is empty where none is."""

    key: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LockReport:
    """What came of locking: nothing is written where a diagnostic is an error."""

    root: Path
    pins: Mapping[str, str]
    changes: tuple[PinChange, ...]
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What was found: an error where the lock file does not hold for the workflows as they are."""

    root: Path
    pins: Mapping[str, str]
    diagnostics: tuple[Diagnostic, ...]


def lock_actions(folder: Path, sources: ActionSources) -> LockReport:
    """Add to the lock file what workflows use and it does not have, and drop what they do not use.

    Raises:
        InputError: there is no repository, no workflow, or the lock file is none.
        PlatformError: Git failed, or the lock file cannot be written.
    """
    work = _Work(folder, sources)
    return work.lock(work.locked)


def update_actions(folder: Path, sources: ActionSources, names: Sequence[str] = ()) -> LockReport:
    """Ask anew which commits the refs are, of all or of the repositories that are named.

    `names` are `owner/name` or `owner/name@ref`.

    Raises:
        UsageError: a name is not in the lock file.
        InputError: there is no repository, no workflow, or the lock file is none.
        PlatformError: Git failed, or the lock file cannot be written.
    """
    work = _Work(folder, sources)
    for name in names:
        if not any(_is_named(key, name) for key in work.locked):
            raise UsageError(
                f"{LOCK_FILE} has no {name}", hint="`windlass actions lock` adds what is missing"
            )
    kept = {
        key: sha
        for key, sha in work.locked.items()
        if names and not any(_is_named(key, name) for name in names)
    }
    return work.lock(kept)


def verify_actions(folder: Path, sources: ActionSources) -> VerifyReport:
    """Compare the lock file with the workflows, with the remotes and with what is kept of them.

    Raises:
        InputError: there is no repository, no workflow, or the lock file is none.
        PlatformError: Git failed.
    """
    work = _Work(folder, sources)
    used, problems = work.find_used(work.locked)
    found = [*problems, *_compare(work.locked, used), *work.check_commits()]
    return VerifyReport(root=work.root, pins=work.locked, diagnostics=tuple(found))


class _Work:
    """One repository, its lock file, and where others are."""

    def __init__(self, folder: Path, sources: ActionSources) -> None:
        repository = read_repository(folder)
        self.root = Path(repository.root)
        self.locked = read_lock(self.root)
        self._server = repository.server_url
        self._sources = sources

    def lock(self, kept: Mapping[str, str]) -> LockReport:
        """Write the lock file with the commits that are kept and those that are asked for."""
        pins, problems = self.find_used(kept)
        is_current = pins == self.locked and (self.root / LOCK_FILE).exists()
        if not is_current and not has_error(problems):
            write_lock(self.root, pins)
        return LockReport(
            root=self.root,
            pins=pins,
            changes=tuple(_list_changes(self.locked, pins)),
            diagnostics=problems,
        )

    def find_used(self, pins: Mapping[str, str]) -> tuple[dict[str, str], tuple[Diagnostic, ...]]:
        """Return the refs that workflows use with their commits, and what is wrong."""
        published = self._publish(pins)
        calls = CalledWorkflows(lambda: published)
        library = load_workflows(self.root, read_published=calls.read)
        used = find_used(library.workflows, self.root, published)
        commits = {key: sha for key, sha in used.commits.items() if not _names_commit(key)}
        return commits, (*library.diagnostics, *used.problems)

    def check_commits(self) -> Iterator[Diagnostic]:
        """Look at each locked commit: whether it is whole, and whether its ref is still there."""
        locked, fresh = self._publish(self.locked), self._publish({})
        for key, sha in self.locked.items():
            reference = read_reference(key)
            if reference is None:
                continue
            try:
                locked.check(reference)
                if not self._sources.offline:
                    yield from _compare_ref(reference, sha, fresh.ask(reference))
            except PlatformError as error:
                yield Diagnostic(
                    code="lock-unavailable",
                    message=f"{LOCK_FILE}: {key}: {error.message}",
                    hint=error.hint,
                )

    def _publish(self, pins: Mapping[str, str]) -> PublishedActions:
        return PublishedActions(replace(self._sources, pins=pins), self._server)


def _compare(locked: Mapping[str, str], used: Mapping[str, str]) -> Iterator[Diagnostic]:
    for key in used:
        if key not in locked:
            yield Diagnostic(
                code="lock-missing",
                message=f"{LOCK_FILE} does not have {key}, which is used",
                hint="`windlass actions lock` adds it",
            )
    for key in locked:
        if key not in used:
            yield Diagnostic(
                code="lock-unused",
                message=f"{LOCK_FILE} has {key}, which is not used",
                severity=Severity.WARNING,
                hint="`windlass actions lock` drops it",
            )


def _compare_ref(reference: Reference, sha: str, now: str) -> Iterator[Diagnostic]:
    if now != sha:
        yield Diagnostic(
            code="lock-moved",
            message=f"{reference.key} was {sha} when it was locked and is {now} now",
            severity=Severity.WARNING,
            hint=f"look at what changed; `windlass actions update {reference.key}` takes it",
        )


def _list_changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[PinChange]:
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield PinChange(key, before.get(key, ""), after.get(key, ""))


def _is_named(key: str, name: str) -> bool:
    return key == name or key.partition("@")[0] == name


def _names_commit(key: str) -> bool:
    """Tell whether a ref is a commit itself: there is nothing to lock."""
    return is_full_sha(key.partition("@")[2])
