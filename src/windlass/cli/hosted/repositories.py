"""The repositories of a server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from windlass.cli.hosted.opening import ask, ask_about, list_about, list_all
from windlass.cli.hosted.secret_texts import read_secret
from windlass.cli.hosted.tables import add_json_option, format_time, print_list, print_one
from windlass.cli.servers import add_server_option
from windlass.cli.terminal import open_terminal
from windlass.errors import InputError, UsageError

if TYPE_CHECKING:
    from windlass.cli.parser import Parser
    from windlass.protocol.api.repositories import Repository


def add_name(parser: Parser) -> None:
    """Declare OWNER/NAME and what all commands have."""
    parser.add_argument("name", metavar="OWNER/NAME", help="the repository")
    add_server_option(parser)


def _add_settings(parser: Parser) -> None:
    parser.add_argument(
        "--poll-seconds", type=int, metavar="N", help="look for new commits so often; 0 for never"
    )
    for option, meaning in (
        ("host", "let its jobs run on a runner's machine itself, where the runner allows it"),
        ("public-badge", "show its badges to everybody"),
    ):
        choice = parser.add_mutually_exclusive_group()
        dest = option.replace("-", "_")
        choice.add_argument(
            f"--{option}", dest=dest, action="store_const", const=True, help=meaning
        )
        choice.add_argument(
            f"--no-{option}", dest=dest, action="store_const", const=False, help="do not"
        )
    parser.add_argument(
        "--rules", metavar="FILE", help="JSON: what may start for which branches; - is stdin"
    )


def _read_settings(arguments: Any) -> dict[str, Any]:
    return {
        "host": arguments.host,
        "poll_seconds": arguments.poll_seconds,
        "public_badge": arguments.public_badge,
        "rules": None if arguments.rules is None else _read_rules(arguments.rules),
    }


def _read_rules(file: str) -> Any:
    import json
    from pathlib import Path

    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise InputError(
            f"{file}: the rules cannot be read: {error.strerror}",
            hint="name a file that is there, or - for stdin",
        ) from error
    except ValueError as error:
        raise InputError(
            f"{file}: not JSON: {error}", hint='for instance [{"branches": ["main"]}]'
        ) from None


def _describe(it: Repository) -> str:
    facts = [it.name, it.location, it.default_branch]
    facts += ["host"] if it.host else []
    return "  ".join(facts)


class ListRepositories:
    """List the repositories that a server knows."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        add_json_option(parser)
        add_server_option(parser)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Print them."""
        from windlass.protocol.api import repositories as api

        print_list(
            list_all(arguments, api.LIST),
            lambda it: (it.name, it.location, it.default_branch, format_time(it.polled)),
            as_json=arguments.json,
            none="there are no repositories yet; `windlass repos add` makes one known",
        )
        return 0


class AddRepository:
    """Make a repository known to a server: a URL, or a folder of the server's machine.

    What it holds already starts nothing; what is pushed from now on does.
    """

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        parser.add_argument("location", metavar="URL|FOLDER", help="where it is")
        parser.add_argument(
            "--name", metavar="OWNER/NAME", help="what it is called; a URL says it itself"
        )
        parser.add_argument(
            "--token-file",
            metavar="FILE",
            help="holds the token that a private repository asks for; - is stdin",
        )
        _add_settings(parser)
        add_json_option(parser)
        add_server_option(parser)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Register it."""
        from windlass.protocol.api import repositories as api

        file = arguments.token_file
        made = ask(
            arguments,
            api.REGISTER,
            location=arguments.location,
            name=arguments.name,
            token=None if file is None else read_secret(file, "the token"),
            **_read_settings(arguments),
        )
        print_one(made, _describe(made), as_json=arguments.json)
        return 0


class ShowRepository:
    """Show a repository of a server, and its settings."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        add_json_option(parser)
        add_name(parser)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Print it."""
        from windlass.protocol.api import repositories as api

        found = ask_about(arguments, arguments.name, api.GET)
        lines = [f"{name}: {value}" for name, value in found.model_dump(exclude={"rules"}).items()]
        lines += [f"rule: {rule.model_dump_json()}" for rule in found.rules]
        if arguments.json:
            lines = [found.model_dump_json()]
        open_terminal(sys.stdout).write("".join(f"{line}\n" for line in lines))
        return 0


class SetRepository:
    """Change settings of a repository of a server; the others stay as they are."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        _add_settings(parser)
        add_json_option(parser)
        add_name(parser)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Change them."""
        from windlass.protocol.api import repositories as api

        settings = {key: it for key, it in _read_settings(arguments).items() if it is not None}
        if not settings:
            raise UsageError("no setting is given", hint="for instance --poll-seconds 60")
        found = ask_about(arguments, arguments.name, api.UPDATE, **settings)
        print_one(found, _describe(found), as_json=arguments.json)
        return 0


class RemoveRepository:
    """Have a server forget a repository with its secrets and variables; its runs stay."""

    add_arguments = staticmethod(add_name)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Remove it."""
        from windlass.protocol.api import repositories as api

        ask_about(arguments, arguments.name, api.REMOVE)
        return 0


class RenewWebhook:
    """Make a new secret that signs a repository's webhooks, and print it: it is told once."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        add_json_option(parser)
        add_name(parser)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Print where webhooks are to be sent, and the secret."""
        from windlass.protocol.api import repositories as api

        made = ask_about(arguments, arguments.name, api.RENEW_WEBHOOK_SECRET)
        print_one(made, f"{made.url}  {made.secret}", as_json=arguments.json)
        return 0


class ListDeliveries:
    """List what a server was told of a repository, newest first, and what came of it."""

    @staticmethod
    def add_arguments(parser: Parser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--limit", type=int, default=20, metavar="N", help="at most so many; default: 20"
        )
        add_json_option(parser)
        add_name(parser)

    @staticmethod
    def execute(arguments: Any) -> int:
        """Print them."""
        from windlass.protocol.api import dispatches as api

        print_list(
            list_about(arguments, arguments.name, api.LIST_DELIVERIES, arguments.limit),
            lambda it: (format_time(it.received), it.event, it.state, it.message),
            as_json=arguments.json,
            none="the server was told nothing of it yet",
        )
        return 0
