"""Tokens of texts with expressions: what they are, what they were written as, and where."""

from __future__ import annotations

import pytest

from windlass.lang.tokens import ExpressionToken, StringToken, Token
from windlass.lang.workflow import read_workflow

HEAD = "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: x}]\nrun-name: "


def run_name(written: str) -> Token:
    reading = read_workflow("w.yml", (HEAD + written).encode())
    assert reading.diagnostics == ()
    assert reading.tokens is not None
    found = reading.tokens.find("run-name")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("written", "expression"),
    [
        ("${{ 'a' == 'b' }}", "'a' == 'b'"),
        ("${{ 'a' == github.ref }}", "'a' == github.ref"),
        ("${{ github.ref == 'a' }}", "github.ref == 'a'"),
        ("${{ 'it''s' == 'b' }}", "'it''s' == 'b'"),
    ],
)
def test_two_literals_are_no_literal(written: str, expression: str) -> None:
    """Only a text that is one literal from end to end is read as that text."""
    token = run_name(written)

    assert isinstance(token, ExpressionToken)
    assert (token.expression, token.source) == (expression, written)


@pytest.mark.parametrize("written", ["${{ 'a' }}", "plain", "'${{ ''it''''s'' }}'"])
def test_a_literal_has_the_place_of_the_whole(written: str) -> None:
    """A text that was an expression stands where the expression stood."""
    token = run_name(written)

    assert isinstance(token, StringToken)
    assert str(token.span.start) == "6:11"
    assert token.span.end.column == 11 + len(written)


@pytest.mark.parametrize(
    ("written", "places"),
    [
        ("|\n  a\n  b ${{ github.x }}\n  c\n  ${{  vars.y }}\n", ["8:9", "10:8"]),
        ("x ${{ github.x }} y ${{ vars.y }}", ["6:17", "6:35"]),
    ],
)
def test_each_expression_has_its_line_and_column(written: str, places: list[str]) -> None:
    """Lines are counted up to the expression and no further."""
    token = run_name(written)

    assert isinstance(token, ExpressionToken)
    assert [one.text for one in token.embedded] == ["github.x", "vars.y"]
    assert [str(one.start) for one in token.embedded] == places


def test_an_expression_that_an_escape_hides_has_the_place_of_the_whole() -> None:
    """What cannot be found in the file as it is written is still there, in order."""
    token = run_name('"${{ github.x }} \\x24{{ vars.y }} \\x24{{ inputs.z }}"')

    assert isinstance(token, ExpressionToken)
    assert [one.text for one in token.embedded] == ["github.x", "vars.y", "inputs.z"]
    assert [str(one.start) for one in token.embedded] == ["6:16", "6:11", "6:11"]


def test_the_longest_expression_is_read() -> None:
    """With the text around it an expression has at most 21,000 characters."""
    around = len("format('{0}', github.x)")
    token = run_name(f"{'y' * (21_000 - around)}${{{{ github.x }}}}")

    assert isinstance(token, ExpressionToken)
    assert len(token.expression) == 21_000
