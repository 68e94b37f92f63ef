"""The secrets and variables of a server's repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.cli.hosted.fields import make_input
from windlass.cli.hosted.opening import find_repository, open_client
from windlass.cli.hosted.secret_texts import read_secret
from windlass.cli.hosted.tables import add_json_option, format_time, print_list
from windlass.cli.servers import add_server_option, require_server

if TYPE_CHECKING:
    from windlass.cli.parser import Parser

_NONE = "there are none"


def _add_common(parser: Parser) -> None:
    parser.add_argument(
        "-R",
        "--repository",
        metavar="OWNER/NAME",
        help="of this repository; default: the only one that the server knows",
    )
    add_server_option(parser)


def _add_list(parser: Parser) -> None:
    add_json_option(parser)
    _add_common(parser)


def _add_key(parser: Parser) -> None:
    parser.add_argument("key", metavar="NAME", help="its name")
    _add_common(parser)


class ListSecrets:
    """List the secrets of a repository of a server; nobody is told their values."""

    add_arguments = staticmethod(_add_list)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Print their names."""
        from windlass.protocol.api import values as api

        with open_client(require_server(arguments)) as client:
            name = find_repository(client, arguments.repository)
            print_list(
                client.list_all(api.LIST_SECRETS, make_input(api.ListValues, **name)),
                lambda it: (it.name, format_time(it.updated)),
                as_json=arguments.json,
                none=_NONE,
            )
        return 0


class SetSecret:
    """Set a secret of a repository of a server: from a file, from stdin, or as it is asked for."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        parser.add_argument("--file", metavar="FILE", help="holds the value; - is stdin")
        _add_key(parser)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Set it."""
        from windlass.protocol.api import values as api

        value = read_secret(arguments.file, f"the value of {arguments.key}")
        with open_client(require_server(arguments)) as client:
            name = find_repository(client, arguments.repository)
            given = make_input(api.SetValue, **name, key=arguments.key, value=value)
            client.ask(api.SET_SECRET, given)
        return 0


class RemoveSecret:
    """Have a server forget a secret of a repository."""

    add_arguments = staticmethod(_add_key)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Remove it."""
        from windlass.protocol.api import values as api

        with open_client(require_server(arguments)) as client:
            name = find_repository(client, arguments.repository)
            client.ask(api.REMOVE_SECRET, make_input(api.OfValue, **name, key=arguments.key))
        return 0


class ListVariables:
    """List the variables of a repository of a server."""

    add_arguments = staticmethod(_add_list)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Print them."""
        from windlass.protocol.api import values as api

        with open_client(require_server(arguments)) as client:
            name = find_repository(client, arguments.repository)
            print_list(
                client.list_all(api.LIST_VARIABLES, make_input(api.ListValues, **name)),
                lambda it: (it.name, it.value, format_time(it.updated)),
                as_json=arguments.json,
                none=_NONE,
            )
        return 0


class SetVariable:
    """Set a variable of a repository of a server."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        _add_key(parser)
        parser.add_argument("value", metavar="VALUE", help="its value")

    @staticmethod
    def execute(arguments: Any) -> int:
        """Set it."""
        from windlass.protocol.api import values as api

        with open_client(require_server(arguments)) as client:
            name = find_repository(client, arguments.repository)
            given = make_input(api.SetValue, **name, key=arguments.key, value=arguments.value)
            client.ask(api.SET_VARIABLE, given)
        return 0


class RemoveVariable:
    """Have a server forget a variable of a repository."""

    add_arguments = staticmethod(_add_key)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Remove it."""
        from windlass.protocol.api import values as api

        with open_client(require_server(arguments)) as client:
            name = find_repository(client, arguments.repository)
            client.ask(api.REMOVE_VARIABLE, make_input(api.OfValue, **name, key=arguments.key))
        return 0
