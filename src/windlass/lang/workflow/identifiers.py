"""Ids of jobs and steps: which are valid, and which are made up where the user gave none.

Source: actions/languageservices, workflow-parser/src/model/converter/id-builder.ts, and
actions/runner, WorkflowParser/Conversion/IdBuilder.cs, for which the case of an id does not matter.
"""

from __future__ import annotations

import re

MAX_LENGTH = 100
MAX_ATTEMPTS = 1000


class Identifiers:
    """The ids used in one scope: the steps of a job, for instance."""

    def __init__(self) -> None:
        self._used: dict[str, str] = {}

    def add(self, identifier: str) -> str | None:
        """Take an id that the user chose; return what is wrong with it, or None."""
        if not is_valid(identifier):
            return (
                f"The identifier '{identifier}' is invalid. IDs may only contain alphanumeric "
                "characters, '_', and '-'. IDs must start with a letter or '_' and and must be "
                f"less than {MAX_LENGTH} characters."
            )
        if is_reserved(identifier):
            return reserved_message(identifier)
        if identifier.upper() in self._used:
            return (
                f"The identifier '{identifier}' may not be used more than once within the same "
                "scope."
            )
        self._used[identifier.upper()] = identifier
        return None

    def holds(self, identifier: str) -> bool:
        """Say whether the user chose this very id."""
        return self._used.get(identifier.upper()) == identifier

    def generate(self, name: str) -> str | None:
        """Make a new id from a name: `__actions_checkout`, then `__actions_checkout_2`.

        None where a thousand such ids are in use.
        """
        base = re.sub(r"[^A-Za-z0-9_-]", "_", name)
        for attempt in range(1, MAX_ATTEMPTS):
            suffix = "" if attempt == 1 else f"_{attempt}"
            candidate = base[: MAX_LENGTH - len(suffix)] + suffix
            if candidate.upper() not in self._used:
                self._used[candidate.upper()] = candidate
                return candidate
        return None


def is_valid(identifier: str) -> bool:
    """Say whether a user may choose an id, apart from reserved ones."""
    return len(identifier) < MAX_LENGTH and bool(
        re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", identifier)
    )


def is_reserved(identifier: str) -> bool:
    """Say whether only Windlass may make such an id."""
    return identifier.startswith("__")


def reserved_message(identifier: str) -> str:
    """Return GitHub's words for a reserved id."""
    return f"The identifier '{identifier}' is invalid. IDs starting with '__' are reserved."
