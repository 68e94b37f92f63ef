"""Event + workflows → plan: every workflow, job, leg and step with the reason for its verdict.

The plan knows what an event and the files say; results of jobs are still to come. It counts on
everything that runs to succeed, and says UNKNOWN wherever a result decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.lang.casing import fold
from windlass.lang.diagnostics import Diagnostic
from windlass.lang.expressions import UNKNOWN, Unknown, to_text
from windlass.lang.template import TemplateFault, evaluate_token_partial
from windlass.lang.tokens import StringToken
from windlass.lang.workflow.model import CallJob
from windlass.lang.workflow.refusals import find_refusals
from windlass.model.values import dataclass, field, replace
from windlass.plan.calls import evaluate_inputs
from windlass.plan.concurrency import evaluate_concurrency
from windlass.plan.conditions import forecast_job
from windlass.plan.contexts import make_github_context, name_workflow
from windlass.plan.decision import Decision, Verdict
from windlass.plan.environments import evaluate_environment
from windlass.plan.faults import PlanFault
from windlass.plan.inputs import fill_event, find_undeclared, read_inputs
from windlass.plan.matrix import Leg, Strategy, expand, has_computed_name, job_label
from windlass.plan.permissions import resolve_permissions
from windlass.plan.places import foresee_image, foresee_place
from windlass.plan.plan import JobPlan, LegPlan, Plan, WorkflowPlan
from windlass.plan.predecessors import Outlook
from windlass.plan.runner import foresee_runner
from windlass.plan.selection import Selection, order_jobs, select_jobs
from windlass.plan.skipped_jobs import describe_skipped
from windlass.plan.step_plans import StepPlanner, source_of
from windlass.plan.triggers import decide_workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from windlass.lang.expressions import Value
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import AnyJob, Job, PermissionLevel, Workflow
    from windlass.model.repository import Repository
    from windlass.plan.event import Event

_EVERYTHING: Final = Selection()


def _know_nothing() -> Unknown:
    return UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known beyond the files and the event.

    `variables` is the `vars` context, `runner` what is known of the `runner` context of a job that
    this machine would run, `digests` the SHA-256 of the workflow files, by path, and the
    commits of refs of other repositories. `places` says by label where jobs run, and
    `find_default_place` where those do of which it says nothing.
    """

    repository: Repository
    variables: Mapping[str, str] = field(default_factory=dict)
    runner: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    find_default_place: Callable[[], Any] = _know_nothing


def make_plan(
    workflows: Sequence[Workflow],
    event: Event,
    knowledge: Knowledge,
    selection: Selection = _EVERYTHING,
) -> Plan:
    """Plan what an event does to these workflows, in their order."""
    decisions = [_decide(workflow, event, selection) for workflow in workflows]
    started = [
        workflow
        for workflow, decision in zip(workflows, decisions, strict=True)
        if decision.verdict is Verdict.RUN
    ]
    problems: list[Diagnostic] = [*find_undeclared(started, event), *selection.check(workflows)]
    problems += [refusal for workflow in started for refusal in find_refusals(workflow)]
    planned = tuple(
        _WorkflowPlanner(workflow, event, knowledge, selection, problems).plan(decision)
        for workflow, decision in zip(workflows, decisions, strict=True)
    )
    problems += selection.check_keys(_every_job(planned))
    return Plan(
        event=event,
        workflows=planned,
        diagnostics=tuple(dict.fromkeys(problems)),
        digests=knowledge.digests,
        variables=knowledge.variables,
    )


def _every_job(workflows: Iterable[WorkflowPlan]) -> Iterator[JobPlan]:
    """Yield the jobs that may run, those of called workflows included."""
    pending = [job for workflow in workflows for job in workflow.jobs]
    while pending:
        job = pending.pop()
        if job.decision.verdict is not Verdict.SKIP:
            yield job
            pending += [inner for leg in job.legs for inner in leg.jobs]


