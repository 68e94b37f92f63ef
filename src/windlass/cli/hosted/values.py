"""The secrets and variables of a server's repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.cli.hosted.opening import ask_about, list_about
from windlass.cli.hosted.secret_texts import read_secret
from windlass.cli.hosted.tables import add_json_option, format_time, print_list
from windlass.cli.servers import add_server_option

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

        print_list(
            list_about(arguments, arguments.repository, api.LIST_SECRETS),
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
        given = {"key": arguments.key, "value": value}
        ask_about(arguments, arguments.repository, api.SET_SECRET, **given)
        return 0


class RemoveSecret:
    """Have a server forget a secret of a repository."""

    add_arguments = staticmethod(_add_key)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Remove it."""
        from windlass.protocol.api import values as api

        ask_about(arguments, arguments.repository, api.REMOVE_SECRET, key=arguments.key)
        return 0


class ListVariables:
    """List the variables of a repository of a server."""

    add_arguments = staticmethod(_add_list)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Print them."""
        from windlass.protocol.api import values as api

        print_list(
            list_about(arguments, arguments.repository, api.LIST_VARIABLES),
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

        given = {"key": arguments.key, "value": arguments.value}
        ask_about(arguments, arguments.repository, api.SET_VARIABLE, **given)
        return 0


class RemoveVariable:
    """Have a server forget a variable of a repository."""

    add_arguments = staticmethod(_add_key)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Remove it."""
        from windlass.protocol.api import values as api

        ask_about(arguments, arguments.repository, api.REMOVE_VARIABLE, key=arguments.key)
        return 0
