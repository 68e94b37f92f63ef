"""What can be told of a job's matrix without evaluating anything: its keys and literal values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.casing import fold
from windlass.lang.tokens import MappingToken, SequenceToken, StringToken
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.tokens import Token


@dataclass(frozen=True, slots=True)
class Vector:
    """One key of the matrix. `values` is None where an expression makes the list."""

    name: StringToken
    values: tuple[Token, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixShape:
    """A matrix as written; `include` and `exclude` are None where an expression makes them.

    `is_dynamic` says that keys may exist which the file does not show.
    """

    vectors: tuple[Vector, ...]
    include: tuple[Token, ...] | None = ()
    exclude: tuple[Token, ...] | None = ()
    is_dynamic: bool = False

    def find(self, name: str) -> Vector | None:
        """Return the vector of that name, without regard to case, or None."""
        folded = fold(name)
        return next((v for v in self.vectors if fold(v.name.value) == folded), None)

    def included_values(self, name: str) -> Iterator[Token]:
        """Yield what the literal `include` entries give to one key."""
        for entry in self.include or ():
            value = entry.find(name) if isinstance(entry, MappingToken) else None
            if value is not None:
                yield value

    def names(self) -> tuple[str, ...]:
        """Return every key the file shows, those of `include` after those of the vectors."""
        names = {vector.name.value: None for vector in self.vectors}
        for entry in self.include or ():
            if isinstance(entry, MappingToken):
                names.update((key.value, None) for key, _ in literal_entries(entry))
        return tuple(names)


def literal_entries(mapping: MappingToken) -> Iterator[tuple[StringToken, Token]]:
    """Yield the entries of a mapping whose keys are plain strings."""
    for key, value in mapping.entries:
        if isinstance(key, StringToken):
            yield key, value


def read_matrix(strategy: Token | None) -> MatrixShape | None:
    """Read `strategy.matrix`; None where the job has no matrix, dynamic where it is evaluated."""
    if strategy is None:
        return None
    if not isinstance(strategy, MappingToken):
        return MatrixShape(vectors=(), is_dynamic=True)
    matrix = strategy.find("matrix")
    if matrix is None:
        has_insert = len(tuple(literal_entries(strategy))) < len(strategy.entries)
        return MatrixShape(vectors=(), is_dynamic=True) if has_insert else None
    if not isinstance(matrix, MappingToken):
        return MatrixShape(vectors=(), is_dynamic=True)
    return _read_mapping(matrix)


def _read_mapping(matrix: MappingToken) -> MatrixShape:
    vectors: list[Vector] = []
    parts: dict[str, tuple[Token, ...] | None] = {"include": (), "exclude": ()}
    is_dynamic = False
    for key, value in matrix.entries:
        items = value.items if isinstance(value, SequenceToken) else None
        if not isinstance(key, StringToken):
            is_dynamic = True
        elif key.value.lower() in parts:
            parts[key.value.lower()] = items
        else:
            vectors.append(Vector(key, items))
    return MatrixShape(
        vectors=tuple(vectors),
        include=parts["include"],
        exclude=parts["exclude"],
        is_dynamic=is_dynamic or not _are_literal(parts["include"]),
    )


def _are_literal(entries: tuple[Token, ...] | None) -> bool:
    if entries is None:
        return False
    return all(
        isinstance(entry, MappingToken) and len(tuple(literal_entries(entry))) == len(entry.entries)
        for entry in entries
    )
