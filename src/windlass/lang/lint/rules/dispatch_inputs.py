"""The default of an input must fit its type, and of a choice be one of its options.

GitHub shows the default in the form and refuses to start with a value that does not fit. A
`choice` needs options, and there may be 25 inputs at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule
from windlass.lang.tokens import BooleanToken, NumberToken, StringToken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.workflow.model import InputDefinition

MAXIMUM_INPUTS = 25
"""https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#onworkflow_dispatchinputs"""


def check(subject: Subject) -> Iterator[Finding]:
    """Find defaults that do not fit, repeated options and too many inputs."""
    inputs = list(subject.workflow.triggers.dispatch_inputs.values())
    for definition in inputs:
        yield from _check_options(definition)
        yield from _check_default(definition)
    for definition in inputs[MAXIMUM_INPUTS:][:1]:
        yield Finding(
            message=f"there are {len(inputs)} inputs, and GitHub allows {MAXIMUM_INPUTS}",
            span=definition.span,
        )


def _check_options(definition: InputDefinition) -> Iterator[Finding]:
    repeated = {o for o in definition.options if definition.options.count(o) > 1}
    if definition.type == "choice" and not definition.options:
        message = f"the choice `{definition.name}` has no options"
        yield Finding(message=message, span=definition.span, hint="add `options`")
    for option in sorted(repeated):
        yield Finding(
            message=f"the choice `{definition.name}` has the option '{option}' twice",
            span=definition.span,
            severity=Severity.WARNING,
        )


def _check_default(definition: InputDefinition) -> Iterator[Finding]:
    default = definition.default
    message = None
    if isinstance(default, StringToken):
        if definition.type == "choice" and default.value not in definition.options:
            message = f"'{default.value}' is not one of the options"
        elif definition.type in ("boolean", "number"):
            message = f"'{default.value}' is a string"
    elif isinstance(default, BooleanToken) and definition.type == "number":
        message = "a boolean is no number"
    elif isinstance(default, NumberToken) and definition.type == "boolean":
        message = "a number is no boolean"
    if message is not None and default is not None:
        options = ", ".join(f"'{option}'" for option in definition.options)
        yield Finding(
            message=f"the default of `{definition.name}` ({definition.type}) is wrong: {message}",
            span=default.span,
            hint=f"its options: {options}" if options else None,
        )


RULE = Rule(
    code="dispatch-inputs",
    severity=Severity.ERROR,
    summary="an input of `workflow_dispatch` with a wrong default or options",
    text=__doc__ or "",
    before="""\
on:
  workflow_dispatch:
    inputs:
      level:
        type: choice
        options: [low, high]
        default: middle
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    after="""\
on:
  workflow_dispatch:
    inputs:
      level:
        type: choice
        options: [low, high]
        default: low
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: make
""",
    check=check,
)
