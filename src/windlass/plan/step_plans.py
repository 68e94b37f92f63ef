"""The steps of one leg in a plan: which run, as far as can be said before any of them has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.lang.expressions import UNKNOWN, CaseSensitive, Unknown, to_text
from windlass.lang.template import TemplateFault, evaluate_token_partial
from windlass.lang.tokens import ExpressionToken, StringToken
from windlass.lang.workflow.model import ActionStep, CancelStep, RunStep, WaitAllStep, WaitStep
from windlass.plan.conditions import forecast_step
from windlass.plan.decision import Decision, Verdict
from windlass.plan.faults import PlanFault
from windlass.plan.open_mapping import OpenMapping
from windlass.plan.plan import StepPlan
from windlass.plan.predecessors import Outlook
from windlass.plan.preparation import first_line, name_control
from windlass.plan.reasons import PLAIN
from windlass.plan.stages import main_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from windlass.lang.expressions import Value
    from windlass.lang.tokens import ComputedMapping, Token
    from windlass.lang.workflow.model import Job, Step, Workflow
    from windlass.plan.frames import Turn

_UNKNOWN_FUNCTIONS: Final[dict[str, Callable[[Sequence[Value]], Any]]] = {
    "hashFiles": lambda _: UNKNOWN
}


class StepPlanner:
    """Plans the steps of one leg in order."""

    def __init__(self, workflow: Workflow, job: Job, contexts: Mapping[str, Value]) -> None:
        """Take the contexts of the leg: github, inputs, vars, needs, strategy, matrix, runner."""
        self._job = job
        self._workflow = workflow
        self._contexts: dict[str, Any] = {**contexts, "job": UNKNOWN, "secrets": UNKNOWN}
        self._steps: dict[str, Any] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._job_env: CaseSensitive | None = None

    def plan(self) -> Iterator[StepPlan]:
        """Yield every step with its decision, those of a `parallel` block one by one."""
        for turn in main_turns(self._job):
            step, decision = turn.step, self._decide(turn)
            yield StepPlan(
                id=turn.key,
                name=self._name(step),
                decision=decision,
                uses=step.uses.value if isinstance(step, ActionStep) else None,
            )
            self._verdicts[turn.key] = decision.verdict
            self._steps[step.id] = _foresee(decision)

    def _decide(self, turn: Turn) -> Decision:
        outlook = Outlook(self._verdicts, strict=False)
        condition = turn.condition
        plain = condition.expression == PLAIN
        contexts = {} if plain else self._contexts_of(turn.step)
        decision = forecast_step(condition, contexts, outlook)
        if isinstance(decision, PlanFault):
            return Decision(Verdict.RUN, f"it fails: {decision.message}", condition.expression)
        return decision

    def _contexts_of(self, step: Step) -> dict[str, Any]:
        """Return what a step's keys may look at; its own variables come on top of the job's."""
        variables = self._evaluate_job_env()
        contexts = {**self._contexts, "steps": dict(self._steps), "env": variables}
        return {**contexts, "env": _overlay(variables, step.env, contexts)}

    def _evaluate_job_env(self) -> CaseSensitive:
        """Return the job's variables, open once a step may have written to GITHUB_ENV."""
        if self._job_env is None:
            variables = _overlay(CaseSensitive(), self._workflow.env, self._contexts)
            self._job_env = _overlay(variables, self._job.env, self._contexts)
        if any(verdict is not Verdict.SKIP for verdict in self._verdicts.values()):
            return OpenMapping(self._job_env)
        return self._job_env

    def _name(self, step: Step) -> str:
        if not isinstance(step.name, ExpressionToken):
            return _written_name(step)
        value = evaluate_token_partial(step.name, self._contexts_of(step))
        if isinstance(value, Unknown | TemplateFault):
            return _written_name(step)
        return first_line("", to_text(value))


def skip_steps(job: Job, decision: Decision) -> tuple[StepPlan, ...]:
    """Return the steps of a job that does not run; nothing of them is evaluated."""
    return tuple(
        StepPlan(
            id=turn.key,
            name=_written_name(turn.step),
            decision=decision,
            uses=turn.step.uses.value if isinstance(turn.step, ActionStep) else None,
        )
        for turn in main_turns(job)
    )


def _written_name(step: Step) -> str:
    """Return a step's name without evaluating it."""
    if isinstance(step, WaitStep | WaitAllStep | CancelStep):
        return name_control(step)
    if step.name is not None:
        return first_line("", source_of(step.name))
    if isinstance(step, ActionStep):
        return first_line("Run ", step.uses.value.removeprefix("docker://"))
    if isinstance(step, RunStep):
        return first_line("Run ", source_of(step.run))
    return step.id


def source_of(token: Token | None) -> str:
    """Return a scalar as it was written, for what cannot be evaluated yet; null is nothing."""
    if isinstance(token, ExpressionToken):
        return token.source
    return token.value if isinstance(token, StringToken) else ""


def _foresee(decision: Decision) -> Any:
    """Return what `steps.<id>` will be: known only for a step that is skipped for certain."""
    if decision.verdict is Verdict.SKIP:
        return {"outputs": {}, "outcome": "skipped", "conclusion": "skipped"}
    return UNKNOWN


def _overlay(
    variables: CaseSensitive, env: ComputedMapping | None, contexts: Mapping[str, Any]
) -> CaseSensitive:
    """Return variables with those of an `env:` key on top; what cannot be evaluated is UNKNOWN."""
    if env is None:
        return variables
    values = evaluate_token_partial(env, contexts, _UNKNOWN_FUNCTIONS)
    if isinstance(values, dict):
        own = {
            name: value if isinstance(value, Unknown) else to_text(value)
            for name, value in values.items()
        }
    elif isinstance(env, ExpressionToken):
        return OpenMapping()  # it may set any variable
    else:
        own = {key.value: UNKNOWN for key, _ in env.entries if isinstance(key, StringToken)}
    return type(variables)({**variables, **own})
