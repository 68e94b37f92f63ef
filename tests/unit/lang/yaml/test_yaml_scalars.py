"""Scalars mean what YAML 1.2's core schema says; expectations are those of npm's yaml 2.9.1."""

from __future__ import annotations

import math

import pytest

from windlass.lang.positions import Position, Span
from windlass.lang.yaml.nodes import ScalarNode, ScalarStyle
from windlass.lang.yaml.scalars import UnusableTagError, resolve_scalar

SPAN = Span("f.yml", Position(1, 1), Position(1, 2))


def resolve(text: str, tag: str | None = None, style: ScalarStyle = ScalarStyle.PLAIN) -> object:
    return resolve_scalar(ScalarNode(text, style, tag, SPAN))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("NULL", None),
        ("nULL", "nULL"),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("y", "y"),
        ("1", 1.0),
        ("-17", -17.0),
        ("+5", 5.0),
        ("007", 7.0),
        ("1.10", 1.1),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1E-2", 0.01),
        ("12e03", 12000.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("+.Inf", math.inf),
        ("0o17", 15.0),
        ("0O17", "0O17"),
        ("017", 17.0),
        ("0x1F", 31.0),
        ("0x", "0x"),
        ("0X1f", "0X1f"),
        ("-0x1", "-0x1"),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2001-01-01", "2001-01-01"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("1.2.3", "1.2.3"),
        (".", "."),
        ("-", "-"),
        ("1e", "1e"),
        ("١", "١"),
    ],
    ids=repr,
)
def test_plain_scalar(text: str, expected: object) -> None:
    """A plain scalar is null, a boolean, a number or a text."""
    value = resolve(text)
    assert value == expected
    assert type(value) is type(expected)


def test_not_a_number() -> None:
    """`.nan` is the number that equals nothing."""
    value = resolve(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize(
    "style", [style for style in ScalarStyle if style is not ScalarStyle.PLAIN]
)
def test_quoted_scalar_is_text(style: ScalarStyle) -> None:
    """In quotes or in a block everything is a text."""
    assert resolve("5", style=style) == "5"


@pytest.mark.parametrize(
    ("text", "tag", "expected"),
    [
        ("5", "str", "5"),
        ("5", "int", 5.0),
        ("+5", "int", 5.0),
        ("-5", "int", -5.0),
        ("0x1F", "int", 31.0),
        ("0o17", "int", 15.0),
        ("5", "float", 5.0),
        ("true", "bool", True),
        ("~", "null", None),
    ],
)
def test_explicit_tag(text: str, tag: str, expected: object) -> None:
    """A tag of the core schema decides."""
    assert resolve(text, f"tag:yaml.org,2002:{tag}") == expected


def test_non_specific_tag_is_text() -> None:
    """`! 5` is a text."""
    assert resolve("5", "!") == "5"


@pytest.mark.parametrize(
    ("text", "tag", "style", "message"),
    [
        (
            "test",
            "tag:yaml.org,2002:bool",
            ScalarStyle.PLAIN,
            "The value 'test' is invalid for the type 'tag:yaml.org,2002:bool'",
        ),
        (
            "1.5",
            "tag:yaml.org,2002:int",
            ScalarStyle.PLAIN,
            "The value '1.5' is invalid for the type 'tag:yaml.org,2002:int'",
        ),
        (
            "300",
            "tag:yaml.org,2002:int",
            ScalarStyle.DOUBLE_QUOTED,
            "The scalar style 'DoubleQuoted' is not valid with the tag 'tag:yaml.org,2002:int'",
        ),
        (
            "2001-01-01",
            "tag:yaml.org,2002:timestamp",
            ScalarStyle.PLAIN,
            "Unexpected tag 'tag:yaml.org,2002:timestamp'",
        ),
        ("", "!cancelled()", ScalarStyle.PLAIN, "Unexpected tag '!cancelled()'"),
        ("5", "int", ScalarStyle.PLAIN, "Unexpected tag 'int'"),
        ("5", "str", ScalarStyle.PLAIN, "Unexpected tag 'str'"),
    ],
)
def test_unusable_tag(text: str, tag: str, style: ScalarStyle, message: str) -> None:
    """A tag that does not fit is refused (actions/runner, YamlObjectReader.cs)."""
    with pytest.raises(UnusableTagError) as caught:
        resolve(text, tag, style)
    assert str(caught.value) == message
