"""Where Windlass reads a workflow differently from GitHub's npm package, and why.

Each deviation has a name, a reason and the source that decides. A difference that none of them
explains fails the test. docs/concepts/workflow-files.md lists them for users.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.lang.diagnostics import Diagnostic

RUNNER = "actions/runner src/Sdk/WorkflowParser"
_REPOSITORY_DISPATCH = "Unexpected value 'repository_dispatch'"
_EXPRESSION_FOR_MAPPING = re.compile(
    "Unexpected type 'BasicExpressionToken' .* '(job env|services|step env)'"
)
SERVER_ONLY = {
    "uses-syntax": f"{RUNNER}/Conversion/WorkflowTemplateConverter.cs ConvertToStep",
    "matrix-vector": f"{RUNNER}/Conversion/WorkflowTemplateConverter.cs ConvertToStrategy",
    "matrix-empty": f"{RUNNER}/Conversion/WorkflowTemplateConverter.cs ConvertToStrategy",
    "matrix-include": f"{RUNNER}/Conversion/MatrixBuilder.cs",
    "concurrency-group": f"{RUNNER}/Conversion/WorkflowTemplateConverter.cs ConvertToConcurrency",
    "snapshot-version": f"{RUNNER}/Conversion/WorkflowTemplateConverter.cs ConvertToSnapshot",
    "snapshot-condition": f"{RUNNER}/Conversion/WorkflowTemplateConverter.cs ConvertToSnapshot",
    "expression-too-long": "actions/runner src/Sdk/Expressions/ExpressionConstants.cs",
    "yaml-tag": f"{RUNNER}/Conversion/YamlObjectReader.cs",
    "max-depth": f"{RUNNER}/ObjectTemplating/TemplateMemory.cs",
    "max-nodes": f"{RUNNER}/Conversion/YamlObjectReader.cs",
    "max-size": f"{RUNNER}/ObjectTemplating/TemplateMemory.cs",
    "call-input-type": f"{RUNNER}/Conversion/WorkflowTemplateConverter.cs",
    "call-permissions": f"{RUNNER}/Conversion/PermissionsHelper.cs",
    "call-depth": f"{RUNNER}/Conversion/ReusableWorkflowsLoader.cs",
}
"""Checks the server makes and the npm package does not, by the code of our diagnostic."""


@dataclass(frozen=True)
class Error:
    """One error, of either side."""

    message: str
    line: int | None
    column: int | None
    code: str = ""

    @property
    def place(self) -> tuple[str, int | None, int | None]:
        """What both sides have to agree on."""
        return (self.message, self.line, self.column)


@dataclass(frozen=True)
class Case:
    """One file with what both sides say about it."""

    text: str
    ours: tuple[Error, ...]
    theirs: tuple[Error, ...]
    is_yaml_for_us: bool
    is_yaml_for_them: bool


@dataclass(frozen=True)
class Deviation:
    """A named, justified difference."""

    name: str
    reason: str
    source: str
    explains: Callable[[Case], bool]


def read_ours(diagnostics: tuple[Diagnostic, ...]) -> tuple[Error, ...]:
    """Return our errors."""
    return tuple(
        Error(
            found.message,
            found.span.start.line if found.span else None,
            found.span.start.column if found.span else None,
            found.code,
        )
        for found in diagnostics
    )


def read_theirs(errors: list[dict[str, Any]]) -> tuple[Error, ...]:
    """Return the package's errors; the place is in the prefix of the message."""
    found = []
    for error in errors:
        place = re.search(r"\(Line: (\d+), Col: (\d+)\)", error["prefix"])
        line, column = (int(place[1]), int(place[2])) if place else (None, None)
        found.append(Error(error["message"], line, column))
    return tuple(found)


def _is_refused_by_both(case: Case) -> bool:
    return not case.is_yaml_for_us and not case.is_yaml_for_them


def _differs_only_by_server_checks(case: Case) -> bool:
    ours = _our_places(case)
    return len(ours) < len(case.ours) and ours == _their_places(case)


def _stops_after_server_check(case: Case) -> bool:
    """A server check of the first pass keeps ours from the second; theirs goes on."""
    ours = _our_places(case)
    return len(ours) < len(case.ours) and ours == _their_places(case)[: len(ours)]


def _names_repository_dispatch(case: Case) -> bool:
    is_named = any(error.message == _REPOSITORY_DISPATCH for error in case.theirs)
    ours, theirs = _our_places(case), _their_places(case)
    shorter = min(len(ours), len(theirs))
    return is_named and ours[:shorter] == theirs[:shorter]


def _suggests_steering_keys(case: Case) -> bool:
    return _their_places(case) != _places(case.theirs) and _our_places(case) == _their_places(case)


def _has_tab(case: Case) -> bool:
    lines = case.text.split("\n")
    return any(
        error.code == "yaml-syntax" and error.line and "\t" in lines[error.line - 1]
        for error in case.ours
    )


def _is_refused_later(case: Case) -> bool:
    return not case.is_yaml_for_us and bool(case.theirs)


def _has_unknown_alias(case: Case) -> bool:
    return all(error.code == "yaml-unknown-alias" for error in case.ours) and bool(case.ours)


