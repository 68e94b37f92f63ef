"""Which server a command is about, if it is about one.

A command acts on a server where `--server` or the variable WINDLASS_SERVER names it, by its URL or
by the name that `windlass login` has given it. Otherwise it is about the repository that the
current folder is in; outside of any repository, and for what only a server has, about the server
that was logged in to last.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.cli.roots import find_root
from windlass.errors import InputError, UsageError

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser
    from windlass.client.logins import Login

SERVER: Final = "WINDLASS_SERVER"
TOKEN: Final = "WINDLASS_TOKEN"
_LOGIN: Final = "`windlass login URL` keeps a token; the variable WINDLASS_TOKEN may hold one"


def add_server_option(parser: Parser) -> None:
    """Declare `--server`."""
    parser.add_argument(
        "--server",
        metavar="SERVER",
        help="act on this server: its URL, or its name of `windlass login`",
    )


def add_repository_option(parser: Parser, meaning: str) -> None:
    """Declare `-R`."""
    parser.add_argument(
        "-R", "--repository", metavar="OWNER/NAME", help=f"with a server: {meaning}"
    )


def find_server(arguments: argparse.Namespace) -> Login | None:
    """Return the server that a command is about; None where it is about a repository's history.

    Raises:
        InputError: there is no token for the server that is named.
    """
    name = arguments.server or os.environ.get(SERVER, "")
    if name:
        return _find_named(name)
    return _find_default() if find_root(Path()) is None else None


def require_server(arguments: argparse.Namespace) -> Login:
    """Return the server that a command is about which only a server knows.

    Raises:
        InputError: none is named, or there is no token for it.
    """
    name = arguments.server or os.environ.get(SERVER, "")
    server = _find_named(name) if name else _find_default()
    if server is None:
        raise InputError(
            "no server is named",
            hint="--server or WINDLASS_SERVER names one; `windlass login URL` keeps it",
        )
    return server


def refuse_server_options(arguments: argparse.Namespace, *names: str) -> None:
    """Refuse options that mean something to a server only.

    Raises:
        UsageError: one of them is given.
    """
    for name in names:
        if getattr(arguments, name):
            raise UsageError(f"--{name} is for a server's runs", hint="--server names a server")


def _find_named(name: str) -> Login:
    from windlass.client.logins import Login, read_logins

    token = os.environ.get(TOKEN, "")
    known = read_logins(os.environ).find(name)
    if "://" in name:
        known = Login(name, name.rstrip("/"), token or (known.token if known else ""))
    elif known is not None and token:
        known = Login(known.name, known.url, token)
    if known is None:
        raise InputError(f"there is no login '{name}'", hint=_LOGIN)
    if not known.token:
        raise InputError(f"there is no token for {known.url}", hint=_LOGIN)
    return known


def _find_default() -> Login | None:
    from windlass.client.logins import read_logins

    logins = read_logins(os.environ)
    return logins.by_name.get(logins.default)
