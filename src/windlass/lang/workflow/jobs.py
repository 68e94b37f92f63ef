"""`jobs:`: jobs that run steps, jobs that call a workflow, and the order their needs ask for.

Source: actions/languageservices, workflow-parser/src/model/converter/{jobs,job,concurrency}.ts and
job/*.ts; checks that only the server makes from actions/runner,
WorkflowParser/Conversion/WorkflowTemplateConverter.cs.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from windlass.lang.tokens import ExpressionToken, MappingToken, StringToken, entries_of
from windlass.lang.workflow.conditions import condition_availability, convert_condition
from windlass.lang.workflow.containers import check_container, check_services
from windlass.lang.workflow.expectations import (
    expect_mapping,
    expect_sequence,
    expect_string,
    guarded,
    is_expression,
    take_mapping,
)
from windlass.lang.workflow.identifiers import Identifiers
from windlass.lang.workflow.model import CallJob, Job, RunDefaults
from windlass.lang.workflow.needs import check_needs
from windlass.lang.workflow.permissions import convert_permissions
from windlass.lang.workflow.steps import convert_steps
from windlass.lang.workflow.strategy import check_strategy
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.lang.problems import Problems
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import AnyJob

MAX_GROUP_LENGTH = 400
_GROUP_PREFIXES = ("org", "organization", "ent", "enterprise")
_PLAIN = {
    "strategy": "strategy",
    "timeout-minutes": "timeout_minutes",
    "cancel-timeout-minutes": "cancel_timeout_minutes",
    "continue-on-error": "continue_on_error",
    "runs-on": "runs_on",
    "container": "container",
    "services": "services",
    "snapshot": "snapshot",
    "environment": "environment",
    "concurrency": "concurrency",
}


def convert_jobs(problems: Problems, token: Token) -> tuple[AnyJob, ...]:
    """Return the jobs in the order of the file; those with a wrong part are left out."""
    jobs = []
    for key, value in expect_mapping(token).entries:
        identifier = expect_string(key)
        mapping = expect_mapping(value)
        converter = _Converter(problems, identifier)
        job = guarded(problems, partial(converter.convert, mapping))
        if job is not None:
            jobs.append(job)
    check_needs(problems, token.span, jobs)
    return tuple(jobs)


@dataclass(slots=True)
class _Converter:
    """Converts one job; properties are taken in the order of the file, as are their errors."""

    problems: Problems
    identifier: StringToken
    values: dict[str, Any] = field(default_factory=dict)

    def convert(self, mapping: MappingToken) -> AnyJob:
        message = Identifiers().add(self.identifier.value)
        if message is not None:
            self.problems.add("job-id", message, self.identifier.span)
        for key, value in mapping.entries:
            self._take(expect_string(key).value, value)
        self.values |= {"id": self.identifier.value, "span": self.identifier.span}
        if "uses" in self.values:
            return CallJob(**self.values)
        self.values.setdefault("steps", ())
        return Job(**self.values)

    def _take(self, key: str, value: Token) -> None:
        problems = self.problems
        match key:
            case "name":
                self.values["name"] = value
            case "needs":
                self.values["needs"] = _convert_needs(value)
            case "if":
                self.values["condition"] = convert_condition(
                    problems, value, condition_availability("job-if")
                )
            case "permissions":
                self.values["permissions"] = convert_permissions(value)
            case "env":
                self.values["env"] = take_mapping(problems, value, "job env")
            case "outputs":
                self.values["outputs"] = expect_mapping(value)
            case "defaults":
                self.values["defaults"] = convert_defaults(value)
            case "steps":
                self.values["steps"] = convert_steps(
                    problems, value, condition_availability("step-if")
                )
            case "uses":
                self.values["uses"] = expect_string(value)
            case "with":
                self.values["inputs"] = expect_mapping(value)
            case "secrets":
                self._secrets(value)
            case _:
                self._check(key, value)
                self.values[_PLAIN[key]] = value

    def _secrets(self, value: Token) -> None:
        if isinstance(value, StringToken) and value.value == "inherit":
            self.values["inherit_secrets"] = True
        else:
            self.values["secrets"] = expect_mapping(value)

    def _check(self, key: str, value: Token) -> None:
        problems = self.problems
        checks: dict[str, Callable[[Problems, Token], None]] = {
            "concurrency": check_concurrency,
            "environment": _check_environment,
            "runs-on": _check_runs_on,
        }
        if key in checks:
            guarded(problems, lambda: checks[key](problems, value))
        elif key == "container":
            check_container(problems, value)
        elif key == "services":
            check_services(problems, value)
        elif key == "strategy":
            check_strategy(problems, value)
        elif key == "snapshot":
            _check_snapshot(problems, value)


def _convert_needs(value: Token) -> tuple[StringToken, ...]:
    if isinstance(value, StringToken):
        return (value,)
    return tuple([expect_string(item) for item in expect_sequence(value).items])


def convert_defaults(token: Token) -> RunDefaults | None:
    """Return `defaults.run`, or None where it is not given."""
    run = expect_mapping(token).find("run")
    if isinstance(run, ExpressionToken):
        return RunDefaults(computed=run)
    if not isinstance(run, MappingToken):
        return None
    return RunDefaults(run.find("shell"), run.find("working-directory"))


def check_concurrency(problems: Problems, token: Token) -> None:
    """Check a `concurrency:` key of a workflow or a job."""
    if is_expression(token):
        return
    group: Token | None = token
    if not isinstance(token, StringToken):
        group = None
        for key, value in expect_mapping(token).entries:
            if expect_string(key, "concurrency group key").value == "group":
                group = value
    if isinstance(group, StringToken) and len(group.value) > MAX_GROUP_LENGTH:
        message = f"Concurrency group name must be less than {MAX_GROUP_LENGTH} characters"
        problems.add("concurrency-group", message, token.span)


def _check_environment(_: Problems, token: Token) -> None:
    for key, _value in entries_of(token):
        expect_string(key, "job environment key")


def _check_runs_on(problems: Problems, token: Token) -> None:
    for key, value in entries_of(token):
        name = expect_string(key, "job runs-on property name").value
        if name == "group" and isinstance(value, StringToken):
            _check_group(problems, value)


def _check_group(problems: Problems, group: StringToken) -> None:
    prefix, slash, name = group.value.partition("/")
    if not slash:
        return
    if "/" in name or prefix not in _GROUP_PREFIXES:
        problems.add(
            "runs-on-group",
            f"Invalid runs-on group name '{group.value}. Please use 'organization/' or "
            "'enterprise/' prefix to target a single runner group.'",
            group.span,
        )
    elif not name:
        message = f"Invalid runs-on group name '{group.value}'."
        problems.add("runs-on-group", message, group.span)


def _check_snapshot(problems: Problems, token: Token) -> None:
    if not isinstance(token, MappingToken):
        return
    condition = token.find("if")
    if condition is not None:  # the server lets it use what a step's condition may use
        convert_condition(
            problems, condition, condition_availability("step-if"), code="snapshot-condition"
        )
    version = token.find("version")
    if isinstance(version, StringToken) and not _is_image_version(version.value):
        message = f"Expected format '{{major-version}}.*' Actual '{version.value}'"
        problems.add("snapshot-version", message, token.span)


def _is_image_version(text: str) -> bool:
    major, _, rest = text.partition(".")
    return rest == "*" and major.isascii() and major.isdigit()
