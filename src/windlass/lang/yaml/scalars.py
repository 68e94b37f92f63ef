"""What a scalar means under YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema).

`on`, `yes` and `no` are texts here, `0o17` is fifteen and a timestamp is a text, as GitHub reads
them (actions/runner, WorkflowParser/Conversion/YamlObjectReader.cs).
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from windlass.lang.yaml.nodes import ScalarStyle

if TYPE_CHECKING:
    from windlass.lang.yaml.nodes import ScalarNode

Plain: TypeAlias = "bool | float | str | None"

_PREFIX = "tag:yaml.org,2002:"
_CONSTANTS: dict[str, Plain] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{
        sign + word: -math.inf if sign == "-" else math.inf
        for sign in ("", "+", "-")
        for word in (".inf", ".Inf", ".INF")
    },
}
_FIRST_OF_NUMBER = frozenset("+-.0123456789")
_TYPES = {"null": type(None), "bool": bool, "int": float, "float": float}


class UnusableTagError(ValueError):
    """An explicit tag does not fit its scalar; the message says why."""


def resolve_scalar(node: ScalarNode) -> Plain:
    """Return the value of a scalar; numbers are floats.

    Raises:
        UnusableTagError: the tag is not one of the core schema, or the text is not of its type.
    """
    if node.tag is not None and node.tag != "!":
        return _resolve_tagged(node, node.tag)
    if node.style is not ScalarStyle.PLAIN or node.tag == "!":
        return node.text
    return resolve_plain(node.text)


def resolve_plain(text: str) -> Plain:
    """Return the value of a plain scalar without a tag."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _FIRST_OF_NUMBER:
        return text
    return _number(text)


def _number(text: str) -> float | str:
    patterns = _number_patterns()
    if patterns["decimal"].fullmatch(text):
        return float(text)
    if patterns["octal"].fullmatch(text):
        return float(int(text, 0))
    if patterns["hexadecimal"].fullmatch(text):
        return float(int(text, 0))
    return text


@cache
def _number_patterns() -> dict[str, re.Pattern[str]]:
    return {
        "decimal": re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII),
        "octal": re.compile(r"0o[0-7]{1,300}"),
        "hexadecimal": re.compile(r"0x[0-9a-fA-F]{1,200}"),
    }


def _resolve_tagged(node: ScalarNode, tag: str) -> Plain:
    name = tag.removeprefix(_PREFIX)
    if name == "str" and tag != name:
        return node.text
    expected = _TYPES.get(name) if tag != name else None
    if expected is None:
        raise UnusableTagError(f"Unexpected tag '{tag}'")
    if node.style is not ScalarStyle.PLAIN:
        raise UnusableTagError(
            f"The scalar style '{_style_name(node.style)}' is not valid with the tag '{tag}'"
        )
    value = resolve_plain(node.text)
    if not isinstance(value, expected) or (name == "int" and not _is_integer(node.text)):
        raise UnusableTagError(f"The value '{node.text}' is invalid for the type '{tag}'")
    return value


def _is_integer(text: str) -> bool:
    return text.lstrip("+-").isdigit() or text.startswith(("0x", "0o"))


def _style_name(style: ScalarStyle) -> str:
    return style.name.title().replace("_", "")
