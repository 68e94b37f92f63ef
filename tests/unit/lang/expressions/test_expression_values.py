"""How values convert, and what may stand for one."""

from __future__ import annotations

import json
import math
from collections import UserDict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.lang.expressions import (
    CaseSensitive,
    Compiled,
    Fault,
    FaultError,
    FunctionInfo,
    compile_expression,
    is_equal,
    is_truthy,
    kind_of,
    to_json,
    to_number,
    to_text,
)
from windlass.lang.expressions.numbers import format_json_number, format_number
from windlass.model.status import Result

_ANY_NUMBER = FunctionInfo(0, None)

DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def evaluate(text: str, **contexts: Any) -> Any:
    compiled = compile_expression(text, contexts=contexts)
    return compiled if isinstance(compiled, Fault) else compiled.evaluate(contexts)


@pytest.mark.parametrize(
    ("value", "kind", "text", "number", "truthy"),
    [
        (None, "Null", "", 0, False),
        (True, "Boolean", "true", 1, True),
        (False, "Boolean", "false", 0, False),
        (0, "Number", "0", 0, False),
        (-0.0, "Number", "0", 0, False),
        (7, "Number", "7", 7, True),
        (2.50, "Number", "2.5", 2.5, True),
        (math.nan, "Number", "NaN", math.nan, False),
        (-math.inf, "Number", "-Infinity", -math.inf, True),
        (10**400, "Number", "Infinity", math.inf, True),
        ("", "String", "", 0, False),
        (" 0x10 ", "String", " 0x10 ", 16, True),
        ([], "Array", "Array", math.nan, True),
        ((1,), "Array", "Array", math.nan, True),
        ({}, "Object", "Object", math.nan, True),
        (UserDict(a=1), "Object", "Object", math.nan, True),
        (Result.SUCCESS, "String", "success", math.nan, True),
    ],
    ids=repr,
)
def test_conversions(value: Any, kind: str, text: str, number: float, truthy: bool) -> None:
    """Every kind of value has a name, a text, a number and a truthiness."""
    assert kind_of(value) == kind
    assert to_text(value) == text
    assert to_number(value) == number or math.isnan(number)
    assert math.isnan(to_number(value)) == math.isnan(number)
    assert is_truthy(value) is truthy


@pytest.mark.requirement("A27")
def test_environment_variables_are_looked_up_as_written() -> None:
    """A case-sensitive mapping has only its exact keys; any other is searched without case."""
    pairs = {"PATH": "/bin", "Path": "x"}

    assert evaluate("env.PATH", env=CaseSensitive(pairs)) == "/bin"
    assert evaluate("env.path", env=CaseSensitive(pairs)) is None
    assert evaluate("env.path", env=pairs) == "/bin"
    assert evaluate("env.Path", env=pairs) == "x"


def test_what_a_filter_finds_is_a_plain_list_outside_its_expression() -> None:
    """A property of a stored result of `.*` is null, as of any list; inside it is mapped."""
    found = evaluate("rows.*", rows=[{"name": "a"}])

    assert type(found) is list
    assert evaluate("stored.name", stored=found) is None
    assert evaluate("rows.*.name", rows=found) == ["a"]


def test_any_mapping_can_be_looked_into() -> None:
    """Contexts may be mappings of any class, read only where they are named."""
    assert evaluate("lazy.a.B", lazy=UserDict(a=UserDict(b=1))) == 1
    assert evaluate("toJSON(lazy)", lazy=UserDict(a=[])) == '{\n  "a": []\n}'


def test_enumerated_results_are_strings() -> None:
    """A result of the model compares and prints as its text."""
    assert evaluate("r == 'SUCCESS' && format('{0}', r)", r=Result.SUCCESS) == "success"
    assert evaluate("toJSON(r)", r=Result.FAILURE) == '"failure"'


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1.0, "1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e20, "100000000000000000000"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-7, "1.25e-7"),
        (-2.5, "-2.5"),
        (5e-324, "5e-324"),
        (-0.0, "0"),
        (math.inf, "null"),
    ],
)
def test_json_numbers_are_ecmascripts(number: float, expected: str) -> None:
    """JSON has the shortest digits that read back, written as ECMA-262 6.1.6.1.20 says."""
    assert format_json_number(number) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_json_numbers_read_back(number: float) -> None:
    """No number loses anything in JSON."""
    assert float(format_json_number(number)) == number


@given(st.integers() | st.floats())
def test_number_text_has_at_most_15_digits(number: float) -> None:
    """Text has 15 significant digits; what is written is within half a unit of the last."""
    text = format_number(number)

    mantissa = text.partition("E")[0].lstrip("-").replace(".", "").lstrip("0")
    assert text in ("NaN", "Infinity", "-Infinity") or len(mantissa.rstrip("0")) <= 15


@given(DATA)
def test_equality_with_itself(value: Any) -> None:
    """Every value but NaN equals itself."""
    assert is_equal(value, value) is not (isinstance(value, float) and math.isnan(value))


@given(DATA, DATA)
def test_equality_is_symmetric(left: Any, right: Any) -> None:
    """The order of the operands of == does not matter."""
    assert is_equal(left, right) == is_equal(right, left)


@given(DATA)
def test_json_is_json(value: Any) -> None:
    """What toJSON writes can be read, and says the same but for NaN and infinities."""

    def finite(item: Any) -> Any:
        if isinstance(item, list):
            return [finite(inner) for inner in item]
        if isinstance(item, dict):
            return {key: finite(inner) for key, inner in item.items()}
        if isinstance(item, int | float) and not isinstance(item, bool):
            try:
                double = float(item)
            except OverflowError:
                return None
            return double if math.isfinite(double) else None
        return item

    assert json.loads(to_json(value), parse_int=float) == finite(value)


def test_values_that_nest_without_end_are_a_fault() -> None:
    """A context nested too deep for JSON is a fault, not a crash."""
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]

    assert evaluate("toJSON(deep)", deep=deep) == Fault(
        "evaluation", "Maximum object depth exceeded"
    )
    assert isinstance(evaluate("fromJSON(json)", json="[" * 5_000 + "]" * 5_000), Fault)


def _refuse(_arguments: Any) -> Any:
    raise FaultError(Fault("evaluation", "refused"))


def test_a_supplied_function_gets_its_arguments() -> None:
    """A declared function is called under its own name with the list of its values."""
    compiled = compile_expression(
        "HASHFILES('a', 1)", contexts=[], functions={"hashFiles": _ANY_NUMBER}
    )
    assert isinstance(compiled, Compiled)

    assert compiled.evaluate({}, {"hashFiles": list}) == ["a", 1]
    assert compiled.evaluate({}, {"hashFiles": lambda _: Fault("evaluation", "no")}) == Fault(
        "evaluation", "no"
    )
    assert compiled.evaluate({}, {"hashFiles": _refuse}) == Fault("evaluation", "refused")
    assert compiled.evaluate({}) == Fault(
        "evaluation", "The function 'hashFiles' is not available here"
    )
