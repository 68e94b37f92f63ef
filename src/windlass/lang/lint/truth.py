"""Whether a condition has the same outcome whatever the contexts hold."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from windlass.lang.expressions.comparison import COMPARISONS
from windlass.lang.expressions.references import references
from windlass.lang.expressions.syntax import Call, Comparison, Index, Literal, Logical, Node, Not
from windlass.lang.expressions.values import is_truthy

if TYPE_CHECKING:
    from collections.abc import Iterator


def constant_truth(node: Node) -> bool | None:
    """Return whether a value is truthy where that never changes, else None.

    Parts joined by `&&` that want one value to be two different texts are never true together.
    """
    match node:
        case Literal(value=value):
            return is_truthy(value)
        case Not(operand=operand):
            inner = constant_truth(operand)
            return None if inner is None else not inner
        case Comparison(left=Literal(value=left), right=Literal(value=right)):
            return COMPARISONS[node.operator](left, right)
        case Logical(operator=operator, operands=operands):
            return _joined(operator == "||", [constant_truth(each) for each in operands], operands)
        case Call(name=name):
            return True if name.lower() == "always" else None
        case _:
            return None


def _joined(
    decides: bool,  # noqa: FBT001
    truths: list[bool | None],
    operands: tuple[Node, ...],
) -> bool | None:
    if decides in truths:
        return decides
    if not decides and _contradict(operands):
        return False
    return None if None in truths else not decides


def _contradict(operands: tuple[Node, ...]) -> bool:
    wanted = [pair for operand in operands for pair in _wanted_text(operand)]
    return any(
        path == other and text != another
        for (path, text), (other, another) in itertools.combinations(wanted, 2)
    )


def _wanted_text(node: Node) -> Iterator[tuple[tuple[str | None, ...], str]]:
    """Yield the path and the text of `path == 'text'`."""
    if not isinstance(node, Comparison) or node.operator != "==":
        return
    for value, literal in ((node.left, node.right), (node.right, node.left)):
        if isinstance(value, Index) and isinstance(literal, Literal):
            found = references(value)
            is_plain = len(found) == 1 and not {None, "*"} & set(found[0].path)
            if is_plain and isinstance(literal.value, str):
                path = tuple((part or "").lower() for part in found[0].path)
                yield path, literal.value.lower()
