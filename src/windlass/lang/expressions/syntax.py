"""The tree of an expression; every node knows where it stands in the text.

Named tuples, because every start of Windlass pays for defining these classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.expressions.values import Value


class Literal(NamedTuple):
    """A constant, or the name after a dot; `start` and `end` are 0-based indexes in the text."""

    value: Value
    start: int
    end: int


class Context(NamedTuple):
    """A named value such as `github`, written as in the text."""

    name: str
    start: int
    end: int


class Wildcard(NamedTuple):
    """The `*` of `.*` and `[*]`."""

    start: int
    end: int


class Index(NamedTuple):
    """`target.key`, `target[key]` or `target.*`."""

    target: Node
    key: Node | Wildcard
    start: int
    end: int


class Call(NamedTuple):
    """A function call; `name` is the function's own spelling, whatever the text's case."""

    name: str
    arguments: tuple[Node, ...]
    start: int
    end: int


class Not(NamedTuple):
    """`!operand`."""

    operand: Node
    start: int
    end: int


class Comparison(NamedTuple):
    """`left operator right` with one of == != < <= > >=."""

    operator: str
    left: Node
    right: Node
    start: int
    end: int


class Logical(NamedTuple):
    """Operands joined by `&&` or by `||`; the value is that of the operand that decides."""

    operator: str
    operands: tuple[Node, ...]
    start: int
    end: int


Node: TypeAlias = "Literal | Context | Index | Call | Not | Comparison | Logical"


def children(node: Node) -> tuple[Node, ...]:
    """Return the sub-expressions of a node in the order of the text."""
    match node:
        case Index(target, key):
            return (target,) if isinstance(key, Wildcard) else (target, key)
        case Call(arguments=parts) | Logical(operands=parts):
            return parts
        case Not(operand):
            return (operand,)
        case Comparison(left=left, right=right):
            return (left, right)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it, from the outside in."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(children(current)))


def source_of(node: Node, text: str) -> str:
    """Return the part of the text a node was read from, without parentheses around all of it."""
    return text[node.start : node.end]
