"""Secrets given on the command line: read from variables, files or a prompt, never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from windlass.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Ask: TypeAlias = "Callable[[str], str]"
Warn: TypeAlias = "Callable[[str], None]"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Secrets(Mapping[str, str]):
    """Secrets by name. Whatever prints this object prints `[redacted]`."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return "[redacted]"


def gather_secrets(
    files: Sequence[Path],
    texts: Sequence[str],
    *,
    variables: Mapping[str, str],
    ask: Ask | None,
    warn: Warn,
) -> Secrets:
    """Read `--secret-file` and then `--secret`; a later one replaces an earlier one.

    `--secret NAME` takes the variable of that name, else asks; `ask` is None where nobody can be
    asked. `--secret NAME=VALUE` works, with a warning: other users can read arguments.
    Raises UsageError for a bad name or a value that cannot be had, InputError for a bad file.
    """
    from windlass.cli.dotenv import read_dotenv

    values: dict[str, str] = {}
    for file in files:
        values |= read_dotenv(file)
    for text in texts:
        name, equals, value = text.partition("=")
        if equals:
            warn(
                f"--secret {name}=… shows the value to every user of this machine; "
                f"`--secret {name}` reads it from the variable {name} or asks"
            )
        else:
            value = _look_up(name, variables, ask)
        values[name] = value
    for name in values:
        check_name(name)
    return Secrets(values)


def _look_up(name: str, variables: Mapping[str, str], ask: Ask | None) -> str:
    check_name(name)
    if name in variables:
        return variables[name]
    if ask is None:
        raise UsageError(
            f"--secret {name}: there is no variable {name}, and no terminal to ask on",
            hint=f"set it ({name}=… windlass run …) or use --secret-file",
        )
    return ask(f"{name}: ")


def check_name(name: str) -> None:
    """Hold a name of a secret against GitHub's rules.

    Raises UsageError where it breaks one.
    Source: https://docs.github.com/en/actions/concepts/security/secrets#naming-your-secrets
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            "a secret's name may hold letters, digits and _, and may not start with a digit",
            hint="for instance: --secret DEPLOY_TOKEN",
        )
    if name.upper().startswith("GITHUB_") and name.upper() != "GITHUB_TOKEN":
        raise UsageError(f"--secret {name}: names that start with GITHUB_ are GitHub's own")
