"""Keep the address of a server and a token for it, in a file that only you can read.

The token is asked for, or read from a file or stdin. The server that was logged in to last is the
one that commands outside of any repository are about, and those that only a server knows.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from windlass.cli.failures import say_warning
from windlass.cli.hosted.opening import open_client
from windlass.cli.hosted.secret_texts import read_secret
from windlass.cli.hosted.tables import add_json_option, print_one
from windlass.cli.servers import TOKEN, add_server_option, require_server
from windlass.cli.terminal import open_terminal
from windlass.client.logins import LOOPBACK, Login, add_login
from windlass.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass login`."""
    parser.add_argument(
        "address", nargs="?", metavar="URL", help="where the server is: http://127.0.0.1:8484"
    )
    parser.add_argument("--url", metavar="URL", help="the same, as an option")
    parser.add_argument(
        "--name", metavar="NAME", help="what to call it; default: its host and port"
    )
    token = parser.add_mutually_exclusive_group()
    token.add_argument("--token-file", metavar="FILE", help="holds the token; - is stdin")
    token.add_argument(
        "--token", metavar="TOKEN", help="the token; other users may see it: better a file"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Ask the server whether the token is good, and keep it."""
    from windlass.client.client import check_url
    from windlass.protocol.api import server

    url = check_url(_read_url(arguments))
    name = arguments.name or urlsplit(url).netloc
    if not name or "://" in name:
        raise UsageError(f"'{name}' cannot be the name of a server")
    login = Login(name, url, _read_token(arguments))
    if url.startswith("http:") and urlsplit(url).hostname not in LOOPBACK:
        say_warning(f"{url} is not encrypted: whoever sees the traffic sees the token")
    with open_client(login) as client:
        info = client.ask(server.INFO, server.ShowServer())
    path = add_login(os.environ, login)
    open_terminal(sys.stderr).write(
        f"logged in to '{name}', Windlass {info.version}; the token is in {path}\n"
    )
    return 0


def _read_url(arguments: argparse.Namespace) -> str:
    given = [url for url in (arguments.address, arguments.url) if url is not None]
    if len(given) != 1:
        raise UsageError("one URL says where the server is", hint="windlass login URL")
    return str(given[0])


def _read_token(arguments: argparse.Namespace) -> str:
    if arguments.token is not None:
        say_warning("other users of this machine can read arguments: --token-file hides the token")
        return str(arguments.token)
    if arguments.token_file is None and os.environ.get(TOKEN):
        return os.environ[TOKEN]
    return read_secret(arguments.token_file, "the token").strip()


class ShowServer:
    """Show what a server is: its version and its address."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        add_json_option(parser)
        add_server_option(parser)

    @staticmethod
    def execute(arguments: argparse.Namespace) -> int:
        """Print it."""
        from windlass.protocol.api import server

        with open_client(require_server(arguments)) as client:
            info = client.ask(server.INFO, server.ShowServer())
        print_one(info, f"Windlass {info.version} at {info.address}", as_json=arguments.json)
        return 0
