"""Read an action file: bytes in; a typed action and diagnostics out.

Source: actions/runner, src/Runner.Worker/ActionManifestManager.cs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.action.model import Action, ActionInput, ActionOutput
from windlass.lang.action.runs import convert_runs
from windlass.lang.problems import Problems
from windlass.lang.reader import literal_text, read_file
from windlass.lang.schema.action import ROOT, action_schema
from windlass.lang.schema.definitions import NOTHING
from windlass.lang.tokens import BooleanToken, MappingToken, StringToken
from windlass.lang.workflow.expectations import guarded, text_of
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.lang.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionReading:
    """What an action file says; `action` is None if there is a diagnostic."""

    action: Action | None
    diagnostics: tuple[Diagnostic, ...]


def read_action(path: str, text: bytes) -> ActionReading:
    """Read one action file; `path` is named in positions."""
    problems = Problems()
    tokens = read_file(problems, path, text, action_schema().place(ROOT, NOTHING))
    action = None
    if tokens is not None and not problems.has_error:
        action = guarded(problems, lambda: _convert(problems, path, tokens))
    return ActionReading(
        action=None if problems.has_error else action,
        diagnostics=tuple(problems.found),
    )


def _convert(problems: Problems, path: str, root: MappingToken) -> Action | None:
    token = root.find("runs")
    if not isinstance(token, MappingToken):
        message = "Top level 'runs:' section is required"
        problems.add("runs-missing", message, root.span, "Write 'runs:' with 'using:' in it.")
        return None
    runs = convert_runs(problems, token)
    if runs is None:
        return None
    return Action(
        path=path,
        span=root.span,
        runs=runs,
        name=text_of(root.find("name")),
        description=text_of(root.find("description")),
        inputs=_convert_inputs(root),
        outputs=_convert_outputs(root),
    )


def _convert_inputs(root: MappingToken) -> dict[str, ActionInput]:
    inputs = {}
    for name, value in _named_mappings(root, "inputs"):
        required = value.find("required")
        is_required = required is not None and (
            required.value
            if isinstance(required, BooleanToken)
            else isinstance(required, StringToken) and literal_text(required).lower() == "true"
        )
        inputs[name.value] = ActionInput(
            name=name.value,
            span=name.span,
            description=text_of(value.find("description")),
            required=is_required,
            default=value.find("default"),
            deprecation_message=text_of(value.find("deprecationMessage")),
        )
    return inputs


def _convert_outputs(root: MappingToken) -> dict[str, ActionOutput]:
    return {
        name.value: ActionOutput(
            name=name.value,
            span=name.span,
            description=text_of(value.find("description")),
            value=value.find("value"),
        )
        for name, value in _named_mappings(root, "outputs")
    }


def _named_mappings(root: MappingToken, key: str) -> list[tuple[StringToken, MappingToken]]:
    section = root.find(key)
    entries = section.entries if isinstance(section, MappingToken) else ()
    return [
        (name, value)
        for name, value in entries
        if isinstance(name, StringToken) and isinstance(value, MappingToken)
    ]
