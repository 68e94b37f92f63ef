"""Tokens narrowed to the kind a place needs, with GitHub's words where they are of another kind.

A schema has been applied before, so that most places hold what they need; `what`, GitHub's name of
the place, is given where the schema lets another kind through.

Source: actions/languageservices, workflow-parser/src/templates/tokens/template-token.ts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from windlass.lang.tokens import (
    BooleanToken,
    ExpressionToken,
    InsertToken,
    MappingToken,
    SequenceToken,
    StringToken,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.lang.positions import Span
    from windlass.lang.problems import Problems
    from windlass.lang.tokens import ComputedMapping, Token

_Result = TypeVar("_Result")
_Kind = TypeVar("_Kind", BooleanToken, MappingToken, SequenceToken, StringToken)

_ANY_PLACE = "value"
_NAMES: dict[type, str] = {
    ExpressionToken: "BasicExpressionToken",
    InsertToken: "InsertExpressionToken",
}


class UnexpectedTokenError(Exception):
    """A token does not fit its place; ends the conversion of one part, which records it."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


def expect_string(token: Token, what: str = _ANY_PLACE) -> StringToken:
    """Return a text."""
    return _expect(token, what, StringToken)


def expect_boolean(token: Token) -> BooleanToken:
    """Return a boolean."""
    return _expect(token, _ANY_PLACE, BooleanToken)


def expect_mapping(token: Token) -> MappingToken:
    """Return a mapping."""
    return _expect(token, _ANY_PLACE, MappingToken)


def take_mapping(problems: Problems, token: Token, what: str) -> ComputedMapping:
    """Return a mapping, or the expression that stands for one.

    GitHub's editor asks for a mapping; its server evaluates the expression when the job starts.
    """
    if isinstance(token, ExpressionToken):
        refusal = _unexpected(token, what, "MappingToken")
        hint = "GitHub's editor refuses this; its server evaluates it when the job starts."
        problems.warn("unexpected-type", str(refusal), token.span, hint)
        return token
    return expect_mapping(token)


def expect_sequence(token: Token) -> SequenceToken:
    """Return a list."""
    return _expect(token, _ANY_PLACE, SequenceToken)


def is_expression(token: Token) -> bool:
    """Say whether a token's value is not known before it is evaluated."""
    return isinstance(token, (ExpressionToken, InsertToken))


def holds_expression(token: Token) -> bool:
    """Say whether a token, or anything in it, is an expression."""
    if isinstance(token, MappingToken):
        return any(holds_expression(key) or holds_expression(value) for key, value in token.entries)
    if isinstance(token, SequenceToken):
        return any(holds_expression(item) for item in token.items)
    return is_expression(token)


def guarded(problems: Problems, convert: Callable[[], _Result]) -> _Result | None:
    """Convert one part; a token of the wrong kind is recorded and the part is None."""
    try:
        return convert()
    except UnexpectedTokenError as error:
        problems.add("unexpected-type", str(error), error.span)
        return None


def kind_name(token: Token) -> str:
    """Return GitHub's name for the kind of a token."""
    return _NAMES.get(type(token), type(token).__name__)


def _expect(token: Token, what: str, kind: type[_Kind]) -> _Kind:
    if isinstance(token, kind):
        return token
    raise _unexpected(token, what, kind.__name__)


def _unexpected(token: Token, what: str, expected: str) -> UnexpectedTokenError:
    return UnexpectedTokenError(
        f"Unexpected type '{kind_name(token)}' encountered while reading '{what}'. "
        f"The type '{expected}' was expected.",
        token.span,
    )


def text_of(token: Token | None) -> str | None:
    """Return the text of a literal text, else None."""
    return token.value if isinstance(token, StringToken) else None
