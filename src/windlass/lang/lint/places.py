"""Every expression of a workflow, parsed once, with the place where it stands."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from windlass.lang.expressions.faults import Fault
from windlass.lang.expressions.functions import FunctionInfo
from windlass.lang.expressions.parser import parse
from windlass.lang.positions import Position, Span
from windlass.lang.tokens import ExpressionToken, MappingToken, SequenceToken, StringToken
from windlass.lang.workflow.model import (
    ActionStep,
    CallJob,
    Job,
    ParallelStep,
    RunStep,
)
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from windlass.lang.expressions.syntax import Node
    from windlass.lang.lint.source import Source
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import (
        AnyJob,
        Condition,
        RunDefaults,
        Step,
        Workflow,
    )

_CONTEXTS = (
    *("github", "env", "vars", "job", "jobs", "steps", "runner", "secrets", "strategy"),
    *("matrix", "needs", "inputs"),
)
_BRACES = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_OBJECT_KEYS = frozenset(
    {"strategy", "runs-on", "container", "services", "environment", "if", "defaults.run"}
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: under which key of which job and step.

    `earlier` counts the steps of the job that come before it; None means all of them.
    """

    key: str
    job: AnyJob | None = None
    step: Step | None = None
    earlier: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionUse:
    """One expression: its text, its tree, where its text starts and what surrounds it.

    `indent` is that of its further lines. `wants_text` says that the value becomes part of a text
    or must be one.
    """

    text: str
    node: Node
    path: str
    start: Position
    indent: int
    place: Place
    wants_text: bool

    def span(self, start: int, end: int) -> Span:
        """Return the stretch of the file for offsets in the text."""
        return Span(self.path, self._position(start), self._position(max(end, start + 1)))

    def _position(self, offset: int) -> Position:
        before = self.text[:offset]
        newline = before.rfind("\n")
        if newline < 0:
            return Position(self.start.line, self.start.column + offset)
        return Position(self.start.line + before.count("\n"), self.indent + offset - newline)


@dataclass(frozen=True, slots=True)
class StepPlace:
    """A step, its job, and how many steps of the job come before it."""

    job: Job
    step: Step
    earlier: int


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Node | None:
    """Return the tree of an expression; None where the text is none, which the reader reports."""
    found = parse(text, contexts=_CONTEXTS, functions=_functions())
    return None if isinstance(found, Fault) else found


@lru_cache(maxsize=1)
def _functions() -> dict[str, FunctionInfo]:
    status = ("success", "failure", "always", "cancelled")
    return {name: FunctionInfo(0, None) for name in (*status, "hashFiles")}


def steps_of(job: AnyJob) -> tuple[StepPlace, ...]:
    """Return every step of a job in order, those inside `parallel` after their group."""
    if not isinstance(job, Job):
        return ()
    flat = tuple(_flatten(job.steps))
    return tuple(StepPlace(job, step, number) for number, step in enumerate(flat))


def _flatten(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, ParallelStep):
            yield from _flatten(step.steps)


def expressions_of(workflow: Workflow, source: Source) -> Iterator[ExpressionUse]:
    """Yield every expression of a workflow in the order jobs and steps are written."""
    for place, token in _workflow_tokens(workflow):
        yield from _uses(token, place, source)
    for job in workflow.jobs:
        yield from _condition(job.condition, Place("if", job), source)
        for place, token in _job_tokens(job):
            yield from _uses(token, place, source)
        for found in steps_of(job):
            place = Place("if", job, found.step, found.earlier)
            yield from _condition(found.step.condition, place, source)
            for key, token in step_tokens(found.step):
                yield from _uses(token, Place(key, job, found.step, found.earlier), source)


def _workflow_tokens(workflow: Workflow) -> Iterator[tuple[Place, Token | None]]:
    yield Place("run-name"), workflow.run_name
    yield Place("concurrency"), workflow.concurrency
    yield Place("env"), workflow.env
    for output in workflow.triggers.call_outputs.values():
        yield Place("outputs"), output.value
    for definition in workflow.triggers.call_inputs.values():
        yield Place("default"), definition.default


