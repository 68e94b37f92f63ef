"""Ending a run of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.cli.hosted.opening import find_run, open_client

if TYPE_CHECKING:
    import argparse

    from windlass.client.logins import Login


def cancel_on_server(server: Login, arguments: argparse.Namespace) -> str:
    """Ask the run to end, and return its id."""
    from windlass.protocol.api import runs

    with open_client(server) as client:
        run = find_run(client, arguments.run)
        return client.ask(runs.CANCEL, runs.CancelRun(run=run.run, force=arguments.force)).run
