"""The names under `with` must be inputs of the action, and its required inputs must be there.

An unknown input is ignored with a warning in the log, so that the action does not do what is
written. Checked are the actions of the repository itself and the well-known ones of GitHub; of
these, a name that is not close to a known one is a warning, since a newer version may have it.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.known_actions import find_known_action
from windlass.lang.lint.repository import local_path
from windlass.lang.lint.rule import Rule
from windlass.lang.tokens import ExpressionToken, StringToken, entries_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.repository import Repository
    from windlass.lang.lint.subject import Subject
    from windlass.lang.workflow.model import ActionStep


def check(subject: Subject) -> Iterator[Finding]:
    """Find unknown and missing inputs of actions whose inputs are known."""
    for _, step in subject.action_steps:
        inputs = _inputs_of(step, subject.repository)
        if inputs is not None:
            yield from _check(step, inputs)


def _inputs_of(step: ActionStep, repository: Repository) -> dict[str, bool] | None:
    """Return the action's inputs in lower case, each with whether it must be given."""
    path = local_path(step.uses.value)
    if path is None:
        return find_known_action(step.uses.value)
    action = repository.find_action(path)
    if action is None:
        return None
    return {
        definition.name.lower(): definition.required and definition.default is None
        for definition in action.inputs.values()
    }


def _check(step: ActionStep, inputs: dict[str, bool]) -> Iterator[Finding]:
    if isinstance(step.inputs, ExpressionToken):
        return
    given: set[str] = set()
    for key, _ in entries_of(step.inputs):
        if not isinstance(key, StringToken):
            return
        given.add(key.value.lower())
        is_container_key = key.value.lower() in ("args", "entrypoint")
        if key.value.lower() not in inputs and not is_container_key:
            near = difflib.get_close_matches(key.value.lower(), inputs, n=1)
            known = ", ".join(f"`{name}`" for name in inputs) or "none"
            yield Finding(
                message=f"`{step.uses.value}` has no input `{key.value}`",
                span=key.span,
                severity=None if near or local_path(step.uses.value) else Severity.WARNING,
                hint=f"did you mean `{near[0]}`?" if near else f"its inputs: {known}",
            )
    for name, is_required in inputs.items():
        if is_required and name not in given:
            yield Finding(
                message=f"`{step.uses.value}` needs the input `{name}`",
                span=step.uses.span,
                hint=f"add `{name}:` under `with`",
            )


RULE = Rule(
    code="action-inputs",
    severity=Severity.ERROR,
    summary="an action gets an input it does not have, or lacks one it needs",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch_depth: 0
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
""",
    check=check,
    is_for_actions=True,
)
