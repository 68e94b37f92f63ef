"""Whether a job or a step runs, decided with evidence.

Two situations ask: a run, where every result an `if` may look at is known (`decide_job`,
`decide_step`), and a plan, where results are still to come (`forecast`).

Status functions of a job look at all its ancestors, not at its direct needs alone: `success()`
holds where every ancestor succeeded, `failure()` where one failed, `cancelled()` where the run was
cancelled; `success('a', 'b')` looks at the named jobs only. Those of a step look at the job so far.
Sources: https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#status-check-functions
and actions/runner src/Runner.Worker/Expressions/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.lang.expressions import (
    UNKNOWN,
    Fault,
    FunctionInfo,
    compile_expression,
    truthiness,
)
from windlass.model.status import Result
from windlass.plan.decision import Decision, Verdict
from windlass.plan.faults import PlanFault
from windlass.plan.predecessors import Ancestry, select_named
from windlass.plan.reasons import (
    PLAIN,
    STATUS_FUNCTIONS,
    conclude,
    find_obstacle,
    tell_of_ancestry,
    tell_of_outlook,
    tell_of_status,
    values_of,
    why_hopeful,
    why_stopped,
    why_unsuccessful,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from windlass.lang.expressions import Trace, Value
    from windlass.lang.workflow.model import Condition
    from windlass.plan.predecessors import Outlook

    Functions = Mapping[str, Callable[[Sequence[Any]], Any]]

JOB_CONTEXTS: Final = frozenset({"github", "inputs", "vars", "needs"})
STEP_CONTEXTS: Final = frozenset(
    {"github", "inputs", "vars", "needs", "strategy", "matrix", "steps", "job", "runner", "env"}
)

_JOB_FUNCTIONS: Final = {
    "always": FunctionInfo(0, 0),
    "cancelled": FunctionInfo(0, 0),
    "failure": FunctionInfo(0, None),
    "success": FunctionInfo(0, None),
}
_STEP_FUNCTIONS: Final = {
    **{name: FunctionInfo(0, 0) for name in STATUS_FUNCTIONS},
    "hashFiles": FunctionInfo(1, 255),
}


_ALL_WELL: Final = Ancestry()
_RUNS_PLAINLY: Final = Decision(Verdict.RUN, "everything it needs succeeded", PLAIN)


def decide_job(
    condition: Condition, contexts: Mapping[str, Value], ancestry: Ancestry = _ALL_WELL
) -> Decision | PlanFault:
    """Decide whether a job runs, once everything it needs has ended.

    `contexts` holds github, needs, vars and inputs. A fault means that the job fails.
    """
    if condition.expression == PLAIN:
        if ancestry.unsuccessful is None and not ancestry.cancelled:
            return _RUNS_PLAINLY
        return Decision(Verdict.SKIP, why_unsuccessful(ancestry), PLAIN, ((PLAIN, False),))
    trace = _explain(condition, contexts, JOB_CONTEXTS, _JOB_FUNCTIONS, _job_functions(ancestry))
    if isinstance(trace, PlanFault):
        return trace
    return conclude(condition, trace, tell_of_ancestry(ancestry))


def decide_step(
    condition: Condition,
    contexts: Mapping[str, Value],
    status: Result,
    functions: Functions | None = None,
    *,
    cancelled: bool | None = None,
) -> Decision | PlanFault:
    """Decide whether a step runs; `status` is that of the job so far (never SKIPPED).

    In the main stage of a composite action `status` is that of the action, and `cancelled` says
    whether the job was cancelled: `cancelled()` always asks for that. `functions` holds `hashFiles`
    where the workspace can be looked at. A fault means that the step fails.
    """
    if condition.expression == PLAIN:
        if status is Result.SUCCESS:
            return Decision(Verdict.RUN, "no step before it failed", PLAIN)
        return Decision(Verdict.SKIP, why_stopped(status), PLAIN, ((PLAIN, False),))
    is_cancelled = status is Result.CANCELLED if cancelled is None else cancelled
    known: Functions = {**_step_functions(status, cancelled=is_cancelled), **(functions or {})}
    trace = _explain(condition, contexts, STEP_CONTEXTS, _STEP_FUNCTIONS, known)
    if isinstance(trace, PlanFault):
        return trace
    return conclude(condition, trace, tell_of_status(status))


def forecast_job(
    condition: Condition, contexts: Mapping[str, Value], outlook: Outlook
) -> Decision | PlanFault:
    """Decide what a plan can say of a job: UNKNOWN where it depends on a result still to come."""
    return _forecast(condition, contexts, outlook, JOB_CONTEXTS, _JOB_FUNCTIONS)


def forecast_step(
    condition: Condition, contexts: Mapping[str, Value], outlook: Outlook
) -> Decision | PlanFault:
    """Decide what a plan can say of a step: UNKNOWN where it depends on a result still to come."""
    return _forecast(condition, contexts, outlook, STEP_CONTEXTS, _STEP_FUNCTIONS)


def _forecast(
    condition: Condition,
    contexts: Mapping[str, Value],
    outlook: Outlook,
    names: frozenset[str],
    infos: Mapping[str, FunctionInfo],
) -> Decision | PlanFault:
    if condition.expression == PLAIN:
        return _forecast_plainly(outlook)
    trace = _explain(condition, contexts, names, infos, _hopeful_functions(outlook))
    if isinstance(trace, PlanFault):
        return trace
    if truthiness(trace.value) is False and _is_open(outlook):
        doubtful = _explain(condition, contexts, names, infos, _doubtful_functions(outlook))
        if isinstance(doubtful, PlanFault):
            return doubtful
        if truthiness(doubtful.value) is not False:
            reason = "it runs only where something before it does not succeed"
            return Decision(
                Verdict.UNKNOWN, reason, condition.expression, values_of(condition, doubtful)
            )
    return conclude(condition, trace, tell_of_outlook(outlook))


def _forecast_plainly(outlook: Outlook) -> Decision:
    """Decide for the condition that everything has without an `if`."""
    verdicts = outlook.verdicts
    if not verdicts:
        return Decision(Verdict.RUN, "it has no condition", PLAIN)
    if not outlook.strict:
        return Decision(Verdict.RUN, why_hopeful(outlook), PLAIN)
    for verdict in (Verdict.SKIP, Verdict.UNKNOWN):
        if verdict in verdicts.values():
            return Decision(verdict, find_obstacle(verdicts), PLAIN)
    return Decision(Verdict.RUN, why_hopeful(outlook), PLAIN)


def _is_open(outlook: Outlook) -> bool:
    return any(verdict is not Verdict.SKIP for verdict in outlook.verdicts.values())


def _hopeful_functions(outlook: Outlook) -> Functions:
    """Return the status functions for a run in which whatever is planned succeeds."""

    def success(names: Sequence[Any]) -> Any:
        verdicts = select_named(outlook.verdicts, names).values()
        if outlook.strict and Verdict.SKIP in verdicts:
            return False
        return UNKNOWN if outlook.strict and Verdict.UNKNOWN in verdicts else True

    return {
        "success": success,
        "failure": lambda _: False,
        "cancelled": lambda _: False,
        "always": lambda _: True,
    }


def _doubtful_functions(outlook: Outlook) -> Functions:
    """Return the status functions for a run in which anything may still go wrong."""

    def success(names: Sequence[Any]) -> Any:
        verdicts = select_named(outlook.verdicts, names).values()
        return False if outlook.strict and Verdict.SKIP in verdicts else UNKNOWN

    def failure(names: Sequence[Any]) -> Any:
        verdicts = select_named(outlook.verdicts, names).values()
        return UNKNOWN if any(verdict is not Verdict.SKIP for verdict in verdicts) else False

    return {
        "success": success,
        "failure": failure,
        "cancelled": lambda _: UNKNOWN,
        "always": lambda _: True,
    }


def _job_functions(ancestry: Ancestry) -> Functions:
    def success(names: Sequence[Any]) -> bool:
        if names:
            results = select_named(ancestry.results, names).values()
            return not ancestry.cancelled and all(result is Result.SUCCESS for result in results)
        return not ancestry.cancelled and ancestry.unsuccessful is None

    def failure(names: Sequence[Any]) -> bool:
        if names:
            return Result.FAILURE in select_named(ancestry.results, names).values()
        return ancestry.failed is not None

    return {
        "success": success,
        "failure": failure,
        "cancelled": lambda _: ancestry.cancelled,
        "always": lambda _: True,
    }


def _step_functions(status: Result, *, cancelled: bool) -> Functions:
    return {
        "success": lambda _: status is Result.SUCCESS,
        "failure": lambda _: status is Result.FAILURE,
        "cancelled": lambda _: cancelled,
        "always": lambda _: True,
    }


def _explain(
    condition: Condition,
    contexts: Mapping[str, Value],
    names: frozenset[str],
    infos: Mapping[str, FunctionInfo],
    functions: Functions,
) -> Trace | PlanFault:
    compiled = compile_expression(condition.expression, contexts=names, functions=infos)
    trace = compiled if isinstance(compiled, Fault) else compiled.explain(contexts, functions)
    if not isinstance(trace, Fault):
        return trace
    shown = condition.source if condition.source is not None else condition.expression
    message = f"The `if` condition '{shown}' cannot be evaluated: {trace.message}"
    return PlanFault(message, condition.span)
