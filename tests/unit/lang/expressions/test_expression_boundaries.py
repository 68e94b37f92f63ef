"""Where a limit or a range ends: the last value inside it and the first outside."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from windlass.lang.expressions import (
    UNKNOWN,
    Compiled,
    Fault,
    compile_expression,
    parse,
    read_json,
    to_json,
    to_number,
    to_text,
)
from windlass.lang.expressions.json_text import MAXIMUM_NESTING
from windlass.lang.expressions.lexer import MAXIMUM_LENGTH, Token, tokenize
from windlass.lang.expressions.memory import MAXIMUM_MEMORY
from windlass.lang.expressions.parser import MAXIMUM_DEPTH
from windlass.lang.expressions.syntax import Literal


def evaluate(text: str, memory: int = MAXIMUM_MEMORY, **contexts: Any) -> Any:
    compiled = compile_expression(text, contexts=contexts, memory=memory)
    assert isinstance(compiled, Compiled), compiled
    value = compiled.evaluate(contexts)
    assert value == compiled.evaluate_partial(contexts)
    return value


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0x7fffffff", 2**31 - 1),
        ("0x80000000", -(2**31)),
        ("0xffffffff", -1),
        ("0x100000000", math.nan),
        ("0x0000000000001", 1),
        ("0o17777777777", 2**31 - 1),
        ("0o20000000000", -(2**31)),
        ("0o37777777777", -1),
        ("0o40000000000", math.nan),
        ("0o0000000000001", 1),
        ("0oX", math.nan),
        ("0xX", math.nan),
    ],
)
def test_prefixed_numbers_have_32_bits(text: str, number: float) -> None:
    """`0x` and `0o` are read by .NET's Convert.ToInt32 (runner: ExpressionUtility.cs)."""
    found = to_number(text)

    assert found == number or (math.isnan(found) and math.isnan(number))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (10**15 - 1, "999999999999999"),
        (1 - 10**15, "-999999999999999"),
        (10**15, "1E+15"),
        (-(10**15), "-1E+15"),
        (2 * 10**15, "2E+15"),
        (-2 * 10**15, "-2E+15"),
        (0.0001, "0.0001"),
        (0.00001, "1E-05"),
    ],
)
def test_numbers_of_more_than_15_digits_have_an_exponent(number: float, text: str) -> None:
    """.NET's "G15" changes to an exponent above 15 digits and below 0.0001."""
    assert to_text(number) == text
    assert to_text(float(number)) == text


def test_integers_too_large_for_a_double_are_infinite() -> None:
    """An integer from outside is a double like any other number."""
    assert (to_text(10**400), to_text(-(10**400))) == ("Infinity", "-Infinity")


def test_integers_in_json_are_doubles() -> None:
    """What a double cannot hold is rounded as JSON.parse rounds it."""
    assert read_json("999999999999999") == 999_999_999_999_999
    assert read_json("9007199254740993") == 9_007_199_254_740_992
    assert read_json("-9007199254740993") == -9_007_199_254_740_992


def _nested(depth: int, kinds: tuple[type, ...]) -> Any:
    value: Any = "x"
    for level in range(depth):
        value = {"k": value} if kinds[level % len(kinds)] is dict else [value]
    return value


@pytest.mark.parametrize("kinds", [(list,), (dict,), (list, dict)], ids=["list", "dict", "both"])
def test_json_nests_so_deep(kinds: tuple[type, ...]) -> None:
    """Reading and writing allow so many lists or mappings around a text, and not one more."""
    deepest, too_deep = _nested(MAXIMUM_NESTING, kinds), _nested(MAXIMUM_NESTING + 1, kinds)

    assert read_json(json.dumps(deepest)) == deepest
    assert json.loads(to_json(deepest)) == deepest
    wide = [_nested(MAXIMUM_NESTING - 1, kinds), [], {}]
    assert read_json(json.dumps(wide)) == wide
    with pytest.raises(ValueError, match=f"nested deeper than {MAXIMUM_NESTING}"):
        read_json(json.dumps(too_deep))
    assert evaluate("toJSON(deep)", deep=too_deep) == Fault(
        "evaluation", "Maximum object depth exceeded"
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("startsWith(x, y)", 2 * 26 + 2 * (3 + 4)),
        ("format('{0}', x)", 3 * 26 + 2 * (3 + 3 + 3)),
        ("join(fromJSON('[1]'), x)", 2 * 26 + 2 * (3 + 1)),
    ],
)
def test_memory_counts_every_text_of_a_call(text: str, size: int) -> None:
    """A text is 26 bytes and two a character (runner: MemoryCounter.cs); so many may be held."""
    contexts = {"x": "abc", "y": "defg"}

    assert not isinstance(evaluate(text, size, **contexts), Fault)
    fault = evaluate(text, size - 1, **contexts)
    assert isinstance(fault, Fault)
    assert fault.message.endswith(f"while evaluating the following expression: {text}")


