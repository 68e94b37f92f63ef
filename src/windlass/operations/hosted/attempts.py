"""Runs of a server and their attempts: what one is made of, how it is started, ended, run again.

What an attempt is made of is written down when it is entered, the repository's variables with it:
a machine that is told its journal again must decide as the first one did. Secrets are not, since
no machine knows them; each job gets those of the moment in which a runner takes it.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from windlass.db.announcements import add_announcements
from windlass.db.definitions import add_definition, find_definition
from windlass.db.runs import (
    AttemptRow,
    RunRow,
    enter_attempt,
    enter_run,
    find_by_delivery,
    find_repository_of,
    list_attempts,
    lock_numbers,
    lock_run,
    next_number,
)
from windlass.engine.journals.server import ServerJournal
from windlass.engine.key_cover import KeyCover
from windlass.engine.server.changes import INBOX, JOBS, name_attempt
from windlass.engine.server.runs import ServerRuns, Staged, StrandedError
from windlass.errors import ConflictError, MissingError, PlatformError
from windlass.model.status import Result
from windlass.model.values import dataclass, field, replace
from windlass.operations.attempts import make_machine
from windlass.operations.definitions import read_definition, write_definition
from windlass.operations.kept_jobs import find_kept_jobs, read_workflow_of
from windlass.plan.signals import CancelRequested
from windlass.protocol import events
from windlass.protocol.event_lines import write_event

if TYPE_CHECKING:
    from windlass.db.connections import Connection, Store
    from windlass.engine.server.changes import Changes
    from windlass.lang.workflow.model import Workflow
    from windlass.operations.definitions import Definition
    from windlass.operations.hosted.site import Site

CANCELLED: Final = "The run was cancelled"
_MOST_DEFINITIONS: Final = 200
_MOST_WORKFLOWS: Final = 50


def make_runs(store: Store, changes: Changes) -> ServerRuns:
    """Return the driver of a server's runs; `changes` hears of every step that one takes."""

    def tell(run: str, attempt: int) -> None:
        for topic in (name_attempt(run, attempt), JOBS, INBOX):
            changes.tell(topic)

    return ServerRuns(store, functools.partial(open_attempt, store), tell)


def open_attempt(store: Store, run: str, attempt: int) -> Staged:
    """Return what an attempt is made of; its machine has been told nothing yet.

    Raises:
        PlatformError: there is no such attempt, or another version wrote what it is made of.
    """
    return _stage(store, find_repository_of(store, run), find_attempt(store, run, attempt))


def find_attempt(store: Store, run: str, attempt: int) -> Definition:
    """Return what an attempt was defined as; its repository has no root, and there are no secrets.

    It never changes, so the last ones are kept in memory.

    Raises:
        PlatformError: there is no such attempt.
        InputError: another version wrote it.
    """
    key: Any = store
    return _read_attempt(key, run, attempt)


@functools.lru_cache(maxsize=_MOST_DEFINITIONS)
def _read_attempt(store: Store, run: str, attempt: int) -> Definition:
    name = f"the definition of run {run}, attempt {attempt},"
    text = find_definition(store, run, attempt)
    if text is None:
        raise PlatformError(f"{name} is not in the database")
    return read_definition(text, name)


def start_run(
    site: Site, repository: str, definition: Definition, *, delivery: str | None = None
) -> str:
    """Start a run of a repository, and return its id.

    The definition's run, attempt, number and time are filled in, and the repository's variables;
    its secrets are left out. `delivery` names what causes the run: where it has started one of the
    same workflow file before, that one is returned and nothing is started.

    Raises:
        MissingError: there is no such repository.
        PlatformError: the database cannot be used.
    """
    with site.store.writing() as connection:
        run = begin_run(site, connection, repository, definition, delivery=delivery)
    site.runs.notice(run, 1)
    return run


def begin_run(
    site: Site,
    connection: Connection,
    repository: str,
    definition: Definition,
    *,
    delivery: str | None = None,
) -> str:
    """Do what `start_run` does as a part of a transaction.

    When that is committed, `site.runs.notice(run, 1)` has to be called.
    """
    if not lock_numbers(connection, repository):
        raise MissingError(f"there is no repository {repository}")
    known = delivery and find_by_delivery(connection, repository, delivery, definition.path)
    if known:
        return known
    now = site.now()
    variables = {**site.values.find_variables(repository), **definition.given.vars}
    definition = replace(
        definition,
        attempt=1,
        number=next_number(connection, definition.path, repository),
        created=now,
        given=replace(definition.given, vars=variables, secrets={}),
    )
    row = _enter_run(connection, _describe(definition, repository, delivery), now)
    definition = replace(definition, run=row.id)
    _begin(site, connection, AttemptRow(run=row, attempt=1, started=now), definition)
    return row.id


