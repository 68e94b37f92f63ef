"""A workflow file after the schema has been applied: typed values that may hold expressions.

A token keeps where it was written, and an expression stays an expression until somebody evaluates
it with contexts (`windlass.lang.template`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from windlass.lang.casing import fold
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.lang.positions import Position, Span


@dataclass(frozen=True, slots=True)
class NullToken:
    """`null`, `~` or nothing at all."""

    span: Span


@dataclass(frozen=True, slots=True)
class BooleanToken:
    """`true` or `false` (and the other spellings of YAML 1.2's core schema)."""

    value: bool
    span: Span


@dataclass(frozen=True, slots=True)
class NumberToken:
    """A number; `text` is how it was written, `0x1F` for instance."""

    value: float
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class StringToken:
    """A string without expressions."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Embedded:
    """One `${{ … }}` inside a scalar: the text between the braces and where that text starts."""

    text: str
    start: Position


@dataclass(frozen=True, slots=True)
class ExpressionToken:
    """A scalar with at least one `${{ … }}`, or a key that is an expression by nature (`if`).

    `expression` is what is evaluated: the text between the braces, or a `format(…)` of all parts
    where the scalar mixes text and expressions, as GitHub builds it. `embedded` are the parts as
    written, for messages that point at the very place.
    """

    expression: str
    source: str
    span: Span
    embedded: tuple[Embedded, ...] = ()


@dataclass(frozen=True, slots=True)
class InsertToken:
    """The mapping key `${{ insert }}`: the value's entries are merged into the mapping."""

    span: Span


@dataclass(frozen=True, slots=True)
class SequenceToken:
    """A list."""

    items: tuple[Token, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class MappingToken:
    """A mapping in the order of the file; keys are strings, expressions or `${{ insert }}`."""

    entries: tuple[tuple[KeyToken, Token], ...]
    span: Span

    def find(self, key: str) -> Token | None:
        """Return the value under a literal key, without regard to case, or None."""
        folded = fold(key)
        for name, value in self.entries:
            if isinstance(name, StringToken) and fold(name.value) == folded:
                return value
        return None


ScalarToken: TypeAlias = (
    "NullToken | BooleanToken | NumberToken | StringToken | ExpressionToken | InsertToken"
)
KeyToken: TypeAlias = "StringToken | ExpressionToken | InsertToken"
ComputedMapping: TypeAlias = "MappingToken | ExpressionToken"
"""A mapping as written, or one expression that stands for the whole of it."""
Token: TypeAlias = "ScalarToken | SequenceToken | MappingToken"


def entries_of(token: Token | None) -> tuple[tuple[KeyToken, Token], ...]:
    """Return the written entries of a mapping; there are none in anything else."""
    return token.entries if isinstance(token, MappingToken) else ()
