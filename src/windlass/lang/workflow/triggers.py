"""`on:`: events with their filters, schedules, and the inputs of dispatch and call.

Source: actions/languageservices, workflow-parser/src/model/converter/{events,workflow-call,
workflow-dispatch}.ts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from windlass.lang.tokens import MappingToken, NullToken, SequenceToken, StringToken
from windlass.lang.workflow.cron import is_valid_cron
from windlass.lang.workflow.expectations import (
    expect_boolean,
    expect_mapping,
    expect_sequence,
    expect_string,
    is_expression,
    kind_name,
)
from windlass.lang.workflow.model import (
    EventFilter,
    InputDefinition,
    OutputDefinition,
    Pattern,
    Schedule,
    SecretDefinition,
    Triggers,
)
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from windlass.lang.problems import Problems
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import InputType

_CRON = "Invalid cron expression. Expected format: '* * * * *' (minute hour day month weekday)"
_FILTERS = (
    *("branches", "branches-ignore", "tags", "tags-ignore", "paths", "paths-ignore"),
    *("types", "versions", "names", "workflows"),
)


def convert_triggers(problems: Problems, token: Token) -> Triggers:
    """Return the events that start a workflow."""
    reader = _TriggerReader(problems)
    if isinstance(token, MappingToken):
        for key, value in token.entries:
            reader.take(expect_string(key), value)
    elif isinstance(token, SequenceToken):
        for item in token.items:
            reader.take(expect_string(item), None)
    else:
        reader.take(expect_string(token), None)
    return Triggers(span=token.span, events=reader.events, **reader.parts)


@dataclass(slots=True)
class _TriggerReader:
    problems: Problems
    events: dict[str, EventFilter] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)

    def take(self, name: StringToken, value: Token | None) -> None:
        self.events[name.value] = EventFilter(name=name.value, span=name.span)
        if value is None or isinstance(value, NullToken):
            return
        if name.value == "schedule":
            schedules = expect_sequence(value)
            self.parts["schedules"] = convert_schedules(self.problems, schedules)
            return
        mapping = expect_mapping(value)
        if name.value == "workflow_call":
            self._call(mapping)
        elif name.value == "workflow_dispatch":
            self._dispatch(mapping)
        else:
            self.events[name.value] = _convert_filters(name, mapping)

    def _call(self, mapping: MappingToken) -> None:
        for key, value in mapping.entries:
            name = expect_string(key).value
            definitions = expect_mapping(value)
            if name == "inputs":
                self.parts["call_inputs"] = convert_inputs(
                    self.problems, definitions, allow_expression=True
                )
            elif name == "secrets":
                self.parts["call_secrets"] = convert_secrets(definitions)
            elif name == "outputs":
                self.parts["call_outputs"] = convert_outputs(definitions)

    def _dispatch(self, mapping: MappingToken) -> None:
        inputs = mapping.find("inputs")
        if inputs is not None and not isinstance(inputs, NullToken):
            definitions = expect_mapping(inputs)
            self.parts["dispatch_inputs"] = convert_inputs(
                self.problems, definitions, allow_expression=False
            )


def _convert_filters(name: StringToken, mapping: MappingToken) -> EventFilter:
    filters: dict[str, Any] = {}
    for key, value in mapping.entries:
        filter_name = expect_string(key).value
        if filter_name in _FILTERS:
            filters[filter_name.replace("-", "_")] = _patterns(value)
    return EventFilter(name=name.value, span=name.span, **filters)


def _patterns(value: Token) -> tuple[Pattern, ...]:
    if isinstance(value, StringToken):
        return (Pattern(value.value, value.span),)
    items = [expect_string(item) for item in expect_sequence(value).items]
    return tuple([Pattern(item.value, item.span) for item in items])


def convert_schedules(problems: Problems, token: SequenceToken) -> tuple[Schedule, ...]:
    """Return the schedules; a line that is no cron line is recorded."""
    schedules = []
    for item in token.items:
        mapping = expect_mapping(item)
        texts = {expect_string(key).value: expect_string(value) for key, value in mapping.entries}
        cron = texts["cron"]
        if not is_valid_cron(cron.value):
            problems.add("cron", _CRON, cron.span, "For example '30 5 * * 1-5'.")
        timezone = texts.get("timezone")
        schedules.append(Schedule(cron.value, timezone.value if timezone else None, mapping.span))
    return tuple(schedules)


def convert_inputs(
    problems: Problems, token: MappingToken, *, allow_expression: bool
) -> dict[str, InputDefinition]:
    """Return input definitions by name; a default may be an expression only where it is allowed."""
    inputs: dict[str, InputDefinition] = {}
    for key, value in token.entries:
        name = expect_string(key)
        if isinstance(value, NullToken):
            inputs[name.value] = InputDefinition(name=name.value, span=name.span)
            continue
        mapping = expect_mapping(value)
        inputs[name.value] = _convert_input(
            problems, name, mapping, allow_expression=allow_expression
        )
    return inputs


def _convert_input(
    problems: Problems, name: StringToken, mapping: MappingToken, *, allow_expression: bool
) -> InputDefinition:
    parts: dict[str, Any] = {}
    for key, value in mapping.entries:
        match expect_string(key).value:
            case "description":
                parts["description"] = expect_string(value).value
            case "required":
                parts["required"] = expect_boolean(value).value
            case "default":
                parts["default"] = value
            case "type":
                parts["type"] = cast("InputType", expect_string(value).value)
            case "options":
                items = expect_sequence(value).items
                parts["options"] = tuple([expect_string(item).value for item in items])
    definition = InputDefinition(name=name.value, span=name.span, **parts)
    if not (allow_expression and definition.default and is_expression(definition.default)):
        _check_default(problems, definition, is_called=allow_expression)
    _check_options(problems, definition, mapping, has_options="options" in parts)
    return definition


def _check_default(problems: Problems, definition: InputDefinition, *, is_called: bool) -> None:
    """Compare a default with its type; the server converts all but a called workflow's booleans."""
    default = definition.default
    if default is None or definition.type == "number":
        return
    expected = "BooleanToken" if definition.type == "boolean" else "StringToken"
    if kind_name(default) != expected:
        record = problems.add if is_called and definition.type == "boolean" else problems.warn
        record(
            "input-default",
            f"Unexpected type '{kind_name(default)}' encountered while reading 'input default'. "
            f"The type '{expected}' was expected.",
            default.span,
            f"The input's type is '{definition.type}'; write its default as one.",
        )


