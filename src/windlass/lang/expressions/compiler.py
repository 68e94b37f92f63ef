"""Turns a tree into nested Python closures once, so that evaluating is only calling them.

A closure takes the contexts and the functions of one evaluation and returns a value; a fault
travels as FaultError and `Compiled.evaluate` turns it into a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from windlass.lang.casing import fold
from windlass.lang.expressions.comparison import COMPARISONS, is_equal
from windlass.lang.expressions.faults import Fault, FaultError, evaluation_error
from windlass.lang.expressions.functions import IMPLEMENTATIONS
from windlass.lang.expressions.lookup import MISSING, expand, find_member, look_up
from windlass.lang.expressions.memory import MemoryExceeded, size_of
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
)
from windlass.lang.expressions.values import is_truthy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from windlass.lang.expressions.values import Value

    Function: TypeAlias = Callable[[Sequence[Value]], Value | Fault]
    Contexts: TypeAlias = Mapping[str, Value]
    Functions: TypeAlias = Mapping[str, Function]
    Evaluate: TypeAlias = Callable[[Contexts, Functions], Any]


def compile_node(node: Node, text: str, memory: int) -> Evaluate:
    """Return a function that evaluates a tree; `memory` is the bytes of text a call may hold."""
    return _Compiler(text, memory).compile(node)


class _Compiler:
    def __init__(self, text: str, memory: int) -> None:
        self._text = text
        self._memory = memory

    def compile(self, node: Node) -> Evaluate:
        match node:
            case Literal(value):
                return lambda _contexts, _functions: value
            case Context(name):
                return _compile_context(name)
            case Index():
                return self._index(node)
            case Call():
                return self._call(node)
            case Not(operand):
                inner = self.compile(operand)
                return lambda contexts, functions: not is_truthy(inner(contexts, functions))
            case Comparison():
                return self._comparison(node)
            case Logical():
                return self._logical(node)

    def _index(self, node: Index) -> Evaluate:
        target, key = node.target, node.key
        if isinstance(key, Wildcard):
            whole = self.compile(target)
            return lambda contexts, functions: expand(whole(contexts, functions))
        if isinstance(key, Literal) and isinstance(key.value, str):
            return _compile_property(self.compile(target), key.value)
        return _compile_subscript(self.compile(target), self.compile(key))

    def _comparison(self, node: Comparison) -> Evaluate:
        left, right = self.compile(node.left), self.compile(node.right)
        if isinstance(node.right, Literal) and isinstance(node.right.value, str):
            if node.operator == "==":
                return _compile_equals_text(left, node.right.value)
            if node.operator == "!=":
                equals = _compile_equals_text(left, node.right.value)
                return lambda contexts, functions: not equals(contexts, functions)
        compare = COMPARISONS[node.operator]
        return lambda contexts, functions: compare(
            left(contexts, functions), right(contexts, functions)
        )

    def _logical(self, node: Logical) -> Evaluate:
        *firsts, last = map(self.compile, node.operands)
        if len(firsts) == 1:
            return _compile_pair(node.operator == "||", firsts[0], last)
        return _compile_chain(node.operator == "||", tuple(firsts), last)

    def _call(self, node: Call) -> Evaluate:
        arguments = tuple(map(self.compile, node.arguments))
        if node.name == "case":
            return _compile_case(arguments)
        implementation = IMPLEMENTATIONS.get(node.name)
        if implementation is None:
            return _compile_extension(node.name, arguments)
        return self._built_in(node, implementation, arguments)

    def _built_in(
        self, node: Call, implementation: Callable[..., Any], arguments: tuple[Evaluate, ...]
    ) -> Evaluate:
        memory, source = self._memory, self._text[node.start : node.end]

        def call(contexts: Contexts, functions: Functions) -> Any:
            values = [argument(contexts, functions) for argument in arguments]
            return call_built_in(implementation, values, memory, source)

        return call


def _compile_context(name: str) -> Evaluate:
    def find(contexts: Contexts, _functions: Functions) -> Any:
        found = contexts.get(name, MISSING)
        if found is MISSING:
            found = find_member(contexts, name)
        return None if found is MISSING else found

    return find


def _compile_property(target: Evaluate, name: str) -> Evaluate:
    def find(contexts: Contexts, functions: Functions) -> Any:
        whole = target(contexts, functions)
        if type(whole) is dict:
            found = whole.get(name, MISSING)
            if found is not MISSING:
                return found
        return look_up(whole, name)

    return find


def _compile_subscript(target: Evaluate, key: Evaluate) -> Evaluate:
    def find(contexts: Contexts, functions: Functions) -> Any:
        try:
            index = key(contexts, functions)
        except FaultError as error:
            message = f"could not evaluate index for index access: {error.fault.message}"
            raise evaluation_error(message) from None
        return look_up(target(contexts, functions), index)

    return find


def _compile_equals_text(left: Evaluate, text: str) -> Evaluate:
    folded, length = fold(text), len(text)

    def equals(contexts: Contexts, functions: Functions) -> bool:
        value = left(contexts, functions)
        if type(value) is str:
            return value == text or (len(value) == length and fold(value) == folded)
        return is_equal(value, text)

    return equals


def _compile_pair(stops_at: bool, first: Evaluate, last: Evaluate) -> Evaluate:  # noqa: FBT001
    def decide(contexts: Contexts, functions: Functions) -> Any:
        value = first(contexts, functions)
        if is_truthy(value) is stops_at:
            return value
        return last(contexts, functions)

    return decide


def _compile_chain(stops_at: bool, firsts: tuple[Evaluate, ...], last: Evaluate) -> Evaluate:  # noqa: FBT001
    def decide(contexts: Contexts, functions: Functions) -> Any:
        for operand in firsts:
            value = operand(contexts, functions)
            if is_truthy(value) is stops_at:
                return value
        return last(contexts, functions)

    return decide


def _compile_case(arguments: tuple[Evaluate, ...]) -> Evaluate:
    *rest, default = arguments
    pairs = tuple(zip(rest[::2], rest[1::2], strict=True))

    def choose(contexts: Contexts, functions: Functions) -> Any:
        for predicate, result in pairs:
            holds = predicate(contexts, functions)
            if not isinstance(holds, bool):
                raise evaluation_error(CASE_PREDICATE)
            if holds:
                return result(contexts, functions)
        return default(contexts, functions)

    return choose


CASE_PREDICATE = "case predicate must evaluate to a boolean value"


def _compile_extension(name: str, arguments: tuple[Evaluate, ...]) -> Evaluate:
    def call(contexts: Contexts, functions: Functions) -> Any:
        values = [argument(contexts, functions) for argument in arguments]
        return call_extension(name, values, functions)

    return call


def call_built_in(
    implementation: Callable[..., Any], values: list[Any], memory: int, source: str
) -> Any:
    """Call a function every expression has; `source` is the call as written.

    Raises FaultError where the texts among the arguments and the result take too much memory.
    """
    try:
        result = implementation(*values)
        if size_of(values) + size_of((result,)) <= memory:
            return result
    except MemoryExceeded:
        pass
    raise evaluation_error(
        "The maximum allowed memory size was exceeded while evaluating the following expression: "
        + source
    )


def call_extension(name: str, values: Sequence[Any], functions: Functions) -> Any:
    """Call a function that the caller supplies under its own name.

    Raises FaultError where it is not supplied or returns a fault.
    """
    function = functions.get(name)
    if function is None:
        raise evaluation_error(f"The function '{name}' is not available here")
    result = function(values)
    if isinstance(result, Fault):
        raise FaultError(result)
    return result
