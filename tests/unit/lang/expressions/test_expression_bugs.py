"""Mistakes that other engines make with expressions, each as a test of its own.

Source: nektos/act pkg/exprparser/interpreter.go and pkg/runner/expression.go.
"""

from __future__ import annotations

from typing import Any

import pytest

from windlass.lang.expressions import Fault, compile_expression
from windlass.lang.positions import Position, Span
from windlass.lang.template import TemplateFault, evaluate_token
from windlass.lang.tokens import ExpressionToken

SPAN = Span("ci.yml", Position(1, 1), Position(1, 2))


def evaluate(text: str, **contexts: Any) -> Any:
    compiled = compile_expression(text, contexts=contexts)
    return compiled if isinstance(compiled, Fault) else compiled.evaluate(contexts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format('rm -rf /x/{0}', fromJSOM(x))", "Unrecognized function: 'fromJSOM'."),
        ("format('rm -rf /x/{0}', y)", "Unrecognized named-value: 'y'."),
        ("format('rm -rf /x/{0}', fromJSON(x))", "Error parsing JSON when evaluating fromJson"),
    ],
)
def test_bug_01_a_fault_never_becomes_an_empty_string(text: str, message: str) -> None:
    """An expression with a mistake gives no text at all, so no command runs with a hole in it."""
    token = ExpressionToken(text, "rm -rf /x/${{ … }}", SPAN)

    found = evaluate_token(token, {"x": "no json"})

    assert isinstance(found, TemplateFault)
    assert found.fault.message.startswith(message)
    assert found.span == SPAN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("null == null", True),
        ("null != null", False),
        ("null < null", False),
        ("null > null", False),
        ("null <= null", True),
        ("null >= null", True),
    ],
)
def test_bug_02_null_compares_like_any_value(text: str, expected: bool) -> None:
    """The operator counts when null is compared with null."""
    assert evaluate(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a == a", True),
        ("a == b", False),
        ("a != b", True),
        ("l == l", True),
        ("l == 'Array'", False),
        ("a < b", False),
        ("a == 0", False),
        ("l != null", True),
    ],
)
def test_bug_03_collections_compare_by_identity(text: str, expected: bool) -> None:
    """A mapping or a list equals itself alone; comparing one is no error."""
    assert evaluate(text, a={"x": 1}, b={"x": 1}, l=[1]) is expected


@pytest.mark.parametrize("text", ["1 == 1", "secrets.token", "'x' == 'x'", "true", "fromJSON('1')"])
def test_bug_04_a_string_is_never_read_as_an_expression(text: str) -> None:
    """Untrusted text that is compared with a number stays text: it is no number, so not equal."""
    assert evaluate("title == 1", title=text, secrets={"token": "1"}) is False


@pytest.mark.parametrize("template", ["}", "{", "{0", "0}", "{{0}", "{}", "{x}", "}{0}", "{0}{"])
def test_bug_12_stray_braces_in_format_are_a_fault(template: str) -> None:
    """A malformed template is a fault that shows the template."""
    assert evaluate(f"format('{template}', 'a')") == Fault(
        "evaluation", f"The following format string is invalid: {template}"
    )


@pytest.mark.parametrize("value", [None, True, 1.5, [1], {"a": 1}], ids=repr)
def test_bug_12_format_takes_any_kind(value: Any) -> None:
    """What is no string is converted."""
    expected = {"None": "", "True": "true", "1.5": "1.5", "[1]": "Array", "{'a': 1}": "Object"}

    assert evaluate("format('{0}', v)", v=value) == expected[repr(value)]


def test_bug_13_json_keeps_the_order_of_keys_and_escapes_no_markup() -> None:
    """toJSON writes keys in their order and <, >, & as they are."""
    assert evaluate("toJSON(m)", m={"z": "<a & b>", "a": 1}) == '{\n  "z": "<a & b>",\n  "a": 1\n}'


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("0.1", "0.1"),
        ("0.84551240822557006", "0.84551240822557"),
        ("123456789012345", "123456789012345"),
        ("1234567890123456", "1.23456789012346E+15"),
        ("1e15", "1E+15"),
        ("1e300", "1E+300"),
        ("0.0001", "0.0001"),
        ("0.00001", "1E-05"),
        ("-1.50", "-1.5"),
        ("-0", "0"),
    ],
)
def test_bug_13_numbers_become_text_as_dotnet_writes_them(number: str, expected: str) -> None:
    """Numbers have at most 15 digits and .NET's exponent, as "G15" of the runner writes them."""
    assert evaluate(f"format('{{0}}', {number})") == expected
