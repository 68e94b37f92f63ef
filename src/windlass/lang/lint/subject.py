"""One workflow as rules see it: read once, its expressions parsed and typed once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from windlass.lang.lint.finding import Finding
from windlass.lang.lint.places import ExpressionUse, StepPlace, expressions_of, steps_of
from windlass.lang.lint.scripts import script_text
from windlass.lang.lint.source import Source
from windlass.lang.lint.types import Inference, ListOf, Record
from windlass.lang.lint.types.contexts import Contexts
from windlass.lang.lint.types.kinds import describe
from windlass.lang.workflow.model import ActionStep, CallJob, Job, RunStep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.repository import Repository
    from windlass.lang.lint.types import Problem
    from windlass.lang.positions import Span
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import Workflow


class Subject:
    """What a rule may ask about one workflow."""

    def __init__(self, workflow: Workflow, repository: Repository, text: str) -> None:
        self.workflow = workflow
        self.repository = repository
        self._source = Source(text)

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs that run steps."""
        return tuple(job for job in self.workflow.jobs if isinstance(job, Job))

    @cached_property
    def calls(self) -> tuple[CallJob, ...]:
        """The jobs that call a reusable workflow."""
        return tuple(job for job in self.workflow.jobs if isinstance(job, CallJob))

    @cached_property
    def steps(self) -> tuple[StepPlace, ...]:
        """Every step of every job."""
        return tuple(found for job in self.jobs for found in steps_of(job))

    @cached_property
    def run_steps(self) -> tuple[tuple[StepPlace, RunStep], ...]:
        """The steps with a script."""
        return tuple((p, p.step) for p in self.steps if isinstance(p.step, RunStep))

    @cached_property
    def action_steps(self) -> tuple[tuple[StepPlace, ActionStep], ...]:
        """The steps that use an action."""
        return tuple((p, p.step) for p in self.steps if isinstance(p.step, ActionStep))

    def span_in_script(self, run: Token, start: int, end: int) -> Span:
        """Return the place of a stretch of a script's text."""
        return self._source.span(run.span, script_text(run), start, end)

    @cached_property
    def expressions(self) -> tuple[ExpressionUse, ...]:
        """Every expression of the workflow."""
        return tuple(expressions_of(self.workflow, self._source))

    def find_problems(self, code: str) -> Iterator[Finding]:
        """Yield the findings of the type check that belong to one rule."""
        for use, problem in self._problems:
            if problem.code == code:
                yield Finding(
                    message=problem.message,
                    span=use.span(problem.start, problem.end),
                    hint=problem.hint,
                    severity=problem.severity,
                )

    @cached_property
    def _problems(self) -> tuple[tuple[ExpressionUse, Problem], ...]:
        contexts = Contexts(self.workflow, self.repository)
        return tuple(
            (use, problem) for use in self.expressions for problem in _check(use, contexts)
        )


def _check(use: ExpressionUse, contexts: Contexts) -> list[Problem]:
    inference = Inference(use.text, lambda name: contexts.find(name, use.place))
    kind = inference.infer(use.node)
    if use.wants_text and isinstance(kind, Record | ListOf):
        written = inference.problems.source(use.node)
        inference.problems.report(
            "expression-type",
            f"{written} is {describe(kind)}, but a string is expected here",
            use.node,
            hint="take one of its members, or make a string of it with `toJSON(…)`",
        )
    return inference.problems.found
