"""Start a server: it keeps repositories, runs their workflows, and tells how that goes.

All it has lies in one folder. It listens on this machine alone, and whoever asks it for something
shows a token; the first one is in the file `token` of that folder.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import logging
import os
import sys
from typing import TYPE_CHECKING, Final

from windlass.cli.pipes import write
from windlass.client.logins import LOOPBACK
from windlass.cmd.data_folder import prepare_data_folder
from windlass.cmd.server_options import (
    add_place_options,
    read_data,
    read_database,
    require_server_packages,
)
from windlass.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator
    from socket import socket

    from starlette.applications import Starlette

    from windlass.cli.parser import Parser
    from windlass.operations.hosted.site import Site

DEFAULT_LISTEN: Final = "127.0.0.1:8484"
DEFAULT_RATE: Final = 500.0
"""Requests a second of one token: generous, what it stops is a script that runs wild."""

_NEEDED: Final = ("sqlalchemy", "starlette", "uvicorn", "pydantic", "cryptography")
_LAST_PORT: Final = 65535
_log = logging.getLogger("windlass")


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass up`."""
    add_place_options(parser)
    parser.add_argument(
        "--listen",
        metavar="ADDRESS:PORT",
        default=DEFAULT_LISTEN,
        help="listen there, port 0 for a free one; default: %(default)s",
    )
    parser.add_argument(
        "--url",
        metavar="URL",
        help="what people, runners and jobs find the server at; default: where it listens",
    )
    parser.add_argument("--no-runner", action="store_true", help="start no runner with the server")
    parser.add_argument(
        "--capacity",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="how many jobs the server's runner runs at a time; default: one for every processor",
    )
    parser.add_argument(
        "--allow-host",
        action="store_true",
        help="let the server's runner run jobs on this machine itself, of repositories whose "
        "settings say so",
    )
    parser.add_argument(
        "--allow-fetch",
        action="append",
        default=[],
        metavar="HOST",
        help="let repositories be fetched from this host, or network, though it is a private one; "
        "may be given more than once",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of https://HOST ask the API from a browser; may be given more than once",
    )
    parser.add_argument(
        "--rate-limit",
        type=float,
        metavar="N",
        default=DEFAULT_RATE,
        help="let each access token make so many requests a second, and one address twice as many; "
        "default: %(default)g",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    require_server_packages(_NEEDED)
    host, port = _read_listen(arguments.listen)
    if arguments.capacity < 1:
        raise UsageError("--capacity counts jobs: 1 or more")
    data = prepare_data_folder(read_data(arguments))
    # Imported only now: what a server is made of takes its time. Nothing of it goes away again, and
    # to look for garbage in it is a tenth of that time.
    gc.disable()
    from windlass import logs
    from windlass.cmd.hosting import Options, hosting
    from windlass.cmd.observing import observing
    from windlass.server.serving import listen, write_address

    logs.configure()
    options = Options(
        data=data,
        database=read_database(arguments, data),
        allowed_hosts=tuple(arguments.allow_fetch),
    )
    with listen(host, port) as listening:
        address = arguments.url or write_address(host, listening)
        _warn_of_readers(host, address)
        with hosting(options, address.rstrip("/")) as site, observing(site, os.environ):
            _serve(site, listening, arguments)
    _say("the server has ended")
    return 0


def _serve(site: Site, listening: socket, arguments: argparse.Namespace) -> None:
    from windlass.cmd.embedded_runner import EmbeddedRunner
    from windlass.engine.server.changes import LEAVING
    from windlass.operations.hosted.tokens import check_token
    from windlass.server.app import make_app
    from windlass.server.exposure import read_exposure
    from windlass.server.serving import serve

    runner = EmbeddedRunner(
        site, capacity=arguments.capacity, allow_host=arguments.allow_host, tell=_say
    )

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        gc.freeze()
        gc.enable()
        _greet(site)
        if not arguments.no_runner:
            runner.start()
        yield

    app = make_app(
        site,
        functools.partial(check_token, site),
        exposure=read_exposure(arguments.allow_origin, arguments.rate_limit),
        lifespan=lifespan,
    )
    try:
        serve(app, listening, on_leaving=lambda: site.changes.tell(LEAVING))
    finally:
        runner.stop()


def _greet(site: Site) -> None:
    """Say where the server is: on standard output the address alone, for programs."""
    write(sys.stdout, f"{site.address}\n")
    sys.stdout.flush()
    _say(f"the server is up at {site.address}; its first token is in {site.data / 'token'}")
    _say(f"`windlass login {site.address} --token-file {site.data / 'token'}` lets you ask it")


def _warn_of_readers(host: str, address: str) -> None:
    if host not in LOOPBACK and address.startswith("http:"):
        _log.warning(
            "%s can be reached from other machines and is not encrypted: whoever sees the traffic "
            "sees tokens; put TLS before it, and say so with --url https://...",
            address,
        )


def _say(text: str) -> None:
    _log.info("%s", text)


def _read_listen(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdecimal() or int(port) > _LAST_PORT:
        raise UsageError(
            f"'{text}' is no address to listen on", hint=f"write it as {DEFAULT_LISTEN}"
        )
    return host.strip("[]") or "127.0.0.1", int(port)
