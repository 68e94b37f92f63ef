"""The type of the `matrix` context of one job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.lint.types.kinds import (
    ANY,
    BOOLEAN,
    NULL,
    NUMBER,
    TEXT,
    ListOf,
    Record,
    Text,
    Type,
    merge,
)
from windlass.lang.matrix_shape import literal_entries, read_matrix
from windlass.lang.tokens import (
    BooleanToken,
    MappingToken,
    NullToken,
    NumberToken,
    SequenceToken,
    StringToken,
)

if TYPE_CHECKING:
    from windlass.lang.matrix_shape import MatrixShape
    from windlass.lang.tokens import Token


def matrix_type(strategy: Token | None) -> Type:
    """Return what `matrix` holds; a key that no vector and no `include` names is a mistake."""
    shape = read_matrix(strategy)
    if shape is None:
        hint = "the job needs `strategy.matrix`"
        return Record(code="unknown-matrix-key", hint=hint)
    if shape.is_dynamic:
        return Record(rest=ANY)
    members = {name.lower(): _key_type(shape, name) for name in shape.names()}
    return Record(members=members, code="unknown-matrix-key")


def _key_type(shape: MatrixShape, name: str) -> Type:
    vector = shape.find(name)
    if vector is not None and vector.values is None:
        return ANY
    values = [*(vector.values or () if vector is not None else ()), *shape.included_values(name)]
    kinds = [_token_type(value) for value in values]
    if vector is None:
        return _optional(merge(kinds))
    return merge(kinds)


def _optional(kind: Type) -> Type:
    """Return the type of a key that only `include` gives, so that other legs lack it."""
    return TEXT if isinstance(kind, Text) else ANY


def _token_type(token: Token) -> Type:
    match token:
        case StringToken(value=value):
            return Text(values=frozenset({value}), is_fixed=False)
        case BooleanToken():
            return BOOLEAN
        case NumberToken():
            return NUMBER
        case NullToken():
            return NULL
        case SequenceToken(items=items):
            return ListOf(merge([_token_type(item) for item in items]))
        case MappingToken():
            pairs = literal_entries(token)
            members = {key.value.lower(): _token_type(value) for key, value in pairs}
            return Record(members=members, rest=ANY)
        case _:
            return ANY
