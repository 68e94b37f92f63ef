"""`expr eval`: expressions with their contexts, one JSON object a line, and a result for each."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from windlass.lang.expressions import Fault, compile_expression, kind_of, read_json
from windlass.lang.expressions.memory import DEFAULT_MEMORY
from windlass.lang.expressions.numbers import format_json_number, format_number
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from windlass.lang.expressions import Value


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of output; `is_readable` is False where the line of input could not be read."""

    line: str
    is_readable: bool = True


def evaluate_lines(lines: Iterable[bytes]) -> Iterator[Answer]:
    """Evaluate `{"expr": "…", "contexts": {…}}` a line; blank lines are skipped.

    A result is `{"result": {"kind": …, "value": …}}`, a fault `{"err": {"kind": …, "value": …}}`
    with GitHub's message. A context that is not given cannot be named; the functions are those that
    every expression has. The caller ends with exit code 2 if any answer is not readable.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _answer(line, number)


def _answer(line: bytes, number: int) -> Answer:
    try:
        request = read_json(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return _unreadable(number, f"not JSON: {_first_line(error)}")
    if not isinstance(request, dict):
        return _unreadable(number, "a JSON object was expected")
    text, contexts = request.get("expr"), request.get("contexts")
    if not isinstance(text, str):
        return _unreadable(number, "'expr' must be a string")
    if contexts is None:
        contexts = {}
    if not isinstance(contexts, dict):
        return _unreadable(number, "'contexts' must be an object")
    return Answer(_evaluate(text, contexts))


def _evaluate(text: str, contexts: dict[str, Value]) -> str:
    compiled = compile_expression(text, contexts=contexts, memory=DEFAULT_MEMORY)
    value = compiled if isinstance(compiled, Fault) else compiled.evaluate(contexts)
    if isinstance(value, Fault):
        return _write({"err": {"kind": value.kind, "value": value.message}})
    return _write({"result": {"kind": kind_of(value), "value": value}})


def _unreadable(number: int, problem: str) -> Answer:
    message = (
        f"Line {number} cannot be read: {problem}. "
        'Expected {"expr": "…", "contexts": {…}} on one line.'
    )
    return Answer(_write({"err": {"kind": "parsing", "value": message}}), is_readable=False)


def _first_line(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "nested too deep"
    return str(error).partition("\n")[0]


def _write(answer: dict[str, Any]) -> str:
    return json.dumps(_plain(answer), ensure_ascii=True)


def _plain(value: Any) -> Any:
    """Return a value that `json.dumps` writes as GitHub would: 1.0 as 1, NaN and ±∞ as strings."""
    match kind_of(value):
        case "Number":
            if not math.isfinite(value):
                return format_number(value)
            return json.loads(format_json_number(value))
        case "Array":
            return [_plain(item) for item in value]
        case "Object":
            return {key: _plain(member) for key, member in value.items()}
        case _:
            return value
