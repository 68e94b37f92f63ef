"""What type an expression has, and what cannot be right about it."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
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
from windlass.lang.expressions.values import to_number
from windlass.lang.lint.types.calls import check_call
from windlass.lang.lint.types.kinds import (
    ANY,
    BOOLEAN,
    NULL,
    NUMBER,
    TEXT,
    Anything,
    ListOf,
    Record,
    Scalar,
    Text,
    Type,
    describe,
    merge,
    type_of_value,
)
from windlass.lang.lint.types.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Callable


class Inference:
    """Infers the type of one expression and collects the problems on the way."""

    def __init__(self, text: str, context: Callable[[str], Type]) -> None:
        self._context = context
        self.problems = Problems(text)

    def infer(self, node: Node) -> Type:
        """Return the type of a tree's value."""
        match node:
            case Literal(value=value):
                return type_of_value(value)
            case Context(name=name):
                return self._context(name.lower())
            case Index():
                return self._index(node)
            case Not(operand=operand):
                self.infer(operand)
                return BOOLEAN
            case Comparison():
                self._compare(node)
                return BOOLEAN
            case Logical(operands=operands):
                return merge([self.infer(operand) for operand in operands])
            case Call():
                return self._call(node)

    def _call(self, node: Call) -> Type:
        arguments = [self.infer(argument) for argument in node.arguments]
        return check_call(self.problems, node, arguments)

    def _index(self, node: Index) -> Type:
        target = self.infer(node.target)
        if isinstance(node.key, Wildcard):
            return _expand(target)
        key = self.infer(node.key)
        name = node.key.value if isinstance(node.key, Literal) else None
        match target:
            case Record():
                return self._member(target, name, node)
            case ListOf(is_filtered=True):
                return ListOf(_member_of_item(target.item, name), is_filtered=True)
            case ListOf():
                return self._item(target, key, node)
            case Anything():
                return ANY
            case _:
                self._report_no_members(target, node)
                return ANY

    def _member(self, record: Record, name: object, node: Index) -> Type:
        if not isinstance(name, str):
            return merge([*record.members.values(), *((record.rest,) if record.rest else ())])
        found = record.members.get(name.lower(), record.rest)
        if found is not None:
            return found
        near = difflib.get_close_matches(name.lower(), record.members, n=1)
        hint = f"did you mean `{near[0]}`?" if near else record.hint
        owner = record.label or self.problems.source(node.target)
        message = f"{owner} has no `{name}`" + ("" if near else f"; {_list_members(record)}")
        self.problems.report(record.code, message, node, hint=hint)
        return ANY

    def _item(self, target: ListOf, key: Type, node: Index) -> Type:
        if isinstance(key, Text) and isinstance(node.key, Literal):
            self._report_no_members(target, node)
            return ANY
        return target.item

    def _report_no_members(self, target: Type, node: Index) -> None:
        written, whole = self.problems.source(node.target), self.problems.source(node)
        self.problems.report(
            "expression-type",
            f"{written} is {describe(target)} and has no members, so {whole} is empty",
            node,
            hint="a JSON text becomes an object with `fromJSON(…)`",
        )

    def _compare(self, node: Comparison) -> None:
        left, right = self.infer(node.left), self.infer(node.right)
        for one, other in ((left, right), (right, left)):
            # A comparison of an object with null asks whether it is there, which is fair.
            if (
                isinstance(one, Record | ListOf)
                and isinstance(other, Scalar | Text)
                and other != NULL
            ):
                self._report_constant(node, one, other)
                return
        pairs = ((left, node.left, node.right), (right, node.right, node.left))
        for value, value_node, literal_node in pairs:
            if isinstance(literal_node, Literal) and isinstance(literal_node.value, str):
                self._compare_with_text(node, value, value_node, literal_node.value)

    def _compare_with_text(
        self, node: Comparison, value: Type, value_node: Node, literal: str
    ) -> None:
        if isinstance(value, Scalar) and value in (BOOLEAN, NUMBER):
            if math.isnan(to_number(literal)):
                self._report_constant(node, value, TEXT)
        elif isinstance(value, Text) and node.operator in ("==", "!="):
            label = value.label or self.problems.source(value_node)
            self._compare_texts(node, value, label, literal)

    def _compare_texts(self, node: Comparison, value: Text, label: str, literal: str) -> None:
        folded = literal.lower()
        if not folded:
            return
        expected = ""
        if value.values is not None and folded not in {each.lower() for each in value.values}:
            expected = "it is " + _either(value.values)
        elif value.prefix and not folded.startswith(value.prefix):
            expected = f"it starts with '{value.prefix}'"
        if expected:
            outcome = "true" if node.operator == "!=" else "false"
            self.problems.report(
                "impossible-comparison",
                f"{label} is never '{literal}': {expected}, so this is always {outcome}",
                node,
                severity=Severity.ERROR if value.is_fixed else Severity.WARNING,
                hint=_nearest_value(value, folded),
            )

    def _report_constant(self, node: Comparison, left: Type, right: Type) -> None:
        outcome = "true" if node.operator == "!=" else "false"
        hint = None
        if BOOLEAN in (left, right):
            hint = "compare with `true` or `false` without quotes, or use the value by itself"
        self.problems.report(
            "expression-type",
            f"{self.problems.source(node)} compares {describe(left)} with {describe(right)}, "
            f"which is always {outcome}",
            node,
            hint=hint,
        )


def _expand(target: Type) -> Type:
    match target:
        case Record():
            rest = (target.rest,) if target.rest is not None else ()
            return ListOf(merge([*target.members.values(), *rest]), is_filtered=True)
        case ListOf(is_filtered=True):
            return _expand(target.item)
        case ListOf():
            return ListOf(target.item, is_filtered=True)
        case _:
            return ListOf(ANY, is_filtered=True)


def _member_of_item(item: Type, name: object) -> Type:
    if isinstance(item, Record) and isinstance(name, str):
        return item.members.get(name.lower(), item.rest or ANY)
    return ANY


def _list_members(record: Record) -> str:
    names = [f"`{name}`" for name in list(record.members)[:12]]
    if not names:
        return "it is empty"
    more = ", …" if len(record.members) > len(names) else ""
    return "there is " + ", ".join(names) + more


def _either(values: frozenset[str]) -> str:
    return " or ".join(f"'{value}'" for value in sorted(values))


def _nearest_value(text: Text, literal: str) -> str | None:
    if text.prefix:
        return f"write '{text.prefix}heads/{literal}' for a branch"
    near = difflib.get_close_matches(literal, sorted(text.values or ()), n=1)
    return f"did you mean '{near[0]}'?" if near else None
