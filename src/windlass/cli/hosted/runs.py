"""The runs of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.cli.hosted.fields import make_input
from windlass.cli.hosted.opening import find_run, open_client, to_row
from windlass.cli.servers import add_server_option, require_server
from windlass.model.status import Result

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser
    from windlass.client.logins import Login
    from windlass.db.runs import AttemptRow
    from windlass.operations.run_views import Status

_ON_A_PAGE: Final = 100


def list_runs(server: Login, arguments: argparse.Namespace) -> list[tuple[AttemptRow, Status]]:
    """Return the runs that are wanted, newest first, with their states."""
    from windlass.protocol.api import runs

    given = make_input(
        runs.ListRuns,
        repository=arguments.repository,
        workflow=arguments.workflow,
        branch=arguments.branch,
        state=arguments.state,
        limit=min(arguments.limit or _ON_A_PAGE, _ON_A_PAGE),
    )
    with open_client(server) as client:
        rows = [to_row(run) for run in client.list_all(runs.LIST, given, arguments.limit or None)]
    return [(row, state_of(row)) for row in rows]


def state_of(row: AttemptRow) -> Status:
    """Return the result of an attempt, or that it runs."""
    return "running" if row.result is None else Result(row.result)


class DeleteRun:
    """Have a server forget a run that has ended: its attempts, logs and events."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        parser.add_argument("run", metavar="RUN", help="a run's id, its beginning or its end")
        add_server_option(parser)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Remove it."""
        from windlass.protocol.api import runs

        with open_client(require_server(arguments)) as client:
            run = find_run(client, arguments.run)
            client.ask(runs.DELETE, runs.DeleteRun(run=run.run))
        return 0
