"""A matrix must make 256 jobs at the most, and `exclude` must name keys and values of it.

An `exclude` entry with a key or value that is not there excludes nothing; GitHub refuses an
unknown key. A value listed twice runs the same job twice. A matrix of more than 256 jobs is refused
when the run starts.
"""

from __future__ import annotations

import difflib
from math import prod
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule
from windlass.lang.lint.token_values import plain_value
from windlass.lang.matrix_shape import literal_entries, read_matrix
from windlass.lang.tokens import MappingToken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.matrix_shape import MatrixShape, Vector
    from windlass.lang.tokens import StringToken, Token

MAXIMUM_JOBS = 256
"""https://docs.github.com/en/actions/reference/limits"""


def check(subject: Subject) -> Iterator[Finding]:
    """Find unknown keys and values in `exclude`, repeated values, and too many of them."""
    for job in subject.workflow.jobs:
        shape = read_matrix(job.strategy)
        if shape is not None:
            yield from _check_size(shape)
            for vector in shape.vectors:
                yield from _check_repeated(vector)
            yield from _check_exclude(shape)


def _check_size(shape: MatrixShape) -> Iterator[Finding]:
    """Count the combinations where the file shows all values and none is excluded."""
    if shape.exclude != () or not shape.vectors:
        return
    size = prod(len(vector.values or (None,)) for vector in shape.vectors)
    if size > MAXIMUM_JOBS:
        yield Finding(
            message=f"the matrix makes {size} jobs, more than the {MAXIMUM_JOBS} GitHub allows",
            span=shape.vectors[0].name.span,
            hint="split the job in two, or leave combinations out with `exclude`",
        )


def _check_repeated(vector: Vector) -> Iterator[Finding]:
    seen: list[object] = []
    if vector.values == ():
        yield Finding(message=f"`{vector.name.value}` has no values", span=vector.name.span)
    for token in vector.values or ():
        known, value = plain_value(token)
        if known and (type(value), value) in seen:
            yield Finding(
                message=f"`{vector.name.value}` has the value {value!r} twice",
                span=token.span,
                severity=Severity.WARNING,
                hint="each value makes a job of its own",
            )
        seen.append((type(value), value))


def _check_exclude(shape: MatrixShape) -> Iterator[Finding]:
    for entry in shape.exclude or ():
        if isinstance(entry, MappingToken):
            for key, value in literal_entries(entry):
                yield from _check_excluded(shape, key, value)


def _check_excluded(shape: MatrixShape, key: StringToken, value: Token) -> Iterator[Finding]:
    vector = shape.find(key.value)
    if vector is None:
        names = [each.name.value for each in shape.vectors]
        near = difflib.get_close_matches(key.value, names, n=1)
        yield Finding(
            message=f"`exclude` names `{key.value}`, which is not a key of the matrix",
            span=key.span,
            severity=Severity.WARNING if shape.is_dynamic else None,
            hint=f"did you mean `{near[0]}`?" if near else f"its keys: {', '.join(names)}",
        )
        return
    known, excluded = plain_value(value)
    values = [plain_value(each) for each in vector.values or ()]
    if not known or not values or not all(each[0] for each in values):
        return
    if not _is_among(excluded, [each[1] for each in values]):
        yield Finding(
            message=f"`exclude` names {excluded!r}, which is not a value of `{key.value}`",
            span=value.span,
            severity=Severity.WARNING,
            hint="the entry excludes nothing",
        )


def _is_among(wanted: object, values: list[object]) -> bool:
    """Compare as a filter of the matrix does: an object matches if it holds the wanted members."""
    if isinstance(wanted, dict):
        return any(
            isinstance(value, dict) and all(value.get(k) == v for k, v in wanted.items())
            for value in values
        )
    return any(str(value).lower() == str(wanted).lower() for value in values)


RULE = Rule(
    code="matrix-values",
    severity=Severity.ERROR,
    summary="a matrix with values that do not fit together",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ['3.11', '3.12']
        os: [alpine, debian]
        exclude:
          - pyhton: '3.11'
            os: alpine
    steps:
      - run: make
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ['3.11', '3.12']
        os: [alpine, debian]
        exclude:
          - python: '3.11'
            os: alpine
    steps:
      - run: make
""",
    check=check,
)