def _decide(workflow: Workflow, event: Event, selection: Selection) -> Decision:
    decision = decide_workflow(workflow, event)
    if decision.verdict is Verdict.RUN and not selection.has_job(workflow):
        return Decision(Verdict.SKIP, f"it has no job '{selection.job}'")
    return decision


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """One workflow within the plan: the one that runs, or one that is called.

    `doubt` says why it may not run at all, `ceiling` what its caller's token may do.
    """

    workflow: Workflow
    contexts: Mapping[str, Any]
    prefix: str = ""
    name_prefix: str = ""
    doubt: Decision | None = None
    ceiling: Mapping[str, PermissionLevel] | None = None


class _WorkflowPlanner:
    """Plans one workflow and those it calls; mistakes it meets go to `problems`."""

    def __init__(
        self,
        workflow: Workflow,
        event: Event,
        knowledge: Knowledge,
        selection: Selection,
        problems: list[Diagnostic],
    ) -> None:
        self._workflow = workflow
        self._event = fill_event(event, workflow)
        self._knowledge = knowledge
        self._selection = selection
        self._problems = problems

    def plan(self, decision: Decision) -> WorkflowPlan:
        """Plan the workflow whose own decision is already made."""
        workflow, runs = self._workflow, decision.verdict is Verdict.RUN
        contexts = self._make_contexts(report=runs)
        doubt = None if runs else Decision(Verdict.SKIP, "its workflow does not run")
        level = _Level(workflow=workflow, contexts=contexts, doubt=doubt)
        return WorkflowPlan(
            path=workflow.path,
            name=name_workflow(workflow),
            decision=decision,
            run_name=self._evaluate(workflow.run_name, contexts, "run-name") if runs else None,
            concurrency=self._name_group(workflow.concurrency, contexts) if runs else None,
            jobs=tuple(self._plan_jobs(level)),
        )

    def _make_contexts(self, *, report: bool) -> dict[str, Any]:
        inputs = read_inputs(self._workflow, self._event)
        if isinstance(inputs, tuple):
            self._problems.extend(inputs if report else ())
            inputs = {}
        github = make_github_context(self._event, self._knowledge.repository, self._workflow)
        return {"github": github, "inputs": inputs, "vars": dict(self._knowledge.variables)}

    def _plan_jobs(self, level: _Level) -> Iterator[JobPlan]:
        """Yield the jobs of one workflow, each after all it needs are decided."""
        decisions = self._decide_jobs(level)
        for job in level.workflow.jobs:
            yield self._plan_job(level, job, decisions[job.id], decisions)

    def _decide_jobs(self, level: _Level) -> dict[str, Decision]:
        """Decide every job in the order of the needs, in which the reader found no cycle."""
        wanted = None if level.prefix else select_jobs(level.workflow, self._selection)
        decisions: dict[str, Decision] = {}
        ancestors: dict[str, dict[str, Verdict]] = {}
        for job, needs in order_jobs(level.workflow):
            known = ancestors[job.id] = {}
            for need in needs:
                known.update(ancestors[need])
                known[need] = decisions[need].verdict
            if level.doubt is not None and level.doubt.verdict is Verdict.SKIP:
                decisions[job.id] = level.doubt
            elif wanted is not None and job.id not in wanted:
                reason = f"it is not job '{self._selection.job}', nor needed by it"
                decisions[job.id] = Decision(Verdict.SKIP, reason)
            else:
                decision = self._decide_job(level, job, Outlook(known, needs), decisions)
                decisions[job.id] = _with_doubt(decision, level.doubt)
        return decisions

    def _decide_job(
        self,
        level: _Level,
        job: AnyJob,
        outlook: Outlook,
        decisions: Mapping[str, Decision],
    ) -> Decision:
        contexts = {**level.contexts, "needs": _foresee_needs(job, decisions)}
        decision = forecast_job(job.condition, contexts, outlook)
        return self._settle(decision, job)

    def _settle(self, decision: Decision | PlanFault, job: AnyJob) -> Decision:
        """Turn a fault into a finding, and the decision into that of a job that fails."""
        if isinstance(decision, Decision):
            return decision
        self._report(decision, "job-fails")
        reason = f"it fails before it starts: {decision.message}"
        return Decision(Verdict.RUN, reason, job.condition.expression)

    def _plan_job(
        self, level: _Level, job: AnyJob, decision: Decision, decisions: Mapping[str, Decision]
    ) -> JobPlan:
        if decision.verdict is Verdict.SKIP:
            prefixes = (level.prefix, level.name_prefix)
            return describe_skipped(level.workflow, job, decision, prefixes, level.ceiling)
        contexts = {**level.contexts, "needs": _foresee_needs(job, decisions)}
        strategy = self._expand(job, contexts)
        permissions = resolve_permissions(job, level.workflow, ceiling=level.ceiling)
        legs = () if strategy is None else strategy.legs
        chosen = tuple(leg for leg in legs if self._selection.has_leg(leg.matrix))
        if legs and not chosen:
            self._problems.append(self._selection.describe_misfit(job, legs))
        return JobPlan(
            id=job.id,
            key=f"{level.prefix}{job.id}",
            name=f"{level.name_prefix}{job_label(job)}",
            decision=decision,
            needs=tuple(need.value for need in job.needs),
            uses=job.uses.value if isinstance(job, CallJob) else None,
            permissions=permissions,
            legs=tuple(
                self._plan_leg(level, job, leg, contexts, decision, permissions)
                for leg in (_unexpanded(job) if strategy is None else chosen)
            ),
            has_known_legs=strategy is not None,
            fail_fast=strategy.fail_fast if strategy else True,
            max_parallel=strategy.max_parallel if strategy else None,
        )

    def _expand(self, job: AnyJob, contexts: Mapping[str, Value]) -> Strategy | None:
        """Return the legs; None where they are not known yet."""
        strategy = expand(job, contexts)
        if isinstance(strategy, PlanFault):
            self._report(strategy, "invalid-strategy")
            return Strategy(legs=())
        return None if isinstance(strategy, Unknown) else strategy

    def _plan_leg(
        self,
        level: _Level,
        job: AnyJob,
        leg: Leg,
        contexts: Mapping[str, Any],
        decision: Decision,
        permissions: Mapping[str, PermissionLevel],
    ) -> LegPlan:
        contexts = {
            **contexts,
            "github": {**level.contexts["github"], "job": job.id},
            "strategy": leg.strategy,
            "matrix": leg.matrix,
        }
        name = self._name_leg(job, leg, contexts)
        plan = LegPlan(
            key=f"{level.prefix}{leg.key}",
            name=f"{level.name_prefix}{name}",
            matrix=leg.matrix,
            concurrency=self._name_group(job.concurrency, contexts),
        )
        if isinstance(job, CallJob):
            return self._plan_call(level, job, plan, contexts, decision, permissions)
        return self._plan_steps(level, job, plan, contexts, decision)

    def _plan_steps(
        self,
        level: _Level,
        job: Job,
        plan: LegPlan,
        contexts: Mapping[str, Any],
        decision: Decision,
    ) -> LegPlan:
        environment = evaluate_environment(job.environment, contexts)
        if isinstance(environment, PlanFault):
            self._report(environment, "job-fails")
        doubt = _doubt_of(decision)
        runs_on = self._evaluate(job.runs_on, contexts, "runs-on")
        runner = foresee_runner(runs_on, self._knowledge.runner)
        steps = StepPlanner(level.workflow, job, {**contexts, "runner": runner}).plan()
        return replace(
            plan,
            runs_on=_list_labels(runs_on),
            place=foresee_place(
                runs_on,
                foresee_image(job.container, contexts),
                self._knowledge.places,
                self._knowledge.find_default_place,
            ),
            environment=UNKNOWN if isinstance(environment, PlanFault) else environment,
            steps=tuple(
                replace(step, decision=_with_doubt(step.decision, doubt)) for step in steps
            ),
        )

    def _plan_call(
        self,
        level: _Level,
        job: CallJob,
        plan: LegPlan,
        contexts: Mapping[str, Any],
        decision: Decision,
        permissions: Mapping[str, PermissionLevel],
    ) -> LegPlan:
        """Plan the workflow a leg calls; one of another repository has no jobs here."""
        called = job.called
        if called is None:
            return replace(plan, inputs={})
        inputs: Any = evaluate_inputs(job, called, caller=contexts, defaults=level.contexts)
        if isinstance(inputs, PlanFault):
            self._report(inputs, "job-fails")
            inputs = dict.fromkeys(called.triggers.call_inputs, UNKNOWN)
        inner = _Level(
            workflow=called,
            contexts={**level.contexts, "inputs": inputs},
            prefix=f"{plan.key} / ",
            name_prefix=f"{plan.name} / ",
            doubt=_doubt_of(decision),
            ceiling=permissions,
        )
        return replace(plan, inputs=inputs, jobs=tuple(self._plan_jobs(inner)))

    def _name_leg(self, job: AnyJob, leg: Leg, contexts: Mapping[str, Any]) -> str:
        if not has_computed_name(job):
            return leg.name
        name = self._evaluate(job.name, contexts, "name")
        return source_of(job.name) if isinstance(name, Unknown) else to_text(name) or leg.name

    def _evaluate(self, token: Token | None, contexts: Mapping[str, Any], key: str) -> Any:
        """Evaluate a key; a fault is reported and leaves it UNKNOWN."""
        if token is None:
            return None
        if isinstance(token, StringToken):
            return token.value
        value = evaluate_token_partial(token, contexts)
        if isinstance(value, TemplateFault):
            self._report(PlanFault(value.fault.message, value.span), f"{key}-fails")
            return UNKNOWN
        return value

    def _name_group(self, token: Token | None, contexts: Mapping[str, Any]) -> Any:
        if token is None:
            return None
        concurrency = evaluate_concurrency(token, contexts)
        if isinstance(concurrency, PlanFault):
            self._report(concurrency, "concurrency-fails")
            return UNKNOWN
        return UNKNOWN if isinstance(concurrency, Unknown) else concurrency.group

    def _report(self, fault: PlanFault, code: str) -> None:
        """Keep a mistake once, however many legs meet it."""
        finding = Diagnostic(code=code, message=fault.message, span=fault.span)
        if finding not in self._problems:
            self._problems.append(finding)


