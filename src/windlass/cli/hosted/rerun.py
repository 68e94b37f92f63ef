"""Running a run of a server again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.hosted.fields import make_input
from windlass.cli.hosted.opening import find_run, open_client
from windlass.cli.hosted.watch import show_started
from windlass.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from windlass.client.logins import Login

_LOCAL = ("secret", "secret_file", "github_token", "input", "var", "env", "platform")


def rerun_on_server(server: Login, arguments: argparse.Namespace) -> int:
    """Run again; with `--watch` show what happens, and return the exit code for the result."""
    from windlass.protocol.api import runs

    for name in _LOCAL:
        if getattr(arguments, name):
            raise UsageError(f"--{name.replace('_', '-')} is for runs of this machine")
    with open_client(server) as client:
        run = find_run(client, arguments.run)
        given = make_input(runs.RerunRun, run=run.run, failed=arguments.failed, job=arguments.job)
        return show_started(client, client.ask(runs.RERUN, given), arguments, server)
