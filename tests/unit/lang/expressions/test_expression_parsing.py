"""What may be named where, where a fault is, and what an expression refers to."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.lang.expressions import (
    Compiled,
    Fault,
    FunctionInfo,
    compile_expression,
    parse,
    references,
)
from windlass.lang.expressions.syntax import source_of, walk

HASH_FILES = {"hashFiles": FunctionInfo(1, 255)}


@pytest.mark.parametrize(
    ("text", "kind", "offset"),
    [
        ("a == b", "parsing", 5),
        ("a ==", "parsing", 2),
        ("a == @", "lexing", 5),
        ("a == 'x", "lexing", 5),
        ("'😊' == b", "parsing", 7),
        ("a &&\n  b", "parsing", 7),
        ("contains(a)", "parsing", 0),
        ("a[0", "parsing", 2),
        ("a b", "parsing", 2),
    ],
)
def test_a_fault_knows_its_place(text: str, kind: str, offset: int) -> None:
    """The offset counts code points from 0, so that a caret can point at the symbol."""
    found = parse(text, contexts=["a"])

    assert isinstance(found, Fault)
    assert (found.kind, found.offset) == (kind, offset)


def test_the_position_in_a_message_counts_utf16_units() -> None:
    """GitHub counts an emoji as two."""
    found = parse("'😊' == b", contexts=[])

    assert isinstance(found, Fault)
    assert "Located at position 9 within expression" in found.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hashFiles()", "Too few parameters supplied: 'hashFiles'"),
        (f"hashFiles({','.join(['1'] * 256)})", "Too many parameters supplied: 'hashFiles'"),
        ("HASHFILES('x')", None),
        ("success()", "Unrecognized function: 'success'"),
    ],
)
def test_declared_functions_take_so_many_arguments(text: str, message: str | None) -> None:
    """A function beyond the built-in ones is known where it is declared, in any case."""
    found = parse(text, contexts=[], functions=HASH_FILES)

    if message is None:
        assert not isinstance(found, Fault)
    else:
        assert isinstance(found, Fault)
        assert found.message.startswith(message)


@pytest.mark.requirement("A27")
@pytest.mark.parametrize("name", ["env", "ENV", "Env"])
def test_contexts_are_available_in_any_case(name: str) -> None:
    """The case of a context's name counts neither when it is declared nor when it is used."""
    found = compile_expression("eNv.x", contexts=[name])

    assert isinstance(found, Compiled)
    assert found.evaluate({name: {"X": 1}}) == 1


def test_a_declared_context_without_a_value_is_null() -> None:
    """A context that may be named but is not given is null."""
    found = compile_expression("needs.x", contexts=["needs"])

    assert isinstance(found, Compiled)
    assert found.evaluate({}) is None


def test_length_counts_utf16_units() -> None:
    """21,000 units are allowed, one more is not."""
    longest = f"'{'x' * 20_998}'"

    assert not isinstance(parse(longest, contexts=[]), Fault)
    assert isinstance(parse(longest + " ", contexts=[]), Fault)
    assert isinstance(parse(f"'{'😊' * 10_500}'", contexts=[]), Fault)


def test_compiling_the_same_text_again_costs_nothing() -> None:
    """The cache holds an expression for its text and what may be named in it."""
    first = compile_expression("a.b", contexts=frozenset({"a"}))

    assert compile_expression("a.b", contexts=["a"]) is first
    assert isinstance(compile_expression("a.b", contexts=[]), Fault)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("github.ref", [("github", "ref")]),
        ("GitHub.Event['Issue'].number", [("github", "Event", "Issue", "number")]),
        ("needs.*.result", [("needs", "*", "result")]),
        ("matrix[inputs.key].x", [("matrix", None, "x"), ("inputs", "key")]),
        ("steps.a.outputs[0]", [("steps", "a", "outputs", None)]),
        ("github", [("github",)]),
        ("fromJSON(env.A).b && env.A", [("env", "A"), ("env", "A")]),
        ("(github.event).action", [("github", "event", "action")]),
        ("1 == 'github.ref'", []),
    ],
)
def test_references_to_properties(text: str, paths: list[Any]) -> None:
    """Each chain of properties is one reference, found in the order of the text."""
    names = ["github", "needs", "matrix", "inputs", "steps", "env"]
    node = parse(text, contexts=names)

    assert not isinstance(node, Fault)
    assert [found.path for found in references(node)] == paths


def test_places_of_references() -> None:
    """Places are those of the text."""
    text = "contains(env.A, HASHFILES('x')) || ENV.b"
    node = parse(text, contexts=["env"], functions=HASH_FILES)

    assert not isinstance(node, Fault)
    assert [text[use.start : use.end] for use in references(node)] == ["env.A", "ENV.b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(a) == (1)", ["(a) == (1)", "a", "1"]),
        ("((a) && (a || (a)))", ["(a) && (a || (a))", "a", "a || (a)", "a", "a"]),
        ("!((a))", ["!((a))", "a"]),
        ("(a).x['y']", ["(a).x['y']", "(a).x", "a", "x", "'y'"]),
        ("(a < (1)) != (a)", ["(a < (1)) != (a)", "a < (1)", "a", "1", "a"]),
    ],
)
def test_a_node_holds_the_parentheses_of_its_parts(text: str, expected: list[str]) -> None:
    """The text of a node is balanced, so that it can be shown."""
    node = parse(text, contexts=["a"])

    assert not isinstance(node, Fault)
    assert [source_of(found, text) for found in walk(node)] == expected


def test_every_node_knows_its_text() -> None:
    """A node's place holds exactly what it was read from."""
    text = " !a['x'].b  && ( 1 < 2 ) || toJSON(a.*)"
    node = parse(text, contexts=["a"])

    assert not isinstance(node, Fault)
    assert [source_of(found, text) for found in walk(node)] == [
        text.strip(),
        "!a['x'].b  && ( 1 < 2 )",
        "!a['x'].b",
        "a['x'].b",
        "a['x']",
        "a",
        "'x'",
        "b",
        "1 < 2",
        "1",
        "2",
        "toJSON(a.*)",
        "a.*",
        "a",
    ]