def test_texts_are_joined_up_to_the_limit() -> None:
    """So much and no more text is made before it is counted."""
    half = "x" * (MAXIMUM_MEMORY // 4)
    compiled = compile_expression("join(list, '')", contexts=["list"], memory=2 * MAXIMUM_MEMORY)
    assert isinstance(compiled, Compiled)

    assert compiled.evaluate({"list": [half, half]}) == half + half
    assert isinstance(compiled.evaluate({"list": [half, half, "x"]}), Fault)


@pytest.mark.parametrize(
    ("left", "right"),
    [("\ud83d", "\ud83e"), ("\ud83d", "\uffff"), ("x", "\udfff"), ("z", "\ud800a")],
)
def test_half_a_surrogate_pair_has_its_place(left: str, right: str) -> None:
    """Texts are ordered by their UTF-16 units, be they whole characters or not."""
    assert evaluate("left < right", left=left, right=right) is True
    assert evaluate("right < left", left=left, right=right) is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ud800", '"\\ud800"'),
        ("\udbff-", '"\\udbff-"'),
        ("\udfff", '"\\udfff"'),
        ("\ud7ff\ue000", '"\ud7ff\ue000"'),
        ("😊", '"😊"'),
    ],
)
def test_half_a_surrogate_pair_is_escaped_in_json(text: str, expected: str) -> None:
    """JSON is well formed for any text, as JSON.stringify's is (ECMA-262 25.5.2.4)."""
    assert to_json(text) == expected


@pytest.mark.parametrize("character", ["x", "é", "\uffff"])
def test_length_counts_what_lies_in_the_first_plane_once(character: str) -> None:
    """Only what takes two UTF-16 units is counted twice."""
    longest = f"'{character * (MAXIMUM_LENGTH - 2)}'"

    assert evaluate(longest) == longest[1:-1]
    assert isinstance(compile_expression(f"{longest} ", contexts=[]), Fault)


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">="])
def test_comparisons_in_a_row_are_a_depth(operator: str) -> None:
    """Each has the one before it inside (runner: ExpressionParser.cs, CheckMaxDepth)."""
    deepest = f" {operator} ".join(["1"] * MAXIMUM_DEPTH)

    assert not isinstance(parse(deepest, contexts=[]), Fault)
    fault = parse(f"{deepest} {operator} 1", contexts=[])
    assert isinstance(fault, Fault)
    assert fault.message.startswith("Exceeded max expression depth 50")


def test_no_expression_is_null_at_the_start() -> None:
    """An empty text has the value null and takes no room."""
    assert parse("", contexts=[]) == parse(" \n", contexts=[]) == Literal(None, 0, 0)


def test_tokens_know_their_place() -> None:
    """Each token is a stretch of the text; strings keep their quotes beside their value."""
    assert tokenize(" a['it''s'].b  ") == [
        Token("name", "a", 1, 2),
        Token("[", "[", 2, 3),
        Token("string", "'it''s'", 3, 10, "it's"),
        Token("]", "]", 10, 11),
        Token(".", ".", 11, 12),
        Token("name", "b", 12, 13),
        Token("end", "EOF", 14, 15),
    ]


def test_unknown_names_itself() -> None:
    """A failing test or a debugger shows UNKNOWN and not an address."""
    assert repr(UNKNOWN) == "UNKNOWN"
