"""The token of GitHub's own command line, for `--github-token`."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

from windlass.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMMAND: Final = ("gh", "auth", "token")
_PATIENCE_SECONDS: Final = 30
_HINT: Final = "log in with `gh auth login`, or give a token with --secret GITHUB_TOKEN"


def read_github_token(variables: Mapping[str, str]) -> str:
    """Ask `gh` for the token it is logged in with; `variables` are those it is started with.

    Raises:
        UsageError: there is no `gh`, or it has no token.
    """
    try:
        answer = subprocess.run(
            _COMMAND,
            env=dict(variables),
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE_SECONDS,
        )
    except FileNotFoundError as error:
        raise UsageError(
            "--github-token: there is no `gh` on PATH",
            hint="install GitHub's command line, or give a token with --secret GITHUB_TOKEN",
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"--github-token: `gh auth token` failed: {error}", hint=_HINT) from error
    token = answer.stdout.decode("utf-8", "replace").strip()
    if answer.returncode or not token:
        complaint = answer.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise UsageError(
            f"--github-token: `gh auth token` gave no token: {complaint or 'it said nothing'}",
            hint=_HINT,
        )
    return token
