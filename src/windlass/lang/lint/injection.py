"""Where expressions become part of a script, and which variables hold untrusted text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.lint.places import (
    ExpressionUse,
    Place,
    expression_tokens,
    parse_expression,
)
from windlass.lang.lint.taint import untrusted_parts
from windlass.lang.tokens import StringToken, entries_of
from windlass.lang.workflow.model import ActionStep, Job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.positions import Position
    from windlass.lang.tokens import ComputedMapping, Token

_SCRIPT_INPUTS = frozenset({"script", "inlinescript", "run", "command", "cmd"})


def script_uses(subject: Subject) -> Iterator[ExpressionUse]:
    """Yield the expressions in `run` and in inputs of actions that are scripts."""
    for use in subject.expressions:
        if use.place.key == "run":
            yield use
        elif isinstance(use.place.step, ActionStep) and use.place.key == "with":
            starts = _starts_of_scripts(use.place.step)
            yield from (use,) if use.start in starts else ()


def _starts_of_scripts(step: ActionStep) -> set[Position]:
    starts: set[Position] = set()
    for key, value in entries_of(step.inputs):
        if isinstance(key, StringToken) and key.value.lower() in _SCRIPT_INPUTS:
            starts |= {part.start for t in expression_tokens(value) for part in t.embedded}
    return starts


def tainted_variables(subject: Subject, place: Place) -> dict[str, str]:
    """Return the variables of `env` in a place that hold untrusted text, with its source."""
    job, step = place.job, place.step
    layers: list[ComputedMapping | None] = [subject.workflow.env]
    layers.append(job.env if isinstance(job, Job) else None)
    layers.append(step.env if step is not None else None)
    tainted: dict[str, str] = {}
    for env in layers:
        for key, value in entries_of(env):
            if isinstance(key, StringToken):
                tainted.pop(key.value, None)
                source = _untrusted_source(value)
                if source is not None:
                    tainted[key.value] = source
    return tainted


def _untrusted_source(value: Token) -> str | None:
    for token in expression_tokens(value):
        for part in token.embedded:
            node = parse_expression(part.text)
            for _, written in untrusted_parts(node, part.text) if node is not None else ():
                return written
    return None