def cancel_run(site: Site, run: str, reason: str = CANCELLED, *, force: bool = False) -> int:
    """Ask the last attempt of a run to end, and return its number.

    With `force` what runs is killed and nothing else starts, whatever its condition.

    Raises:
        MissingError: there is no such run.
        ConflictError: it has ended.
        PlatformError: the database cannot be used.
    """
    attempts = list_attempts(site.store, run)
    if not attempts:
        raise _miss(run)
    number = attempts[-1].attempt
    try:
        told = site.runs.tell(run, number, CancelRequested(reason, force), also=site.claim)
    except StrandedError as error:
        # Nothing else could be done with it, and until then its jobs would wait for ever.
        message = f"{reason}. {error.message}"
        told = site.runs.break_off(run, number, Result.CANCELLED, message, also=site.claim)
    if not told:
        raise ConflictError(f"run {run} has ended")
    return number


def rerun(site: Site, run: str, again: str) -> int:
    """Run again what a run has run, as a new attempt, and return the number of that.

    Commit, files, event and variables are the same, secrets those of the moment. `again` is ALL,
    FAILED or what `name_job` returns, of `windlass.operations.kept_jobs`; the other jobs count as
    they have ended.

    Raises:
        MissingError: there is no such run.
        ConflictError: it goes on at this moment.
        InputError, UsageError: it has no such job, or nothing of it has failed.
        PlatformError: the database cannot be used, or another version of Windlass began the run.
    """
    with site.store.writing() as connection:
        site.claim(connection)
        before = lock_run(connection, run)
        if before is None:
            raise _miss(run)
        if before.result is None:
            raise ConflictError(
                f"run {run} goes on at this moment", hint=f"`windlass cancel {run}` ends it"
            )
        definition = find_attempt(site.store, run, before.attempt)
        definition = replace(definition, attempt=before.attempt + 1, again=again)
        row = AttemptRow(run=before.run, attempt=definition.attempt, started=site.now())
        _begin(site, connection, row, definition)
    site.runs.notice(run, definition.attempt)
    return definition.attempt


def _begin(site: Site, connection: Connection, row: AttemptRow, definition: Definition) -> None:
    """Enter an attempt and take its first step."""
    enter_attempt(connection, row)
    run, attempt = row.run, row.attempt
    add_definition(connection, run.id, attempt, write_definition(definition, lambda text: text))
    start = events.RunStarted(
        run=run.id, workflow=run.workflow, path=run.path, github_event=run.event, sha=run.sha
    )
    add_announcements(connection, run.id, attempt, [write_event(start, row.started)])
    staged = _stage(site.store, run.repository, definition)
    site.runs.begin(connection, run.id, attempt, staged)


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a workflow: many runs have the same, and these are read once."""

    path: str
    texts: tuple[tuple[str, str], ...]
    definition: Definition = field(compare=False, repr=False)


@functools.lru_cache(maxsize=_MOST_WORKFLOWS)
def _read_workflow(files: _Files) -> Workflow:
    return read_workflow_of(files.definition)


def _stage(store: Store, repository: str, definition: Definition) -> Staged:
    workflow = _read_workflow(_Files(definition.path, tuple(definition.texts.items()), definition))
    cover = KeyCover(lambda text: text)
    run, attempt = definition.run, definition.attempt
    staged = Staged(
        repository,
        make_machine(definition, workflow),
        ServerJournal(store, run, attempt, cover),
        cover,
    )
    if definition.again:
        earlier = replace(definition, attempt=attempt - 1)
        journal = ServerJournal(store, run, attempt - 1, KeyCover(lambda text: text))
        staged.kept = find_kept_jobs(earlier, workflow, journal, definition.again)
    return staged


def _enter_run(connection: Connection, row: RunRow, now: float) -> RunRow:
    """Enter a run under an id that nobody has: microseconds since the epoch, or a few more."""
    run = replace(row, id=str(int(now * 1_000_000)))
    while not enter_run(connection, run):
        run = replace(run, id=str(int(run.id) + 1))
    return run


def _describe(definition: Definition, repository: str, delivery: str | None) -> RunRow:
    event = definition.event
    return RunRow(
        id="",
        number=definition.number,
        workflow=definition.name,
        path=definition.path,
        event=event.name,
        sha=event.sha,
        ref=event.ref,
        created=definition.created,
        repository=repository,
        delivery=delivery,
    )


def _miss(run: str) -> MissingError:
    return MissingError(f"there is no run {run}", hint="`windlass runs` lists them")
