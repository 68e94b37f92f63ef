"""Errors, warnings and notices: where they point to.

Source: actions/runner src/Runner.Worker/ActionCommandManager.cs, `IssueCommandExtension`
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.lang.commands import RunnerCommand

ANNOTATION_LEVELS = ("error", "warning", "notice")
LONGEST_MESSAGE = 4096
"""What is longer is cut, as on GitHub (src/Runner.Worker/ExecutionContext.cs)."""

_NUMBER = re.compile(r"[ \t-\r]*[+-]?[0-9]+[ \t-\r]*")


def make_properties(
    command: RunnerCommand, workspace: str, debug: Callable[[str], None]
) -> dict[str, str]:
    """Return a command's properties with impossible places left out.

    `file` becomes relative to the workspace if it lies there. Reasons go to `debug`.
    """
    properties = {_spell(key): value for key, value in command.properties.items()}
    if properties:
        _check_place(command.name, properties, debug)
    file = properties.get("file")
    if file and file.startswith(f"{workspace}/"):
        properties["file"] = file.removeprefix(f"{workspace}/")
    return properties


def _spell(key: str) -> str:
    """Return a known property's usual spelling."""
    known = ("file", "line", "endLine", "col", "endColumn", "title")
    return next((name for name in known if name.lower() == key.lower()), key)


def _check_place(name: str, properties: dict[str, str], debug: Callable[[str], None]) -> None:
    said = f"Invalid {name} command value."
    for start, end in (("line", "endLine"), ("col", "endColumn")):
        if _has_number(properties, end) and not _has_number(properties, start):
            debug(f"{said} '{end}' can only be set if '{start}' is provided")
            properties[start] = properties[end]
    has_column = _has_number(properties, "col") or _has_number(properties, "endColumn")
    if has_column and not _has_number(properties, "line"):
        debug(f"{said} 'col' and 'endColumn' can only be set if 'line' value is provided.")
        _drop(properties, "col", "endColumn")
    if has_column and _spans_lines(properties):
        debug(
            f"{said} 'col' and 'endColumn' cannot be set if 'line' and 'endLine' are different "
            "values."
        )
        _drop(properties, "col", "endColumn")
    for start, end in (("line", "endLine"), ("col", "endColumn")):
        if _is_before(properties, end, start):
            debug(f"{said} '{end}' cannot be less than '{start}'.")
            _drop(properties, start, end)


def _has_number(properties: dict[str, str], key: str) -> bool:
    return _NUMBER.fullmatch(properties.get(key, "")) is not None


def _spans_lines(properties: dict[str, str]) -> bool:
    return _has_number(properties, "endLine") and properties.get("line") != properties["endLine"]


def _is_before(properties: dict[str, str], key: str, other: str) -> bool:
    if not (_has_number(properties, key) and _has_number(properties, other)):
        return False
    return int(properties[key]) < int(properties[other])


def _drop(properties: dict[str, str], *keys: str) -> None:
    for key in keys:
        properties.pop(key, None)
