"""The types of function calls and of their arguments.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#functions
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.expressions.faults import FaultError
from windlass.lang.expressions.json_text import from_json
from windlass.lang.expressions.syntax import Call, Literal
from windlass.lang.lint.types.kinds import (
    ANY,
    BOOLEAN,
    TEXT,
    ListOf,
    Record,
    Scalar,
    Type,
    describe,
    merge,
    type_of_value,
)

if TYPE_CHECKING:
    from windlass.lang.expressions.syntax import Node
    from windlass.lang.lint.types.problems import Problems

_SYMBOL = re.compile(r"\{\{|\}\}|\{([0-9]+)\}|[{}]")
_RESULTS: dict[str, Type] = {
    "contains": BOOLEAN,
    "startswith": BOOLEAN,
    "endswith": BOOLEAN,
    "success": BOOLEAN,
    "failure": BOOLEAN,
    "always": BOOLEAN,
    "cancelled": BOOLEAN,
    "format": TEXT,
    "join": TEXT,
    "tojson": TEXT,
    "hashfiles": TEXT,
}
# For each function: which kinds cannot be its arguments, one entry for each; the last repeats.
_REFUSED: dict[str, tuple[tuple[type, ...], ...]] = {
    "contains": ((Record,), (Record, ListOf)),
    "startswith": ((Record, ListOf),),
    "endswith": ((Record, ListOf),),
    "join": ((Record,), (Record, ListOf)),
    "format": ((Record, ListOf),),
    "hashfiles": ((Record, ListOf),),
    "fromjson": ((Record, ListOf, Scalar),),
}
_WANTED = {"contains": "a string or a list", "join": "a list", "fromjson": "a JSON text"}


def check_call(problems: Problems, node: Call, arguments: list[Type]) -> Type:
    """Return the type of a call's value, reporting arguments that cannot be right."""
    name = node.name.lower()
    _check_arguments(problems, node, name, arguments)
    if name == "format":
        _check_format(problems, node)
    if name == "fromjson":
        return _check_json(problems, node)
    if name == "case":
        return merge([*arguments[1::2], *arguments[-1:]])
    return _RESULTS.get(name, ANY)


def _check_arguments(problems: Problems, node: Call, name: str, arguments: list[Type]) -> None:
    refused = _REFUSED.get(name)
    if refused is None:
        return
    for number, (argument, kind) in enumerate(zip(node.arguments, arguments, strict=True)):
        if isinstance(kind, refused[min(number, len(refused) - 1)]):
            wanted = _WANTED.get(name, "a string") if number == 0 else "a string"
            problems.report(
                "expression-type",
                f"argument {number + 1} of `{node.name}` is {describe(kind)}, "
                f"but {wanted} is expected: {problems.source(argument)}",
                argument,
                hint="`toJSON(…)` makes a string of an object" if name == "format" else None,
            )


def _check_format(problems: Problems, node: Call) -> None:
    template = _literal(node.arguments[0])
    if template is None:
        return
    supplied = len(node.arguments) - 1
    used: set[int] = set()
    for found in _SYMBOL.finditer(template):
        if found[1] is not None:
            used.add(int(found[1]))
        elif len(found[0]) == 1:
            message = f"the format string {template!r} has a single `{found[0]}`"
            hint = "write `{{` and `}}` for braces"
            problems.report("format-arguments", message, node.arguments[0], hint=hint)
            return
    missing = sorted(number for number in used if number >= supplied)
    unused = sorted(set(range(supplied)) - used)
    if missing:
        message = f"the format string uses {{{missing[0]}}}, but {_count(supplied)} given"
        problems.report("format-arguments", message, node)
    elif unused:
        message = f"the format string does not use argument {{{unused[0]}}}"
        argument = node.arguments[unused[0] + 1]
        problems.report("format-arguments", message, argument, severity=Severity.WARNING)


def _count(number: int) -> str:
    return "1 argument is" if number == 1 else f"{number} arguments are"


def _check_json(problems: Problems, node: Call) -> Type:
    text = _literal(node.arguments[0])
    if text is None:
        return ANY
    try:
        return type_of_value(from_json(text))
    except FaultError as error:
        message = f"{text!r} is not JSON: {error.fault.message}"
        problems.report("invalid-json", message, node.arguments[0])
        return ANY


def _literal(node: Node) -> str | None:
    return node.value if isinstance(node, Literal) and isinstance(node.value, str) else None