def _mapping_is_expression(case: Case) -> bool:
    """Up to the first such place both agree; then the package leaves the step or job out."""
    ours, theirs = _our_places(case), _their_places(case)
    for index, (message, _, _) in enumerate(ours):
        if _EXPRESSION_FOR_MAPPING.match(message):
            return ours[: index + 1] == theirs[: index + 1]
    return False


def _stops_before_calls(case: Case) -> bool:
    ours, theirs = _our_places(case), _their_places(case)
    return bool(case.ours) and ours == [place for place in theirs if not _is_about_call(place[0])]


def _is_about_call(message: str) -> bool:
    return message.startswith(("Invalid input,", "Invalid secret,", "Unable to find")) or (
        message.endswith("but not provided while calling.")
    )


def _key_is_no_text(case: Case) -> bool:
    return any("raw.indexOf is not a function" in error.message for error in case.theirs)


def _folds_case_of_step_ids(case: Case) -> bool:
    theirs = _their_places(case)
    more = [place for place in _our_places(case) if place not in theirs]
    is_about_case = all("may not be used more than once" in place[0] for place in more)
    return bool(more) and is_about_case and len(_our_places(case)) == len(theirs) + len(more)


def _leaves_remote_workflows(case: Case) -> bool:
    not_found = "Unable to find reusable workflow"
    theirs = [place for place in _their_places(case) if place[0] != not_found]
    return [place for place in _our_places(case) if place[0] != not_found] == theirs


def _our_places(case: Case) -> list[tuple[str, int | None, int | None]]:
    """Return our errors without those that only the server finds."""
    return _places(error for error in case.ours if error.code not in SERVER_ONLY)


def _their_places(case: Case) -> list[tuple[str, int | None, int | None]]:
    """Return their errors as they would be with our schema and our suggestion."""
    return [
        (_without_steering_keys(message), line, column)
        for message, line, column in _places(case.theirs)
        if message != _REPOSITORY_DISPATCH
    ]


def _without_steering_keys(message: str) -> str:
    if not message.startswith("There's not enough info"):
        return message
    start, colon, names = message.partition(": ")
    steering = ("cancel", "wait", "wait-all")
    return start + colon + ", ".join(name for name in names.split(", ") if name not in steering)


def _places(errors: Any) -> list[tuple[str, int | None, int | None]]:
    return [error.place for error in errors]


DEVIATIONS = (
    Deviation(
        "yaml-syntax",
        "libyaml and npm's yaml word syntax errors differently",
        "https://yaml.org/spec/1.2.2/",
        _is_refused_by_both,
    ),
    Deviation(
        "tab",
        "a tab may not stand where a line's indentation ends; the server's YAML reader agrees",
        "https://yaml.org/spec/1.2.2/#61-indentation-spaces",
        _has_tab,
    ),
    Deviation(
        "yaml-syntax-later",
        "a file that libyaml refuses is refused by the package's schema",
        "https://yaml.org/spec/1.2.2/",
        _is_refused_later,
    ),
    Deviation(
        "unknown-alias",
        "the package breaks off at an alias without an anchor",
        f"{RUNNER}/Conversion/YamlObjectReader.cs",
        _has_unknown_alias,
    ),
    Deviation(
        "server-check",
        "the server refuses what GitHub's editor lets pass",
        RUNNER,
        _differs_only_by_server_checks,
    ),
    Deviation(
        "server-check-first",
        "after an error of the first pass the second is not made",
        RUNNER,
        _stops_after_server_check,
    ),
    Deviation(
        "repository-dispatch",
        "the package's schema gives the event the name of another one; GitHub accepts it",
        "https://docs.github.com/en/actions/reference/workflows-and-actions/"
        "events-that-trigger-workflows#repository_dispatch",
        _names_repository_dispatch,
    ),
    Deviation(
        "steering-keys",
        "`wait`, `wait-all` and `cancel` are not suggested for a step that lacks its main key",
        "actions/languageservices workflow-parser/src/templates/template-reader.ts",
        _suggests_steering_keys,
    ),
    Deviation(
        "expression-for-mapping",
        "the server evaluates an expression in place of a mapping when the job starts",
        f"{RUNNER}/Conversion/WorkflowTemplateConverter.cs ConvertToJob, ConvertToStep",
        _mapping_is_expression,
    ),
    Deviation(
        "calls-after-errors",
        "called workflows are read only if the caller is right",
        f"{RUNNER}/Conversion/ReusableWorkflowsLoader.cs",
        _stops_before_calls,
    ),
    Deviation(
        "remote-workflow",
        "workflows of other repositories are not fetched",
        "docs/concepts/workflow-files.md",
        _leaves_remote_workflows,
    ),
    Deviation(
        "key-is-no-text",
        "the package breaks off at a key that is a number or a boolean; it is read as text",
        f"{RUNNER}/ObjectTemplating/TemplateReader.cs",
        _key_is_no_text,
    ),
    Deviation(
        "step-id-case",
        "ids of steps have no case",
        f"{RUNNER}/Conversion/IdBuilder.cs",
        _folds_case_of_step_ids,
    ),
)
