"""Start a workflow of a server's repository by hand, and print the id of its run.

With `--watch` the run is shown until it has ended, and the exit code is that of the run.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from windlass.cli.hosted.fields import make_input
from windlass.cli.hosted.opening import ask_about, find_repository, open_client
from windlass.cli.hosted.watch import show_started
from windlass.cli.parser import parse_pairs
from windlass.cli.servers import add_server_option, require_server
from windlass.cli.terminal import open_terminal

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass dispatch`."""
    parser.add_argument("workflow", metavar="FILE", help="the name of its file: deploy.yml")
    add_target_options(parser)
    parser.add_argument(
        "--ref", metavar="REF", help="a branch or a tag; default: the default branch"
    )
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="K=V",
        help="an input of workflow_dispatch; may be repeated",
    )
    parser.add_argument("--watch", action="store_true", help="show the run until it has ended")
    parser.add_argument(
        "--json", action="store_true", help="print the run, or with --watch its events, as JSON"
    )


def add_target_options(parser: Parser) -> None:
    """Declare which repository of which server."""
    parser.add_argument(
        "-R",
        "--repository",
        metavar="OWNER/NAME",
        help="of this repository; default: the only one that the server knows",
    )
    add_server_option(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Start it."""
    from windlass.protocol.api import dispatches as api

    inputs = parse_pairs("--input", arguments.input)
    server = require_server(arguments)
    with open_client(server) as client:
        given = make_input(
            api.CreateDispatch,
            **find_repository(client, arguments.repository),
            workflow=arguments.workflow,
            ref=arguments.ref,
            inputs=inputs,
        )
        return show_started(client, client.ask(api.CREATE, given), arguments, server)


class SendEvent:
    """Tell a server's repository of an event, for workflows `on: repository_dispatch`."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        parser.add_argument("type", metavar="TYPE", help="the event's type")
        parser.add_argument(
            "--payload",
            action="append",
            default=[],
            metavar="K=V",
            help="a member of `github.event.client_payload`; may be repeated",
        )
        add_target_options(parser)

    @staticmethod
    def execute(arguments: argparse.Namespace) -> int:
        """Send it, and print the id of the delivery."""
        from windlass.protocol.api import dispatches as api

        payload = parse_pairs("--payload", arguments.payload)
        given = {"type": arguments.type, "payload": payload}
        sent = ask_about(arguments, arguments.repository, api.SEND_EVENT, **given)
        open_terminal(sys.stdout).write(f"{sent.delivery}\n")
        return 0
