"""`expr eval`: JSON lines in, JSON lines out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from windlass.operations.expressions import evaluate_lines


def answers(*lines: bytes) -> list[tuple[dict[str, Any], bool]]:
    return [(json.loads(answer.line), answer.is_readable) for answer in evaluate_lines(lines)]


def test_each_line_has_an_answer_in_order() -> None:
    """Every line that is not blank is answered by one line."""
    found = answers(b'{"expr": "1"}\n', b"\n", b'{"expr": "a.b", "contexts": {"a": {"b": "x"}}}')

    assert found == [
        ({"result": {"kind": "Number", "value": 1}}, True),
        ({"result": {"kind": "String", "value": "x"}}, True),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        ("fromJSON('[1e999, -1e999, 1.0]')", ["Infinity", "-Infinity", 1]),
        ("-0", 0),
        ("1e21", 1e21),
    ],
)
def test_numbers_that_json_cannot_write_are_strings(text: str, value: Any) -> None:
    """NaN and the infinities are strings, at the top and inside."""
    ((answer, _),) = answers(json.dumps({"expr": text}).encode())

    assert answer["result"]["value"] == value


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "not JSON"),
        (b"[1]", "a JSON object was expected"),
        (b"{}", "'expr' must be a string"),
        (b'{"expr": 1}', "'expr' must be a string"),
        (b'{"expr": "1", "contexts": []}', "'contexts' must be an object"),
        (b'{"expr": "x", "contexts": {"x": NaN}}', "NaN is not JSON"),
        (b"\xff", "can't decode byte 0xff"),
        (b"[" * 100_000, "nested too deep"),
    ],
    ids=["unclosed", "list", "no-expr", "number", "contexts", "nan", "no-utf-8", "deep"],
)
def test_a_malformed_line_is_an_error_and_the_next_is_read(line: bytes, problem: str) -> None:
    """A line that cannot be read says which and why, and does not end the run."""
    (answer, is_readable), following = answers(line, b'{"expr": "2"}')

    assert answer["err"]["value"].startswith("Line 1 cannot be read: ")
    assert problem in answer["err"]["value"]
    assert not is_readable
    assert following == ({"result": {"kind": "Number", "value": 2}}, True)


def test_a_context_not_given_is_unknown() -> None:
    """Naming a context that the line does not give is a parsing error at its place."""
    ((answer, is_readable),) = answers(b'{"expr": "1 == secrets.x", "contexts": {"env": {}}}')

    message = (
        "Unrecognized named-value: 'secrets'. "
        "Located at position 6 within expression: 1 == secrets.x"
    )
    assert answer == {"err": {"kind": "parsing", "value": message}}
    assert is_readable


def test_text_outside_ascii_survives() -> None:
    """Any text is answered unchanged, even half of a surrogate pair."""
    ((answer, _),) = answers('{"expr": "s", "contexts": {"s": "é😊\\ud83d"}}'.encode())

    assert answer["result"]["value"] == "é😊\ud83d"
