"""Evaluating a tree while noting every value, also when some values are still to come.

Serves the plan: three-valued, so that `false && UNKNOWN` is false, and explaining, so that a
skipped job can say which part of its condition decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from windlass.lang.expressions.comparison import COMPARISONS, is_equal
from windlass.lang.expressions.compiler import CASE_PREDICATE, call_built_in, call_extension
from windlass.lang.expressions.faults import FaultError, evaluation_error
from windlass.lang.expressions.functions import IMPLEMENTATIONS
from windlass.lang.expressions.lookup import MISSING, expand, find_member, look_up
from windlass.lang.expressions.syntax import (
    Call,
    Comparison,
    Context,
    Index,
    Literal,
    Logical,
    Node,
    Not,
    Wildcard,
    source_of,
)
from windlass.lang.expressions.values import UNKNOWN, FilteredList, Unknown, is_truthy
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.lang.expressions.compiler import Contexts, Functions

_TRULY_UNKNOWN = {
    None: UNKNOWN,
    True: Unknown(truthiness=True),
    False: Unknown(truthiness=False),
}


@dataclass(frozen=True, slots=True)
class Trace:
    """A sub-expression, the value it had and the parts that were evaluated for it.

    `operator` is the operator, the function's name, or '' for a constant or a context's value.
    A part that was not needed (after `false &&`) is not there.
    """

    expression: str
    operator: str
    value: Any
    parts: tuple[Trace, ...] = ()
    is_constant: bool = False

    def deciding(self) -> Trace:
        """Return the smallest part whose value alone made this one what it is."""
        if self.operator == "!":
            return self.parts[0].deciding()
        if self.operator in ("&&", "||"):
            stopped_at = self.operator == "||"
            last = self.parts[-1]
            if truthiness(last.value) is stopped_at:
                return last.deciding()
            unknown = [part for part in self.parts if truthiness(part.value) is None]
            if unknown:
                return unknown[0].deciding()
        return self

    def values(self) -> tuple[tuple[str, Any], ...]:
        """Return the context values and function results below, as (expression, value)."""
        found: dict[str, Any] = {}
        pending = [self]
        while pending:
            trace = pending.pop()
            if trace.operator and trace.operator in _OPERATORS:
                pending.extend(reversed(trace.parts))
            elif not trace.is_constant:
                found.setdefault(trace.expression, trace.value)
        return tuple(found.items())


_OPERATORS = frozenset({"!", "&&", "||", *COMPARISONS})


def truthiness(value: Any) -> bool | None:
    """Tell whether a value counts as true; None while that is open."""
    return value.truthiness if isinstance(value, Unknown) else is_truthy(value)


def trace_node(
    node: Node, text: str, memory: int, contexts: Contexts, functions: Functions
) -> Trace:
    """Evaluate a tree with every value noted; `memory` is the bytes of text a call may hold.

    Raises FaultError for a fault that occurs whatever the unknown values turn out to be.
    """
    return _Tracer(text, memory, contexts, functions).trace(node)


class _Tracer:
    def __init__(self, text: str, memory: int, contexts: Contexts, functions: Functions) -> None:
        self._text = text
        self._memory = memory
        self._contexts = contexts
        self._functions = functions

    def trace(self, node: Node) -> Trace:
        match node:
            case Literal(value):
                return Trace(source_of(node, self._text), "", value, is_constant=True)
            case Context(name):
                found = find_member(self._contexts, name)
                return self._leaf(node, None if found is MISSING else found)
            case Index():
                return self._index(node)
            case Call():
                return self._call(node)
            case Not(operand):
                part = self.trace(operand)
                known = truthiness(part.value)
                opposite = UNKNOWN if known is None else not known
                return Trace(source_of(node, self._text), "!", opposite, (part,))
            case Comparison():
                return self._comparison(node)
            case Logical():
                return self._logical(node)

    def _leaf(self, node: Node, value: Any) -> Trace:
        return Trace(source_of(node, self._text), "", value)

    def _index(self, node: Index) -> Trace:
        if isinstance(node.key, Wildcard):
            return self._leaf(node, _expand(self.trace(node.target).value))
        try:
            key = self.trace(node.key).value
        except FaultError as error:
            message = f"could not evaluate index for index access: {error.fault.message}"
            raise evaluation_error(message) from None
        return self._leaf(node, _look_up(self.trace(node.target).value, key))

    def _comparison(self, node: Comparison) -> Trace:
        left, right = self.trace(node.left), self.trace(node.right)
        value: Any = UNKNOWN
        if not (isinstance(left.value, Unknown) or isinstance(right.value, Unknown)):
            value = COMPARISONS[node.operator](left.value, right.value)
        return Trace(source_of(node, self._text), node.operator, value, (left, right))

    def _logical(self, node: Logical) -> Trace:
        stops_at = node.operator == "||"
        parts: list[Trace] = []
        is_open = False
        for operand in node.operands:
            part = self._trace_open(operand) if is_open else self.trace(operand)
            parts.append(part)
            known = truthiness(part.value)
            if known is stops_at:
                break
            is_open = is_open or known is None
        value = _decide(stops_at, parts) if is_open else parts[-1].value
        return Trace(source_of(node, self._text), node.operator, value, tuple(parts))

    def _trace_open(self, node: Node) -> Trace:
        """Evaluate what may never be needed: a fault there is not certain, so it is unknown."""
        try:
            return self.trace(node)
        except FaultError:
            return self._leaf(node, UNKNOWN)

    def _call(self, node: Call) -> Trace:
        if node.name == "case":
            return self._case(node)
        parts = tuple(map(self.trace, node.arguments))
        values = [part.value for part in parts]
        if node.name not in IMPLEMENTATIONS:
            value = self._extension(node.name, values)
        elif _is_open(node.name, values):
            value = UNKNOWN
        else:
            value = self._built_in(node, values)
        return Trace(source_of(node, self._text), node.name, value, parts)

    def _extension(self, name: str, values: list[Any]) -> Any:
        if name not in self._functions or any(isinstance(value, Unknown) for value in values):
            return UNKNOWN
        return call_extension(name, values, self._functions)

    def _built_in(self, node: Call, values: list[Any]) -> Any:
        implementation = IMPLEMENTATIONS[node.name]
        return call_built_in(implementation, values, self._memory, source_of(node, self._text))

    def _case(self, node: Call) -> Trace:
        parts: list[Trace] = []
        *rest, default = node.arguments
        for predicate, result in zip(rest[::2], rest[1::2], strict=True):
            part = self.trace(predicate)
            parts.append(part)
            if isinstance(part.value, Unknown):
                return Trace(source_of(node, self._text), "case", UNKNOWN, tuple(parts))
            if not isinstance(part.value, bool):
                raise evaluation_error(CASE_PREDICATE)
            if part.value:
                chosen = self.trace(result)
                break
        else:
            chosen = self.trace(default)
        return Trace(source_of(node, self._text), "case", chosen.value, (*parts, chosen))


def _decide(stops_at: bool, parts: list[Trace]) -> Any:  # noqa: FBT001
    """Return the value of `&&` or `||` with an open operand, whose truthiness may be sure."""
    known = [truthiness(part.value) for part in parts]
    if stops_at in known:
        return _TRULY_UNKNOWN[stops_at]
    return UNKNOWN


def _look_up(target: Any, key: Any) -> Any:
    if isinstance(target, Unknown) or isinstance(key, Unknown):
        return UNKNOWN
    if isinstance(target, FilteredList) and any(isinstance(item, Unknown) for item in target):
        return UNKNOWN
    return look_up(target, key)


def _expand(target: Any) -> Any:
    if isinstance(target, Unknown):
        return UNKNOWN
    if isinstance(target, FilteredList) and any(isinstance(item, Unknown) for item in target):
        return UNKNOWN
    return expand(target)


def _is_open(name: str, values: list[Any]) -> bool:
    """Tell whether a function's result depends on a value still to come."""
    if any(isinstance(value, Unknown) for value in values):
        return True
    if name == "toJson":
        return holds_unknown(values[0])
    items = values[0]
    if not isinstance(items, list | tuple) or name not in ("join", "contains"):
        return False
    if not any(isinstance(item, Unknown) for item in items):
        return False
    known = (item for item in items if not isinstance(item, Unknown))
    return name == "join" or not any(is_equal(values[1], item) for item in known)


def holds_unknown(value: Any) -> bool:
    """Tell whether a value is, or has anywhere inside it, one that is still to come."""
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, Unknown):
            return True
        if isinstance(current, Mapping):
            pending.extend(current.values())
        elif isinstance(current, list | tuple):
            pending.extend(current)
    return False
