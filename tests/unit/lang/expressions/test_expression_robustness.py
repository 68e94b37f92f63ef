"""No text and no contexts make parsing or evaluating raise."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.differential.expressions.generator import Generator

from windlass.lang.expressions import Compiled, Fault, Trace, compile_expression
from windlass.lang.expressions.lexer import MAXIMUM_LENGTH

ALPHABET = st.sampled_from([*"()[].,*!=<>&|'\"{}+-0123456789abcxyz_ \t\n\\éß😊", "\ud83d", "\x00"])
CONTEXTS: dict[str, Any] = {"a": {"b": [1, {"c": None}], "B": 2.5}, "x": "text", "y": [[], {}]}


def check(text: str, contexts: dict[str, Any]) -> None:
    found = compile_expression(text, contexts=contexts)
    if isinstance(found, Fault):
        assert found.message
        assert found.offset is None or 0 <= found.offset <= len(text)
        return
    value = found.evaluate(contexts)
    explained = found.explain(contexts)
    if isinstance(value, Fault):
        assert value == explained
    else:
        assert isinstance(explained, Trace)


@given(st.text())
def test_any_text(text: str) -> None:
    """Any text is an expression or a fault."""
    check(text, CONTEXTS)


@given(st.text(ALPHABET, max_size=60))
def test_any_mixture_of_symbols(text: str) -> None:
    """So is any mixture of the symbols of the language."""
    check(text, CONTEXTS)


@pytest.mark.parametrize("seed", range(3))
def test_damaged_expressions(seed: int) -> None:
    """So are expressions with pieces inserted, removed or doubled."""
    for case in Generator(Random(seed)).cases(300):
        check(case["expr"], case["contexts"])


@pytest.mark.parametrize(
    "piece",
    [
        "(",
        "!",
        "[",
        "a[",
        "a.b.",
        "a == ",
        "a && ",
        "a || ",
        "toJSON(",
        "a,",
        "1<",
        "'",
        "''",
        "{",
        "-",
    ],
)
@pytest.mark.parametrize("ending", ["", "a", ")" * 200], ids=["open", "operand", "closed"])
def test_longest_texts(piece: str, ending: str) -> None:
    """The longest texts of one piece neither overflow the stack nor take long."""
    check(piece * ((MAXIMUM_LENGTH - len(ending)) // len(piece)) + ending, CONTEXTS)


def test_texts_that_would_grow_without_end() -> None:
    """Functions that multiply their arguments stop at the limit of memory."""
    template = "{0}" * 6_900
    found = compile_expression(f"format('{template}', format('{{0}}{{0}}', x))", contexts=["x"])

    assert isinstance(found, Compiled)
    fault = found.evaluate({"x": "y" * 1_000_000})
    assert isinstance(fault, Fault)
    assert fault.message.startswith("The maximum allowed memory size was exceeded while evaluating")
    assert found.evaluate_partial({"x": "y" * 1_000_000}) == fault


def test_memory_is_counted_alike_in_both_evaluators() -> None:
    """A text that just fits and one that does not are told apart the same way."""
    found = compile_expression("format('{0}', x)", contexts=["x"], memory=1_000)
    assert isinstance(found, Compiled)

    for size, fits in ((200, True), (300, False)):
        contexts = {"x": "y" * size}
        value = found.evaluate(contexts)
        assert isinstance(value, str) is fits
        assert found.evaluate_partial(contexts) == value


def test_joining_too_much() -> None:
    """A separator is counted for every place it would stand."""
    found = compile_expression("join(list, separator)", contexts=["list", "separator"])

    assert isinstance(found, Compiled)
    assert isinstance(found.evaluate({"list": [1] * 100_000, "separator": "x" * 100_000}), Fault)
