"""Runs: which there are, ending one, running one again, forgetting one."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

from windlass.db.repositories import find_names, find_repository_named
from windlass.db.retention import remove_ended_runs
from windlass.db.runs import RunFilter, list_page
from windlass.errors import ConflictError, InvalidError
from windlass.model.values import replace
from windlass.operations.hosted import attempts
from windlass.operations.hosted.cursors import read_cursor, write_cursor
from windlass.operations.hosted.logs import find_attempt
from windlass.operations.hosted.operation import Operation
from windlass.operations.kept_jobs import ALL, FAILED, name_job
from windlass.protocol.api import runs as api
from windlass.stores.run_folders import RunFolders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.db.runs import AttemptRow
    from windlass.operations.hosted.site import Site
    from windlass.protocol.api.statistics import ShowStatistics

WORKFLOWS: Final = ".github/workflows/"
_BRANCHES: Final = "refs/heads/"


def list_runs(site: Site, given: api.ListRuns) -> api.RunPage:
    """List runs, newest first: all, or those of a repository, workflow, branch or state."""
    after = None if given.cursor is None else read_cursor(given.cursor, float, str)
    wanted = replace(read_filter(site, given), state=given.state)
    rows = list_page(site.store, wanted, given.limit + 1, after)
    shown = rows[: given.limit]
    last = shown[-1].run if len(rows) > given.limit else None
    return api.RunPage(
        items=_describe_runs(site, shown),
        next=None if last is None else write_cursor(last.created, last.id),
    )


def get_run(site: Site, given: api.FindRun) -> api.Run:
    """Show one run, as its last attempt is, or an earlier one."""
    return _describe_runs(site, [find_attempt(site, given.run, given.attempt)])[0]


def cancel_run(site: Site, given: api.CancelRun) -> api.Run:
    """Ask a run to end as GitHub does: `always()` still runs. It does not wait for the end.

    With `force` what runs is killed, and nothing else starts.
    """
    attempts.cancel_run(site, given.run, force=given.force)
    return show_last(site, given)


def rerun_run(site: Site, given: api.RerunRun) -> api.Run:
    """Run a run that has ended again, or what failed of it, or one job: as its next attempt.

    Commit, files, event and variables are the same; secrets are those of the moment.
    """
    if given.failed and given.job is not None:
        raise InvalidError("`failed` and `job` exclude each other")
    again = FAILED if given.failed else ALL
    if given.job is not None:
        again = name_job(given.job)
    attempts.rerun(site, given.run, again)
    return show_last(site, given)


def show_last(site: Site, given: api.CancelRun | api.RerunRun) -> api.Run:
    """Return a run as its last attempt is."""
    return _describe_runs(site, [find_attempt(site, given.run)])[0]


def delete_run(site: Site, given: api.DeleteRun) -> None:
    """Forget a run that has ended: its attempts, logs and events."""
    find_attempt(site, given.run)
    with site.store.writing() as connection:
        if not remove_ended_runs(connection, [given.run]):
            raise ConflictError(
                f"run {given.run} goes on", hint=f"`windlass cancel {given.run}` ends it"
            )
    # Without its row nobody finds the folder, so what cannot be removed now harms no one.
    shutil.rmtree(RunFolders(site.data).path / given.run, ignore_errors=True)


def read_filter(site: Site, given: api.ListRuns | ShowStatistics) -> RunFilter:
    """Return which runs of a repository, a workflow or a branch are meant.

    Raises:
        InvalidError: the repository of a workflow or a branch is not given.
    """
    if given.repository is None and (given.workflow or given.branch):
        raise InvalidError(
            "a workflow or a branch is one of a repository, and none is given",
            hint="name the repository too",
        )
    return RunFilter(
        repository=None if given.repository is None else _find_id(site, given.repository),
        path=None if given.workflow is None else find_workflow_path(given.workflow),
        ref=None if given.branch is None else _BRANCHES + given.branch.removeprefix(_BRANCHES),
    )


def find_workflow_path(name: str) -> str:
    """Return the path of a workflow's file that may be named without its folder."""
    return name if "/" in name else WORKFLOWS + name


def _find_id(site: Site, name: str) -> str:
    """Return the id of a repository; one that was removed is known by its id alone."""
    found = find_repository_named(site.store, name)
    return name if found is None else found.id


def _describe_runs(site: Site, rows: Sequence[AttemptRow]) -> list[api.Run]:
    names = find_names(site.store, {row.run.repository for row in rows})
    return [_describe_run(row, names.get(row.run.repository, row.run.repository)) for row in rows]


def _describe_run(row: AttemptRow, repository: str) -> api.Run:
    run = row.run
    result: Any = None if row.result is None else row.result.value
    return api.Run(
        run=run.id,
        attempt=row.attempt,
        number=run.number,
        repository=repository,
        workflow=run.workflow,
        path=run.path,
        event=run.event,
        sha=run.sha,
        ref=run.ref,
        state=result or "running",
        result=result,
        created=run.created,
        started=row.started,
        finished=row.finished,
    )


OPERATIONS: Final = (
    Operation(
        call=api.LIST,
        effect="read",
        function=list_runs,
    ),
    Operation(
        call=api.GET,
        effect="read",
        function=get_run,
        errors=("missing",),
    ),
    Operation(
        call=api.CANCEL,
        effect="write",
        function=cancel_run,
        status=202,
        errors=("missing", "conflict"),
        again=show_last,
    ),
    Operation(
        call=api.RERUN,
        effect="write",
        function=rerun_run,
        status=201,
        errors=("missing", "conflict"),
        again=show_last,
    ),
    Operation(
        call=api.DELETE,
        effect="write",
        function=delete_run,
        status=204,
        errors=("missing", "conflict"),
    ),
)