def _defaults(defaults: RunDefaults | None, job: Job) -> Iterator[tuple[Place, Token | None]]:
    if defaults is not None:
        yield Place("defaults", job), defaults.shell
        yield Place("defaults", job), defaults.working_directory
        yield Place("defaults.run", job), defaults.computed


def _job_tokens(job: AnyJob) -> Iterator[tuple[Place, Token | None]]:
    yield Place("name", job), job.name
    yield Place("strategy", job), job.strategy
    yield Place("concurrency", job), job.concurrency
    if isinstance(job, CallJob):
        yield Place("with", job), job.inputs
        yield Place("secrets", job), job.secrets
        return
    yield Place("runs-on", job), job.runs_on
    yield Place("env", job), job.env
    yield from _defaults(job.defaults, job)
    yield Place("outputs", job), job.outputs
    yield Place("environment", job), job.environment
    yield Place("container", job), job.container
    yield Place("services", job), job.services
    yield Place("timeout-minutes", job), job.timeout_minutes
    yield Place("continue-on-error", job), job.continue_on_error


def step_tokens(step: Step) -> Iterator[tuple[str, Token | None]]:
    """Yield the values of a step that may hold expressions, with their keys, but for `if`."""
    yield "name", step.name
    yield "env", step.env
    yield "continue-on-error", step.continue_on_error
    yield "timeout-minutes", step.timeout_minutes
    if isinstance(step, RunStep):
        yield "run", step.run
        yield "shell", step.shell
        yield "working-directory", step.working_directory
    elif isinstance(step, ActionStep):
        yield "with", step.inputs


def expression_tokens(token: Token | None) -> Iterator[ExpressionToken]:
    """Yield every scalar with expressions in a value, keys included."""
    match token:
        case ExpressionToken():
            yield token
        case SequenceToken():
            for item in token.items:
                yield from expression_tokens(item)
        case MappingToken():
            for key, value in token.entries:
                if isinstance(key, ExpressionToken):
                    yield key
                yield from expression_tokens(value)


def _uses(token: Token | None, place: Place, source: Source) -> Iterator[ExpressionUse]:
    for scalar in expression_tokens(token):
        is_whole_mapping = scalar is token and place.key in ("env", "with")
        wants_text = place.key not in _OBJECT_KEYS and not is_whole_mapping
        is_mixed = len(scalar.embedded) > 1 or not _is_whole(scalar.source)
        for part in scalar.embedded:
            node = parse_expression(part.text)
            if node is not None:
                yield ExpressionUse(
                    text=part.text,
                    node=node,
                    path=scalar.span.path,
                    start=part.start,
                    indent=source.indent_of(scalar.span),
                    place=place,
                    wants_text=wants_text or is_mixed,
                )


def _is_whole(source: str) -> bool:
    stripped = source.strip()
    return stripped.startswith("${{") and stripped.endswith("}}")


def condition_text(source: str) -> str:
    """Return the expression of an `if` as written: without `${{ }}` where they are all around."""
    whole = _BRACES.fullmatch(source.strip())
    return whole[1] if whole else source


def _condition(condition: Condition, place: Place, source: Source) -> Iterator[ExpressionUse]:
    if condition.source is None or condition.span is None:
        return
    parts = [(found[1], found.start(1)) for found in _BRACES.finditer(condition.source)]
    for text, offset in parts or [(condition.source, 0)]:
        node = parse_expression(text)
        if node is not None:
            start = source.span(condition.span, condition.source, offset, offset).start
            yield ExpressionUse(
                text=text,
                node=node,
                path=condition.span.path,
                start=start,
                indent=source.indent_of(condition.span),
                place=place,
                wants_text=False,
            )


def literal_text(token: Token | None) -> str | None:
    """Return a string without expressions, else None."""
    return token.value if isinstance(token, StringToken) else None
