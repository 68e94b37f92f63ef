"""Tell a Windlass server what was pushed: what a repository's post-receive hook runs.

It reads from standard input what Git tells the hook. A push is never refused because of it: what
the server does not hear, it finds when it looks at the repository the next time.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.cli.terminal import open_terminal
from windlass.errors import InputError, PlatformError
from windlass.git.own_hook import read_settings, read_updates

if TYPE_CHECKING:
    import argparse

    from windlass.cli.parser import Parser
    from windlass.git.own_hook import HookSettings

PATIENCE_SECONDS: Final = 5.0
"""Whoever pushes waits for the hook."""

_ACCEPTED: Final = 202


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of `windlass hook send`."""
    parser.add_argument("settings", metavar="FILE", help="where to tell it, and the secret")


def execute(arguments: argparse.Namespace) -> int:
    """Tell the server; what goes wrong is said, and is the server's trouble."""
    updates = read_updates(sys.stdin)
    try:
        settings = read_settings(Path(arguments.settings))
        if updates:
            _send(settings, updates)
    except (InputError, PlatformError) as error:
        open_terminal(sys.stderr).write(
            f"windlass: {error.message}; the server finds the push when it looks\n"
        )
    return 0


def _send(settings: HookSettings, updates: list[dict[str, str]]) -> None:
    """Post what was pushed.

    Raises:
        InputError: the server refuses it, or its address is none.
        PlatformError: the server does not answer.
    """
    import hashlib
    import hmac
    import json
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    from urllib.parse import urlsplit

    body = json.dumps({"updates": updates}).encode()
    signature = hmac.new(settings.secret.encode(), body, hashlib.sha256).hexdigest()
    parts = urlsplit(settings.url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
    headers = {"X-Windlass-Signature-256": f"sha256={signature}"}
    try:
        connection.request("POST", parts.path, body, headers)
        answer = connection.getresponse()
        if answer.status != _ACCEPTED:
            raise InputError(f"the server answers {answer.status} {answer.reason}")
    except (OSError, HTTPException) as error:
        raise PlatformError(f"the server does not answer: {error}") from error
    finally:
        connection.close()
