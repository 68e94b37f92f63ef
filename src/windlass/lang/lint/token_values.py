"""Tokens as plain Python values, where no expression is in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.tokens import (
    BooleanToken,
    MappingToken,
    NullToken,
    NumberToken,
    SequenceToken,
    StringToken,
)

if TYPE_CHECKING:
    from windlass.lang.tokens import Token


def plain_value(token: Token) -> tuple[bool, object]:
    """Return whether the value is known, and the value."""
    match token:
        case StringToken(value=text):
            return True, text
        case BooleanToken(value=flag):
            return True, flag
        case NumberToken(value=number):
            return True, int(number) if number.is_integer() else number
        case NullToken():
            return True, None
        case SequenceToken(items=items):
            values = [plain_value(item) for item in items]
            return all(known for known, _ in values), [value for _, value in values]
        case MappingToken():
            return _plain_mapping(token)
        case _:
            return False, None


def _plain_mapping(mapping: MappingToken) -> tuple[bool, object]:
    result: dict[str, object] = {}
    for key, token in mapping.entries:
        known, value = plain_value(token)
        if not known or not isinstance(key, StringToken):
            return False, None
        result[key.value] = value
    return True, result
