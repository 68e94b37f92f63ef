"""Tokens → the plain values that keys of jobs and steps stand for, or the fault in their way.

Source: actions/runner src/Sdk/DTPipelines/Pipelines/ObjectTemplating/PipelineTemplateEvaluator.cs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from windlass.lang.expressions import kind_of, to_text
from windlass.lang.template import TemplateFault, evaluate_token
from windlass.lang.tokens import BooleanToken, NullToken, NumberToken, StringToken
from windlass.model.values import dataclass, field
from windlass.plan.faults import PlanFault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windlass.lang.expressions import Value
    from windlass.lang.positions import Span
    from windlass.lang.tokens import Token

    Function: TypeAlias = Callable[[Sequence[Value]], Value]


@dataclass(frozen=True, slots=True)
class Scope:
    """What expressions may look at: contexts and functions by name."""

    contexts: Mapping[str, Value]
    functions: Mapping[str, Function] = field(default_factory=dict)


def evaluate_value(token: Token, scope: Scope) -> Value | PlanFault:
    """Return a token's value of whatever kind."""
    if isinstance(token, StringToken):
        return token.value
    value = evaluate_token(token, scope.contexts, scope.functions)
    if isinstance(value, TemplateFault):
        return PlanFault(value.fault.message, value.span)
    return value


def evaluate_text(token: Token | None, scope: Scope) -> str | PlanFault | None:
    """Return a string key's text; null is the empty string, None where the key is not there."""
    if token is None:
        return None
    if isinstance(token, StringToken):
        return token.value
    value = evaluate_value(token, scope)
    return value if isinstance(value, PlanFault) else _as_text(value, token.span)


def evaluate_texts(token: Token | None, scope: Scope) -> dict[str, str] | PlanFault:
    """Return a mapping of strings (`env`, `with`, `outputs`); an absent one is empty."""
    if token is None or isinstance(token, NullToken):
        return {}
    value = evaluate_value(token, scope)
    if isinstance(value, PlanFault):
        return value
    if not isinstance(value, Mapping):
        return PlanFault(_unexpected(value), token.span)
    texts: dict[str, str] = {}
    for key, entry in value.items():
        text = _as_text(entry, token.span)
        if isinstance(text, PlanFault):
            return text
        texts[key] = text
    return texts


def evaluate_boolean(token: Token | None, scope: Scope) -> bool | PlanFault:
    """Return a boolean key; an absent one is false."""
    if token is None or isinstance(token, NullToken):
        return False
    if isinstance(token, BooleanToken):
        return token.value
    value = evaluate_value(token, scope)
    if isinstance(value, bool | PlanFault):
        return value
    return PlanFault(f"Unexpected value '{to_text(value)}'", token.span)


def evaluate_number(token: Token | None, scope: Scope) -> float | PlanFault | None:
    """Return a number key; None where it is not there."""
    if token is None or isinstance(token, NullToken):
        return None
    if isinstance(token, NumberToken):
        return token.value
    value = evaluate_value(token, scope)
    if isinstance(value, PlanFault):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return PlanFault(f"Unexpected value '{to_text(value)}'", token.span)


def evaluate_minutes(token: Token | None, scope: Scope) -> int | PlanFault | None:
    """Return a time-out in whole minutes, as the runner cuts fractions off; None where not there.

    A number that does not fit into 32 bits is 0. What is not above 0 is no limit for a step or a
    job.
    """
    minutes = evaluate_number(token, scope)
    if minutes is None or isinstance(minutes, PlanFault):
        return minutes
    return int(minutes) if abs(minutes) < 2**31 else 0


def _as_text(value: Value, span: Span) -> str | PlanFault:
    if kind_of(value) in ("Array", "Object"):
        return PlanFault(_unexpected(value), span)
    return to_text(value)


def _unexpected(value: Value) -> str:
    """GitHub's words for a value of the wrong shape."""
    kind = kind_of(value)
    if kind == "Array":
        return "A sequence was not expected"
    if kind == "Object":
        return "A mapping was not expected"
    return f"Unexpected value '{to_text(value)}'"


def describe_fault(fault: PlanFault) -> str:
    """Return a fault's message with its place in front, as GitHub writes it."""
    if fault.span is None:
        return fault.message
    start = fault.span.start
    return f"{fault.span.path} (Line: {start.line}, Col: {start.column}): {fault.message}"