def _check_options(
    problems: Problems, definition: InputDefinition, mapping: MappingToken, *, has_options: bool
) -> None:
    if definition.type == "choice" and not definition.options:
        problems.add("input-options", "Missing 'options' for choice input", mapping.span)
    elif definition.type != "choice" and has_options:
        message = "Input type is not 'choice', but 'options' is defined"
        problems.add("input-options", message, mapping.span)


def convert_secrets(token: MappingToken) -> dict[str, SecretDefinition]:
    """Return the secrets that a reusable workflow asks for."""
    secrets: dict[str, SecretDefinition] = {}
    for key, value in token.entries:
        name = expect_string(key)
        parts: dict[str, Any] = {}
        for part, part_value in value.entries if isinstance(value, MappingToken) else ():
            match expect_string(part).value:
                case "description":
                    parts["description"] = expect_string(part_value).value
                case "required":
                    parts["required"] = expect_boolean(part_value).value
        secrets[name.value] = SecretDefinition(name=name.value, span=name.span, **parts)
    return secrets


def convert_outputs(token: MappingToken) -> dict[str, OutputDefinition]:
    """Return the outputs that a reusable workflow gives."""
    outputs: dict[str, OutputDefinition] = {}
    for key, value in token.entries:
        name = expect_string(key)
        mapping = expect_mapping(value)
        description = mapping.find("description")
        source = mapping.find("value")
        if source is not None:
            outputs[name.value] = OutputDefinition(
                name=name.value,
                span=name.span,
                value=source,
                description=description.value if isinstance(description, StringToken) else None,
            )
    return outputs
