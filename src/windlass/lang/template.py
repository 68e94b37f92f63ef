"""Tokens → the values they stand for: every expression evaluated, lists spliced, maps merged.

Source: actions/runner src/Sdk/DTObjectTemplating/ObjectTemplating/TemplateEvaluator.cs,
TemplateUnraveler.cs and TemplateMemory.cs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from windlass.lang.casing import fold
from windlass.lang.expressions import (
    UNKNOWN,
    Fault,
    FunctionInfo,
    Unknown,
    compile_expression,
    is_primitive,
    to_text,
)
from windlass.lang.tokens import (
    ExpressionToken,
    InsertToken,
    MappingToken,
    NullToken,
    SequenceToken,
    StringToken,
)
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from windlass.lang.expressions import Compiled, Value
    from windlass.lang.positions import Span
    from windlass.lang.tokens import KeyToken, Token

    Function = Callable[[Sequence[Value]], Value | Fault]

MAXIMUM_DEPTH = 50
"""How deep the lists and mappings of a result may nest."""

MAXIMUM_BYTES = 10 * 1024 * 1024
"""How large a result may be, counted as the runner does: two bytes a character and overheads."""

_OBJECT_BYTES = 24
_STRING_BYTES = 26
_ANY_NUMBER = FunctionInfo(0, None)


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """Why a token has no value, and the stretch of the file that is to blame."""

    fault: Fault
    span: Span


def evaluate_token(
    token: Token, contexts: Mapping[str, Value], functions: Mapping[str, Function] | None = None
) -> Value | TemplateFault:
    """Return what a token stands for.

    An expression that is the whole value keeps its kind; a list in a list is spliced into it and
    `${{ insert }}` merges a mapping. Only the contexts and functions given may be named.
    """
    value: Value | TemplateFault
    value = _evaluate(token, _Evaluator(contexts, functions or {}, is_partial=False))
    return value


def evaluate_token_partial(
    token: Token, contexts: Mapping[str, Value], functions: Mapping[str, Function] | None = None
) -> Value | Unknown | TemplateFault:
    """Return what a token stands for, with UNKNOWN where that depends on an UNKNOWN context value.

    A mapping with an unknown key or an unknown `${{ insert }}` is UNKNOWN itself; an unknown item
    of a list stands for any number of items.
    """
    value: Value | Unknown | TemplateFault
    value = _evaluate(token, _Evaluator(contexts, functions or {}, is_partial=True))
    return value


def _evaluate(token: Token, evaluator: _Evaluator) -> Any:
    try:
        return evaluator.evaluate(token, 0)
    except _TemplateError as error:
        return TemplateFault(error.fault, error.span)


class _TemplateError(Exception):
    def __init__(self, fault: Fault, span: Span) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.span = span


class _Evaluator:
    def __init__(
        self,
        contexts: Mapping[str, Value],
        functions: Mapping[str, Function],
        *,
        is_partial: bool,
    ) -> None:
        self._contexts = contexts
        self._names = frozenset(contexts)
        self._functions = functions
        self._function_infos = dict.fromkeys(functions, _ANY_NUMBER)
        self._is_partial = is_partial
        self._bytes = 0

    def evaluate(self, token: Token, depth: int) -> Any:
        match token:
            case StringToken(value):
                self._count(value, depth, token.span)
                return value
            case ExpressionToken():
                value = self._evaluate_expression(token)
                self._count(value, depth, token.span)
                return value
            case SequenceToken():
                self._enter(depth, token.span)
                return list(self._items(token, depth))
            case MappingToken():
                self._enter(depth, token.span)
                return self._mapping(token, depth)
            case NullToken():
                return None
            case InsertToken():
                raise _error("The expression directive 'insert' is not allowed here", token.span)
            case _:
                return token.value

    def _items(self, token: SequenceToken, depth: int) -> Iterable[Any]:
        for item in token.items:
            value = self.evaluate(item, depth + 1)
            if isinstance(item, ExpressionToken) and isinstance(value, list | tuple):
                yield from value
            else:
                yield value

    def _mapping(self, token: MappingToken, depth: int) -> Any:
        members = _Members()
        is_open = False
        for key, value in token.entries:
            if isinstance(key, InsertToken):
                inserted = self._inserted(value, depth)
                is_open = is_open or isinstance(inserted, Unknown)
                if not is_open:
                    for name, member in inserted.items():
                        members.add(name, member, value.span)
                continue
            name = self._key(key)
            member = self.evaluate(value, depth + 1)
            if isinstance(name, Unknown):
                is_open = True
            else:
                members.add(name, member, key.span)
        return UNKNOWN if is_open else members.values

    def _inserted(self, token: Token, depth: int) -> Any:
        value = self.evaluate(token, depth)
        if not isinstance(value, Mapping | Unknown):
            raise _error("Expected a mapping", token.span)
        return value

    def _key(self, key: KeyToken) -> Any:
        if isinstance(key, StringToken):
            return key.value
        assert isinstance(key, ExpressionToken)  # noqa: S101 (the caller took InsertToken)
        value = self._evaluate_expression(key)
        if isinstance(value, Unknown):
            return value
        if not is_primitive(value):
            raise _error("Expected a string", key.span)
        return to_text(value)

    def _evaluate_expression(self, token: ExpressionToken) -> Any:
        compiled = compile_expression(
            token.expression, contexts=self._names, functions=self._function_infos
        )
        value: Any = compiled if isinstance(compiled, Fault) else self._value_of(compiled)
        if isinstance(value, Fault):
            raise _TemplateError(value, token.span)
        return value

    def _value_of(self, compiled: Compiled) -> Any:
        if self._is_partial:
            return compiled.evaluate_partial(self._contexts, self._functions)
        return compiled.evaluate(self._contexts, self._functions)

    def _enter(self, depth: int, span: Span) -> None:
        if depth >= MAXIMUM_DEPTH:
            raise _error("Maximum object depth exceeded", span)
        self._add_bytes(_OBJECT_BYTES, span)

    def _count(self, value: Any, depth: int, span: Span) -> None:
        """Count a value and all that is in it towards the limits."""
        level = [value]
        while level:
            inner: list[Any] = []
            for item in level:
                if isinstance(item, str):
                    self._add_bytes(_OBJECT_BYTES + _STRING_BYTES + 2 * len(item), span)
                elif isinstance(item, Mapping):
                    self._enter(depth, span)
                    inner.extend(item.keys())
                    inner.extend(item.values())
                elif isinstance(item, list | tuple):
                    self._enter(depth, span)
                    inner.extend(item)
            level = inner
            depth += 1

    def _add_bytes(self, count: int, span: Span) -> None:
        self._bytes += count
        if self._bytes > MAXIMUM_BYTES:
            raise _error("Maximum object size exceeded", span)


class _Members:
    """A mapping being built, whose keys differ in more than case."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._folded: set[str] = set()

    def add(self, name: str, value: Any, span: Span) -> None:
        folded = fold(name)
        if folded in self._folded:
            raise _error(f"'{name}' is already defined", span)
        self._folded.add(folded)
        self.values[name] = value


def _error(message: str, span: Span) -> _TemplateError:
    return _TemplateError(Fault("evaluation", message), span)
