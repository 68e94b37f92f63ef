"""Have a repository of this machine tell a server at once what is pushed to it.

It gets a post-receive hook, which signs with a new secret: earlier hooks and webhooks of that
repository are refused from then on.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windlass.cli.directory import add_directory_option, enter_directory
from windlass.cli.hosted.fields import make_input
from windlass.cli.hosted.opening import find_repository, open_client
from windlass.cli.hosted.repositories import add_name
from windlass.cli.servers import require_server
from windlass.cli.terminal import open_terminal
from windlass.errors import UsageError
from windlass.git.own_hook import HookSettings, check_hook, find_hooks, install_hook

if TYPE_CHECKING:
    from windlass.cli.parser import Parser


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass repos hook`."""
    add_name(parser)
    add_directory_option(parser)
    parser.add_argument("--yes", action="store_true", help="write the hook without asking")


def execute(arguments: Any) -> int:
    """Make a new secret, and write the hook."""
    from windlass.protocol.api import repositories as api

    enter_directory(arguments)
    hooks = find_hooks(Path.cwd())
    check_hook(hooks)
    if not arguments.yes and not _ask(hooks):
        return 1
    server = require_server(arguments)
    with open_client(server) as client:
        given = make_input(api.OfRepository, **find_repository(client, arguments.name))
        made = client.ask(api.RENEW_WEBHOOK_SECRET, given)
        known = client.ask(api.GET, given)
    url = f"{server.url}/hooks/git/{known.name}"
    hook = install_hook(hooks, HookSettings(url, made.secret))
    open_terminal(sys.stderr).write(f"{hook} tells {server.url} of pushes\n")
    return 0


def _ask(hooks: Path) -> bool:
    """Ask whether the hook may be written.

    Raises:
        UsageError: nobody can be asked.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"a hook would be written to {hooks}", hint="--yes allows it")
    terminal = open_terminal(sys.stderr)
    terminal.write(f"write a post-receive hook to {hooks}? [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
