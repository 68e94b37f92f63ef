"""`steps:` of a job: run and action steps, and the steps that steer background steps.

Source: actions/languageservices, workflow-parser/src/model/converter/steps.ts; the syntax of `uses`
from actions/runner, WorkflowParser/Conversion/WorkflowTemplateConverter.cs.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from windlass.lang.tokens import BooleanToken, MappingToken, StringToken
from windlass.lang.workflow.conditions import convert_condition
from windlass.lang.workflow.expectations import (
    UnexpectedTokenError,
    expect_boolean,
    expect_mapping,
    expect_sequence,
    expect_string,
    guarded,
    take_mapping,
)
from windlass.lang.workflow.identifiers import Identifiers, is_reserved, reserved_message
from windlass.lang.workflow.model import (
    ActionStep,
    CancelStep,
    ParallelStep,
    RunStep,
    WaitAllStep,
    WaitStep,
)
from windlass.model.values import dataclass, field, replace

if TYPE_CHECKING:
    from windlass.lang.problems import Problems
    from windlass.lang.schema.definitions import Availability
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import Step

DOCKER = "docker://"
_NAMES = {WaitStep: "wait", WaitAllStep: "wait-all", CancelStep: "cancel", ParallelStep: "parallel"}


def convert_steps(problems: Problems, token: Token, condition: Availability) -> tuple[Step, ...]:
    """Return the steps of a job or a composite action, each with an id.

    `condition` is what an `if:` may use.
    """
    identifiers = Identifiers()
    steps = []
    for item in expect_sequence(token).items:
        converter = _Converter(problems, identifiers, condition)
        step = guarded(problems, partial(converter.convert, item))
        if step is not None:
            steps.append(step)
    return tuple([_with_id(step, identifiers) for step in steps])


def _with_id(step: Step, identifiers: Identifiers) -> Step:
    if step.id:
        return step
    if isinstance(step, ActionStep):
        name = _name_of_action(step.uses.value)
    else:
        name = _NAMES.get(type(step), "run")
    identifier = identifiers.generate(f"__{name}")
    if identifier is None:
        raise UnexpectedTokenError("Unable to create a unique name", step.span)
    return replace(step, id=identifier)


def _name_of_action(uses: str) -> str:
    if uses.startswith(DOCKER):
        return uses.removeprefix(DOCKER) or "run"
    if uses.startswith(("./", ".\\", "$/")):
        return "self"
    repository = _repository_of(uses)
    return repository or "run"


def _repository_of(uses: str) -> str | None:
    """Return `owner/name` of `owner/name[/path]@ref`, or None for anything else."""
    path, at, ref = uses.partition("@")
    segments = [segment for segment in re.split(r"[\\/]", path) if segment]
    if not at or not ref or "@" in ref or len(segments) < 2:
        return None
    return f"{segments[0]}/{segments[1]}"


@dataclass(slots=True)
class _Converter:
    """Converts one step; properties are taken in the order of the file, as are their errors."""

    problems: Problems
    identifiers: Identifiers
    condition: Availability
    common: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def convert(self, token: Token) -> Step:
        mapping = expect_mapping(token)
        self.common = {"id": "", "id_given": False, "span": mapping.span}
        for key, value in mapping.entries:
            name = expect_string(key).value
            if not self._take_common(name, value):
                self._take_own(name, value)
        return self._build(mapping)

    def _take_common(self, key: str, value: Token) -> bool:
        """Take a property that every kind of step has; False if this is another one."""
        common = self.common
        match key:
            case "id":
                common |= self._id(value)
            case "name":
                common["name"] = value
            case "if":
                common["condition"] = convert_condition(self.problems, value, self.condition)
            case "continue-on-error":
                common["continue_on_error"] = value
            case "timeout-minutes":
                common["timeout_minutes"] = value
            case "env":
                common["env"] = take_mapping(self.problems, value, "step env")
            case "background":
                common["background"] = expect_boolean(value).value
            case _:
                return False
        return True

    def _take_own(self, key: str, value: Token) -> None:
        values = self.values
        match key:
            case "uses":
                values["uses"] = expect_string(value)
                self._check_uses(values["uses"])
            case "wait":
                values["wait"] = self._targets(value)
            case "wait-all":
                self._check_wait_all(value)
                values["wait-all"] = value
            case "cancel":
                values["cancel"] = self._target(expect_string(value))
            case _:
                values[key] = value

    def _id(self, value: Token) -> dict[str, Any]:
        identifier = expect_string(value)
        message = self.identifiers.add(identifier.value)
        if message is not None:
            self.problems.add("step-id", message, identifier.span)
        return {"id": identifier.value, "id_given": True}

    def _check_uses(self, uses: StringToken) -> None:
        text = uses.value
        if text.startswith((DOCKER, "./", ".\\", "$/")) or _repository_of(text) is not None:
            return
        self.problems.add(
            "uses-syntax",
            f"Expected format {{org}}/{{repo}}[/path]@ref. Actual '{text}'",
            uses.span,
            "For an action of this repository write './path', for an image 'docker://image'.",
        )

    def _targets(self, value: Token) -> tuple[StringToken, ...]:
        if isinstance(value, StringToken):
            return (self._target(value),)
        items = expect_sequence(value).items
        return tuple([self._target(expect_string(item)) for item in items])

    def _target(self, target: StringToken) -> StringToken:
        own = self.common["id"]
        if is_reserved(target.value):
            self.problems.add("step-target", reserved_message(target.value), target.span)
        elif own and target.value.lower() == own.lower():
            self.problems.add("step-target", f"Step '{own}' cannot reference itself", target.span)
        elif not self.identifiers.holds(target.value):
            message = f"Step references unknown step ID '{target.value}'"
            self.problems.add("step-target", message, target.span)
        return target

    def _check_wait_all(self, value: Token) -> None:
        if isinstance(value, BooleanToken) and not value.value:
            message = "The value of 'wait-all' must be true or omitted"
            self.problems.add("wait-all", message, value.span)

    def _build(self, mapping: MappingToken) -> Step:
        common, values = self.common, self.values
        if "run" in values:
            return RunStep(
                **common,
                run=values["run"],
                shell=values.get("shell"),
                working_directory=values.get("working-directory"),
            )
        if "uses" in values:
            return ActionStep(**common, uses=values["uses"], inputs=values.get("with"))
        if "wait" in values:
            return WaitStep(**common, targets=values["wait"])
        if "wait-all" in values:
            return WaitAllStep(**common)
        if "cancel" in values:
            return CancelStep(**common, target=values["cancel"])
        steps = convert_steps(self.problems, values["parallel"], self.condition)
        self._check_parallel(mapping, values["parallel"], steps)
        return ParallelStep(**common, steps=steps)

    def _check_parallel(self, mapping: MappingToken, token: Token, steps: tuple[Step, ...]) -> None:
        written = expect_sequence(token).items
        backgrounds = {item.span for item in written if _has_background(item)}
        for step in steps:
            message = _not_in_parallel(step, has_background=step.span in backgrounds)
            if message is not None:
                self.problems.add("parallel-step", message, mapping.span)


def _has_background(item: Token) -> bool:
    return isinstance(item, MappingToken) and item.find("background") is not None


def _not_in_parallel(step: Step, *, has_background: bool) -> str | None:
    if has_background:
        return (
            "'background' is not allowed inside a parallel block. Steps in a parallel block are "
            "automatically run as background steps."
        )
    if isinstance(step, ParallelStep):
        return "Nested 'parallel' blocks are not allowed."
    if isinstance(step, (WaitStep, WaitAllStep, CancelStep)):
        return f"'{_NAMES[type(step)]}' is not allowed inside a parallel block."
    return None
