"""Matches lines against patterns, in a process of its own, since a pattern may never end.

A regular expression cannot be interrupted from another thread, but it can by a signal: here each
match has a second, as in GitHub's runner. The process reads one JSON message a line:

    ["add", {matcher}]     put a matcher first; one of the same owner goes
    ["remove", "owner"]    take a matcher away
    ["match", ["line"…]]   answered by [[number of line, fields]…] and [[owner, reason]…] of
                           matchers that were taken away because they are too slow

It imports nothing of Windlass, so that it starts at once.
Source: actions/runner src/Runner.Worker/IssueMatcher.cs, Handlers/OutputManager.cs
"""

from __future__ import annotations

import json
import re
import signal
import sys
from typing import Any

SECONDS = 1.0
ATTEMPTS = 3
TOO_SLOW = (
    "The Regex engine has timed out while trying to match a pattern to an input string. This can "
    "occur for many reasons, including very large inputs or excessive backtracking caused by "
    "nested quantifiers, back-references and other factors."
)
FIELDS = ("file", "line", "column", "severity", "code", "message", "fromPath")
# What the runner takes for a colour: it means ESC, but writes NUL and "33".
COLOUR_PREFIX = "\0" + "33["
COLOUR = re.compile("\0" + r"33\[[0-9;]*m?")

Fields = dict[str, str | None]


class TooSlowError(Exception):
    """A match took longer than its time."""


class Matcher:
    """One matcher with what its first patterns have found so far."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.owner: str = config["owner"]
        self._defaults = {"severity": config["severity"], "fromPath": config["fromPath"]}
        self._patterns = config["patterns"]
        self._expressions = [re.compile(it["python"], re.ASCII) for it in self._patterns]
        self.reset()

    def reset(self) -> None:
        """Forget what the first patterns have found."""
        self._state: list[Fields | None] = [None] * (len(self._patterns) - 1)

    def match(self, line: str) -> Fields | None:
        """Return what the last pattern completes in this line, or None."""
        last = len(self._patterns) - 1
        for index in range(last, -1, -1):
            running = self._state[index - 1] if index else None
            if index and running is None:
                continue
            found = self._expressions[index].search(line)
            if index == last:
                if found is not None:
                    self.reset()
                    if self._patterns[index]["loop"]:
                        self._state[index - 1] = running
                    return self._complete(self._join(running, index, found))
                if index:
                    self._state[index - 1] = None
            else:
                self._state[index] = None if found is None else self._join(running, index, found)
        return None

    def _join(self, running: Fields | None, index: int, found: re.Match[str]) -> Fields:
        """Return the fields of the earlier patterns with those of this one."""
        joined: Fields = {}
        for name in FIELDS:
            earlier = running[name] if running else None
            group = self._patterns[index]["groups"].get(name)
            own = None if group is None else found[group] or ""
            joined[name] = own if earlier is None else earlier
        return joined

    def _complete(self, fields: Fields) -> Fields:
        return {name: value or self._defaults.get(name) or value for name, value in fields.items()}


class Matchers:
    """The matchers of one step, the latest first."""

    def __init__(self) -> None:
        self._matchers: list[Matcher] = []

    def add(self, config: dict[str, Any]) -> None:
        """Put a matcher first; one of the same owner goes."""
        self.remove(config["owner"])
        self._matchers.insert(0, Matcher(config))

    def remove(self, owner: str) -> None:
        """Take away the matcher of an owner."""
        self._matchers = [it for it in self._matchers if it.owner.lower() != owner.lower()]

    def match(self, lines: list[str]) -> tuple[list[tuple[int, Fields]], list[tuple[str, str]]]:
        """Return what was found, by the number of the line, and which matchers were removed."""
        found: list[tuple[int, Fields]] = []
        removed: list[tuple[str, str]] = []
        for number, line in enumerate(lines):
            if COLOUR_PREFIX in line:
                line = COLOUR.sub("", line)
            fields = self._match_line(line, removed)
            if fields is not None:
                found.append((number, fields))
        return found, removed

    def _match_line(self, line: str, removed: list[tuple[str, str]]) -> Fields | None:
        for matcher in tuple(self._matchers):
            fields = self._try(matcher, line, removed)
            if fields is not None:
                for other in self._matchers:
                    if other is not matcher:
                        other.reset()
                if is_issue(fields):
                    return fields
        return None

    def _try(self, matcher: Matcher, line: str, removed: list[tuple[str, str]]) -> Fields | None:
        for _ in range(ATTEMPTS):
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            try:
                return matcher.match(line)
            except TooSlowError:
                continue
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        self._matchers.remove(matcher)
        removed.append((matcher.owner, TOO_SLOW))
        return None


def is_issue(fields: Fields) -> bool:
    """Tell whether fields say something: a message, and a severity that there is."""
    severity = (fields["severity"] or "error").lower()
    return bool((fields["message"] or "").strip()) and severity in ("error", "warning", "notice")


def _give_up(*_: object) -> None:
    raise TooSlowError


def main() -> None:
    """Answer messages until there are no more."""
    signal.signal(signal.SIGALRM, _give_up)
    matchers = Matchers()
    for line in sys.stdin:
        kind, content = json.loads(line)
        if kind == "add":
            matchers.add(content)
        elif kind == "remove":
            matchers.remove(content)
        else:
            sys.stdout.write(json.dumps(matchers.match(content)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
