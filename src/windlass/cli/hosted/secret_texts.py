"""Secrets as they come to a command: from a file, from stdin, from a prompt; never as a word."""

from __future__ import annotations

import sys
from pathlib import Path

from windlass.errors import UsageError


def read_secret(file: str | None, what: str) -> str:
    """Return a secret from a file, `-` for stdin, or ask for it; without the end of its last line.

    Raises:
        UsageError: nobody can be asked, or it is empty or no text.
        OSError: the file cannot be read.
    """
    try:
        text = _read(file, what).removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        # Its own words quote a byte of what nobody is to see.
        raise UsageError(f"{what} is no UTF-8 text (byte {error.start})") from None
    if not text:
        raise UsageError(f"{what} is empty", hint="a file, stdin or a prompt gives it")
    return text


def _read(file: str | None, what: str) -> str:
    if file == "-" or (file is None and not sys.stdin.isatty()):
        return sys.stdin.read()
    if file is not None:
        return Path(file).read_text(encoding="utf-8")
    from getpass import getpass

    return getpass(f"{what}: ")
