"""The runners of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.cli.hosted.opening import ask, list_all
from windlass.cli.hosted.tables import add_json_option, format_time, print_list, print_one
from windlass.cli.servers import add_server_option

if TYPE_CHECKING:
    from windlass.cli.parser import Parser
    from windlass.protocol.api.runners import Runner


def _describe(it: Runner) -> tuple[str, ...]:
    return (
        it.name,
        it.state if it.state != "active" else "online" if it.online else "offline",
        f"{it.running}/{it.capacity} jobs",
        ", ".join(it.labels),
        f"seen {format_time(it.seen)}",
    )


def _add_runner(parser: Parser) -> None:
    parser.add_argument("runner", metavar="RUNNER", help="its name or id")
    add_server_option(parser)


def _add_list(parser: Parser) -> None:
    add_json_option(parser)
    add_server_option(parser)


class ListRunners:
    """List the runners of a server: how many jobs each has, and when it was heard of."""

    add_arguments = staticmethod(_add_list)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Print them."""
        from windlass.protocol.api import runners as api

        print_list(
            list_all(arguments, api.LIST),
            _describe,
            as_json=arguments.json,
            none="there are none; `windlass runners token` lets a machine become one",
        )
        return 0


class ShowRunner:
    """Show one runner of a server."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        add_json_option(parser)
        _add_runner(parser)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Print it."""
        from windlass.protocol.api import runners as api

        found = ask(arguments, api.GET, runner=arguments.runner)
        print_one(found, "  ".join(_describe(found)), as_json=arguments.json)
        return 0


class CreateRegistration:
    """Make a token by which one machine may become a runner, and print it: it is told once.

    `windlass runner --url URL --token TOKEN` on that machine uses it up.
    """

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--seconds", type=int, metavar="N", help="so long it is good; default: an hour"
        )
        add_json_option(parser)
        add_server_option(parser)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Print it."""
        from windlass.protocol.api import runners as api

        made = ask(arguments, api.REGISTER_TOKEN, seconds=arguments.seconds)
        print_one(made, made.token, as_json=arguments.json)
        return 0


class DrainRunner:
    """Have a runner take no more jobs, end those it has, and leave."""

    add_arguments = staticmethod(_add_runner)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Ask for it; it does not wait for the end."""
        from windlass.protocol.api import runners as api

        ask(arguments, api.DRAIN, runner=arguments.runner)
        return 0


class RevokeRunner:
    """Have a runner's credential not count any more; its jobs end as lost."""

    add_arguments = staticmethod(_add_runner)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Revoke it."""
        from windlass.protocol.api import runners as api

        ask(arguments, api.REVOKE, runner=arguments.runner)
        return 0


class RemoveRunner:
    """Have a server forget a runner; its jobs end as lost."""

    add_arguments = staticmethod(_add_runner)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Remove it."""
        from windlass.protocol.api import runners as api

        ask(arguments, api.REMOVE, runner=arguments.runner)
        return 0
