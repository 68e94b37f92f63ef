"""An expression ready to be evaluated, and the cache of those."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from windlass.lang.expressions.compiler import compile_node
from windlass.lang.expressions.faults import Fault, FaultError
from windlass.lang.expressions.memory import MAXIMUM_MEMORY
from windlass.lang.expressions.parser import parse
from windlass.lang.expressions.trace import Trace, trace_node, truthiness
from windlass.lang.expressions.values import UNKNOWN, FilteredList, Unknown
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from windlass.lang.expressions.compiler import Contexts, Evaluate, Functions
    from windlass.lang.expressions.functions import FunctionInfo
    from windlass.lang.expressions.syntax import Node
    from windlass.lang.expressions.values import Value

_NO_FUNCTIONS: Functions = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression that was found well-formed; it may be evaluated any number of times."""

    text: str
    node: Node
    memory: int
    _evaluate: Evaluate = field(repr=False, compare=False)

    def evaluate(self, contexts: Contexts, functions: Functions = _NO_FUNCTIONS) -> Value | Fault:
        """Return the value with these contexts.

        `functions` implements what was declared beyond the built-in functions, by their declared
        names; each takes the list of its arguments and returns a value or a fault, or raises
        FaultError. A context not given is null.
        """
        try:
            return _settle(self._evaluate(contexts, functions))
        except FaultError as error:
            return error.fault

    def evaluate_partial(
        self, contexts: Contexts, functions: Functions = _NO_FUNCTIONS
    ) -> Value | Unknown | Fault:
        """Return the value, or UNKNOWN where it depends on an UNKNOWN in the contexts.

        A value that is not UNKNOWN, or a fault, is what `evaluate` will return whatever the unknown
        values turn out to be. A declared function that is not given is UNKNOWN.
        """
        trace = self.explain(contexts, functions)
        if isinstance(trace, Fault):
            return trace
        return UNKNOWN if isinstance(trace.value, Unknown) else _settle(trace.value)

    def decide(
        self, contexts: Contexts, functions: Functions = _NO_FUNCTIONS
    ) -> bool | Unknown | Fault:
        """Return whether the value counts as true, which may be sure although the value is not."""
        trace = self.explain(contexts, functions)
        if isinstance(trace, Fault):
            return trace
        known = truthiness(trace.value)
        return UNKNOWN if known is None else known

    def explain(self, contexts: Contexts, functions: Functions = _NO_FUNCTIONS) -> Trace | Fault:
        """Return the values of the expression's parts; see `Trace.deciding` for what mattered."""
        try:
            return trace_node(self.node, self.text, self.memory, contexts, functions)
        except FaultError as error:
            return error.fault


def _settle(value: Value) -> Value:
    """Make a plain list of what a filter found: only inside its expression is it special."""
    return list(value) if type(value) is FilteredList else value


def compile_expression(
    text: str,
    *,
    contexts: Iterable[str],
    functions: Mapping[str, FunctionInfo] | None = None,
    memory: int = MAXIMUM_MEMORY,
) -> Compiled | Fault:
    """Parse and compile an expression, or return what was compiled for the same text before.

    `contexts` and `functions` are what may be used here, as for `parse`; `memory` is the number of
    bytes of text one call may hold.
    """
    names = contexts if isinstance(contexts, frozenset) else frozenset(contexts)
    return _compile(text, names, tuple(functions.items()) if functions else (), memory)


@lru_cache(maxsize=4096)
def _compile(
    text: str,
    contexts: frozenset[str],
    functions: tuple[tuple[str, FunctionInfo], ...],
    memory: int,
) -> Compiled | Fault:
    node = parse(text, contexts=contexts, functions=dict(functions))
    if isinstance(node, Fault):
        return node
    return Compiled(text, node, memory, compile_node(node, text, memory))
