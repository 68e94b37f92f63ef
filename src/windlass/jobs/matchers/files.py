"""The files that define problem matchers.

Source: actions/runner src/Runner.Worker/IssueMatcher.cs (`Validate`), ActionCommandManager.cs
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from windlass.jobs.files import UnusableFileError, read_bounded
from windlass.jobs.matchers.matching import FIELDS
from windlass.jobs.matchers.patterns import PatternError, translate_pattern

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_FILE_BYTES: Final = 1 << 20
SEVERITIES: Final = ("", "error", "warning", "notice")


class MatcherFileError(Exception):
    """A file of matchers that cannot be used; holds the reason, in the runner's words."""


def read_matchers(path: Path, shown: str) -> list[dict[str, Any]]:
    """Return the matchers in a file as `windlass.jobs.matchers.matching` takes them.

    `shown` is the path as the job knows it. A file without matchers gives none.

    Raises:
        MatcherFileError: there is no such file, or something in it is wrong.
    """
    try:
        data = read_bounded(path, LARGEST_FILE_BYTES)
    except (UnusableFileError, OSError) as error:
        raise MatcherFileError(f"Could not read file '{shown}': {error}") from error
    if data is None:
        raise MatcherFileError(f"Could not find file '{shown}'.")
    try:
        content = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise MatcherFileError(f"'{shown}' is not valid JSON: {error}") from error
    matchers = _get(content, "problemMatcher") or []
    if not isinstance(matchers, list):
        raise MatcherFileError(f"'problemMatcher' in '{shown}' is not a list")
    found = [_read_matcher(it) for it in matchers]
    owners = [it["owner"].lower() for it in found]
    for index, owner in enumerate(owners):
        if owner in owners[:index]:
            raise MatcherFileError(f"Duplicate owner name '{found[index]['owner']}'")
    return found


def _read_matcher(content: object) -> dict[str, Any]:
    owner = _text(content, "owner")
    if not owner:
        raise MatcherFileError("Owner must not be empty")
    severity = _text(content, "severity")
    if severity.lower() not in SEVERITIES:
        raise MatcherFileError(
            f"Matcher '{owner}' contains unexpected default severity '{severity}'"
        )
    patterns = _get(content, "pattern")
    if not isinstance(patterns, list) or not patterns:
        raise MatcherFileError(f"Matcher '{owner}' does not contain any patterns")
    used: set[str] = set()
    read = [
        _read_pattern(it, used, is_last=index == len(patterns) - 1, is_first=index == 0)
        for index, it in enumerate(patterns)
    ]
    if "message" not in used:
        raise MatcherFileError("At least one pattern must set 'message'")
    return {
        "owner": owner,
        "severity": severity,
        "fromPath": _text(content, "fromPath"),
        "patterns": read,
    }


def _read_pattern(
    content: object, used: set[str], *, is_first: bool, is_last: bool
) -> dict[str, Any]:
    loop = _get(content, "loop") in (True, "true", "True")
    if loop and (is_first or not is_last):
        raise MatcherFileError("Only the last pattern in a multiline matcher may set 'loop'")
    if loop and _get(content, "message") is None:
        raise MatcherFileError("The loop pattern must set 'message'")
    try:
        pattern = translate_pattern(_text(content, "regexp"))
    except PatternError as error:
        raise MatcherFileError(str(error)) from error
    groups = {}
    for name in FIELDS:
        number = _number(content, name)
        if number is None:
            continue
        if name in used:
            raise MatcherFileError(f"The property '{name}' is set twice")
        if not 0 <= number < len(pattern.groups):
            raise MatcherFileError(
                f"The property '{name}' is set to {number} which is out of range"
            )
        used.add(name)
        groups[name] = pattern.groups[number]
    return {"python": pattern.python, "groups": groups, "loop": loop}


def _get(content: object, name: str) -> Any:
    """Return a member without regard to case, as the runner's reader does; None without one."""
    if not isinstance(content, Mapping):
        return None
    return next((value for key, value in content.items() if key.lower() == name.lower()), None)


def _text(content: object, name: str) -> str:
    value = _get(content, name)
    if value is None or isinstance(value, str):
        return value or ""
    raise MatcherFileError(f"'{name}' of a problem matcher is not a text: {value!r}")


def _number(content: object, name: str) -> int | None:
    value = _get(content, name)
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise MatcherFileError(f"'{name}' of a pattern is not a number: {value!r}")
