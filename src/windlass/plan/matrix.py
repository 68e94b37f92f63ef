"""A job's `strategy`: which legs it has, in which order, under which names.

The algorithm is GitHub's own: the cross product in the order of the file, `exclude`, values that
`include` adds to legs it matches, then the `include` entries that matched none.
Source: actions/runner src/Sdk/WorkflowParser/Conversion/{MatrixBuilder,JobNameBuilder}.cs and
WorkflowTemplateConverter.ConvertToStrategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.lang.casing import fold
from windlass.lang.expressions import UNKNOWN, holds_unknown, is_equal, kind_of, to_text
from windlass.lang.expressions.lookup import look_up
from windlass.lang.template import TemplateFault, evaluate_token_partial
from windlass.lang.tokens import ExpressionToken, StringToken
from windlass.model.values import dataclass
from windlass.plan.faults import PlanFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from windlass.lang.expressions import Unknown, Value
    from windlass.lang.workflow.model import AnyJob

MAX_NAME_LENGTH: Final = 100
MAX_JOBS: Final = 256
"""GitHub's limit of jobs that one matrix may generate in a run."""

_MAX_PRODUCT: Final = 100_000
"""How many combinations are looked at before `exclude` has taken some away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One combination of a matrix; a job without a matrix has one leg, whose `matrix` is None.

    `key` is unique within the workflow: `build`, `build (3.12, linux)`. `name` is what people see
    unless the job's `name:` is an expression. `strategy` is the context of that name.
    """

    key: str
    name: str
    matrix: Mapping[str, Value] | None
    strategy: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """The legs of a job in definition order; `max_parallel` is None where there is no limit."""

    legs: tuple[Leg, ...]
    fail_fast: bool = True
    max_parallel: int | None = None


def expand(job: AnyJob, contexts: Mapping[str, Value]) -> Strategy | Unknown | PlanFault:
    """Expand a job's strategy; `contexts` are github, needs, vars and inputs.

    UNKNOWN means that the legs depend on results still to come (leaves of `contexts` that are
    UNKNOWN). A fault is the message with which the job fails.
    """
    if job.strategy is None:
        return _single(job, fail_fast=True)
    prefix = f"Error when evaluating 'strategy' for job '{job.id}'."
    evaluated = evaluate_token_partial(job.strategy, contexts)
    if isinstance(evaluated, TemplateFault):
        return PlanFault(f"{prefix} {evaluated.fault.message}", evaluated.span)
    if holds_unknown(evaluated):
        return UNKNOWN
    try:
        return _read_strategy(job, evaluated)  # type: ignore[arg-type]  # nothing is unknown
    except _MatrixError as error:
        return PlanFault(f"{prefix} {error}", job.strategy.span)


def job_label(job: AnyJob) -> str:
    """Return the name that legs are named after: a literal `name:`, else the id."""
    if isinstance(job.name, StringToken) and job.name.value:
        return job.name.value
    return job.id


def has_computed_name(job: AnyJob) -> bool:
    """Tell whether `name:` is an expression, which then is the whole name of every leg."""
    return isinstance(job.name, ExpressionToken)


class _MatrixError(Exception):
    """A value in a strategy that GitHub refuses; caught by `expand`."""


def _single(job: AnyJob, *, fail_fast: bool) -> Strategy:
    """Return the strategy of a job without combinations."""
    context = {"fail-fast": fail_fast, "job-index": 0, "job-total": 1, "max-parallel": 1}
    leg = Leg(key=job.id, name=_shorten(job_label(job)), matrix=None, strategy=context)
    return Strategy(legs=(leg,), fail_fast=fail_fast)


def _read_strategy(job: AnyJob, strategy: Value) -> Strategy:
    mapping = _expect_mapping(strategy)
    fail_fast = mapping.get("fail-fast", True)
    if not isinstance(fail_fast, bool):
        raise _MatrixError(f"Unexpected value '{to_text(fail_fast)}'")
    max_parallel = _read_max_parallel(mapping.get("max-parallel"))
    combinations = _take_allowed(_combine(mapping["matrix"])) if "matrix" in mapping else []
    if not combinations:
        return _single(job, fail_fast=fail_fast)
    total = len(combinations)
    shared = {"fail-fast": fail_fast, "job-total": total, "max-parallel": max_parallel or total}
    legs = tuple(_make_legs(job, combinations, shared))
    return Strategy(legs=legs, fail_fast=fail_fast, max_parallel=max_parallel)


def _take_allowed(combinations: Iterator[_Combination]) -> list[_Combination]:
    taken = []
    for combination in combinations:
        taken.append(combination)
        if len(taken) > MAX_JOBS:
            raise _MatrixError(
                f"The matrix has more than {MAX_JOBS} combinations, the most that GitHub runs"
            )
    return taken


def _read_max_parallel(value: Value) -> int | None:
    if value is None:
        return None
    if kind_of(value) != "Number":
        raise _MatrixError(f"Unexpected value '{to_text(value)}'")
    limit = int(value)  # type: ignore[arg-type]  # kind_of says that it is a number
    return limit if limit > 0 else None


