"""The access tokens of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.cli.hosted.opening import ask, list_all
from windlass.cli.hosted.tables import add_json_option, format_time, print_list, print_one
from windlass.cli.servers import add_server_option

if TYPE_CHECKING:
    from windlass.cli.parser import Parser
    from windlass.protocol.api.tokens import Token


def _describe(it: Token) -> tuple[str, ...]:
    end = f"until {format_time(it.expires)}" if it.expires is not None else "lasts"
    state = f"revoked {format_time(it.revoked)}" if it.revoked is not None else end
    return it.id, it.name, format_time(it.created), state


class ListTokens:
    """List the access tokens of a server, also those that do not count any more."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        add_json_option(parser)
        add_server_option(parser)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Print them."""
        from windlass.protocol.api import tokens as api

        items = list_all(arguments, api.LIST)
        print_list(items, _describe, as_json=arguments.json, none="there are none")
        return 0


class CreateToken:
    """Make an access token of a server, and print it: it is told once."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", metavar="NAME", help="what it is for")
        parser.add_argument(
            "--days", type=float, metavar="N", help="so long it lasts; default: until it is revoked"
        )
        add_json_option(parser)
        add_server_option(parser)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Print its text."""
        from windlass.protocol.api import tokens as api

        made = ask(arguments, api.CREATE, name=arguments.name, days=arguments.days)
        print_one(made, made.token, as_json=arguments.json)
        return 0


class RevokeToken:
    """Have an access token of a server not count any more."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        parser.add_argument("id", metavar="ID", help="its id, as `windlass tokens list` shows it")
        add_server_option(parser)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Revoke it."""
        from windlass.protocol.api import tokens as api

        ask(arguments, api.REVOKE, id=arguments.id)
        return 0