def _foresee_needs(job: AnyJob, decisions: Mapping[str, Decision]) -> dict[str, Any]:
    """Return the `needs` context: known only for jobs that are skipped for certain."""
    if not job.needs:
        return {}
    skipped = {fold(id_) for id_, found in decisions.items() if found.verdict is Verdict.SKIP}
    return {
        need.value: {"result": "skipped", "outputs": {}} if fold(need.value) in skipped else UNKNOWN
        for need in job.needs
    }


def _with_doubt(decision: Decision, doubt: Decision | None) -> Decision:
    """Return a decision within something that may not run: it cannot be surer than that."""
    if doubt is None or decision.verdict is Verdict.SKIP:
        return decision
    return doubt


def _doubt_of(decision: Decision) -> Decision | None:
    """Return what the decision about a job that is not skipped means for all that is in it."""
    if decision.verdict is Verdict.RUN:
        return None
    return Decision(Verdict.UNKNOWN, "whether its job runs is not known yet")


def _unexpanded(job: AnyJob) -> tuple[Leg, ...]:
    """Return the one leg that stands for a job whose legs are not known yet."""
    unknown: Any = UNKNOWN
    return (Leg(key=job.id, name=job_label(job), matrix=unknown, strategy=unknown),)


def _list_labels(value: Any) -> Any:
    """Return `runs-on` as a list of labels; a mapping and UNKNOWN stay what they are."""
    return [value] if isinstance(value, str) else value