def _make_legs(
    job: AnyJob, combinations: Sequence[_Combination], shared: Mapping[str, Value]
) -> Iterator[Leg]:
    label = job_label(job)
    seen: dict[str, int] = {}
    for index, combination in enumerate(combinations):
        segments = [text for value in combination.product.values() for text in _segments(value)]
        suffix = f" ({', '.join(segments)})" if segments else ""
        key = f"{job.id}{suffix}"
        seen[key] = count = seen.get(key, 0) + 1
        strategy = {
            "fail-fast": shared["fail-fast"],
            "job-index": index,
            "job-total": shared["job-total"],
            "max-parallel": shared["max-parallel"],
        }
        yield Leg(
            key=key if count == 1 else f"{key} #{count}",
            name=_shorten(f"{label}{suffix}"),
            matrix={**combination.product, **combination.extra},
            strategy=strategy,
        )


def _segments(value: Any) -> Iterator[str]:
    """Yield the texts of the leaves of a value: what appears between the brackets of a name."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _segments(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _segments(inner)
    elif text := to_text(value):
        yield text


def _shorten(name: str) -> str:
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 3]}..."


@dataclass(frozen=True, slots=True)
class _Combination:
    """The values that name a leg, and those that `include` only added to it."""

    product: dict[str, Any]
    extra: dict[str, Any]


@dataclass(slots=True)
class _Inclusion:
    """One entry of `include`: values to match, values to add, and whether it ever matched."""

    match: dict[str, Any]
    extra: dict[str, Any]
    leaves: tuple[tuple[tuple[str | int, ...], Any], ...]
    matched: bool = False


def _combine(matrix: Value) -> Iterator[_Combination]:
    """Yield the combinations of a `matrix` in GitHub's order."""
    vectors, include, exclude = _read_matrix(matrix)
    inclusions = _read_include(vectors, include)
    exclusions = _read_exclude(vectors, exclude)
    for product in _multiply(vectors):
        if any(_matches(product, leaves) for leaves in exclusions):
            continue
        extra: dict[str, Any] = {}
        for inclusion in inclusions:
            if _matches(product, inclusion.leaves):
                inclusion.matched = True
                extra.update(inclusion.extra)
        yield _Combination(product, extra)
    for inclusion in inclusions:
        if not inclusion.matched:
            yield _Combination({**inclusion.match, **inclusion.extra}, {})


def _read_matrix(
    matrix: Value,
) -> tuple[dict[str, list[Any]], list[Any], list[Any]]:
    vectors: dict[str, list[Any]] = {}
    lists: dict[str, list[Any]] = {"include": [], "exclude": []}
    for key, value in _expect_mapping(matrix).items():
        items = _expect_sequence(value)
        if key in lists:
            lists[key] = items
        elif items:
            vectors[key] = items
        else:
            raise _MatrixError(f"Matrix vector '{key}' does not contain any values")
    if not vectors and not lists["include"]:
        raise _MatrixError("Matrix must define at least one vector")
    return vectors, lists["include"], lists["exclude"]


def _read_include(vectors: Mapping[str, Any], include: Sequence[Any]) -> list[_Inclusion]:
    names = {fold(name) for name in vectors}
    inclusions = []
    for entry in include:
        mapping = _expect_mapping(entry)
        if not mapping:
            raise _MatrixError("Matrix include mapping does not contain any values")
        match = {key: value for key, value in mapping.items() if fold(key) in names}
        extra = {key: value for key, value in mapping.items() if fold(key) not in names}
        inclusions.append(_Inclusion(match, extra, tuple(_leaves(match, ()))))
    return inclusions


def _read_exclude(
    vectors: Mapping[str, Any], exclude: Sequence[Any]
) -> list[tuple[tuple[tuple[str | int, ...], Any], ...]]:
    names = {fold(name) for name in vectors}
    exclusions = []
    for entry in exclude:
        mapping = _expect_mapping(entry)
        if not mapping:
            raise _MatrixError("Matrix exclude filter must not be empty")
        for key in mapping:
            if fold(key) not in names:
                raise _MatrixError(
                    f"Matrix exclude key '{key}' does not match any key within the matrix"
                )
        exclusions.append(tuple(_leaves(mapping, ())))
    return exclusions


def _multiply(vectors: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Yield the cross product; the last vector of the file varies fastest."""
    size = 1 if vectors else 0
    for items in vectors.values():
        size *= len(items)
    if size > _MAX_PRODUCT:
        raise _MatrixError(f"The matrix multiplies to {size} combinations; {MAX_JOBS} may remain")
    for index in range(size):
        block = size
        product: dict[str, Any] = {}
        for name, items in vectors.items():
            block //= len(items)
            product[name] = items[index // block % len(items)]
        yield product


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the path and the value of every leaf: a filter compares leaves, never containers."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    else:
        yield path, value


def _matches(
    product: Mapping[str, Any], leaves: Sequence[tuple[tuple[str | int, ...], Any]]
) -> bool:
    """Tell whether every leaf is `==` (as in expressions) to what the leg has in its place."""
    return all(is_equal(_walk(product, path), expected) for path, expected in leaves)


def _walk(value: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        value = look_up(value, step)
    return value


def _expect_mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        raise _MatrixError("A sequence was not expected")
    raise _MatrixError(f"Unexpected value '{to_text(value)}'")


def _expect_sequence(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        raise _MatrixError("A mapping was not expected")
    raise _MatrixError(f"Unexpected value '{to_text(value)}'")
