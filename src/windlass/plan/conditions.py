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

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from windlass.lang.expressions import (
    UNKNOWN,
    Fault,
    FunctionInfo,
    Trace,
    Unknown,
    compile_expression,
    is_truthy,
    kind_of,
    to_text,
)
from windlass.model.status import Result
from windlass.plan.decision import Decision, Verdict
from windlass.plan.faults import PlanFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from windlass.lang.expressions import Value
    from windlass.lang.workflow.model import Condition

    Functions = Mapping[str, Callable[[Sequence[Any]], Any]]

PLAIN: Final = "success()"
JOB_CONTEXTS: Final = frozenset({"github", "inputs", "vars", "needs"})
STEP_CONTEXTS: Final = frozenset(
    {"github", "inputs", "vars", "needs", "strategy", "matrix", "steps", "job", "runner", "env"}
)
_STATUS_NAMES: Final = ("success", "failure", "always", "cancelled")
_MAX_SHOWN: Final = 100

_JOB_FUNCTIONS: Final = {
    "always": FunctionInfo(0, 0),
    "cancelled": FunctionInfo(0, 0),
    "failure": FunctionInfo(0, None),
    "success": FunctionInfo(0, None),
}
_STEP_FUNCTIONS: Final = {
    **{name: FunctionInfo(0, 0) for name in _STATUS_NAMES},
    "hashFiles": FunctionInfo(1, 255),
}


@dataclass(frozen=True, slots=True)
class Ancestry:
    """How everything that a job needs, directly or not, has ended.

    `unsuccessful` and `failed` are the first ancestor that did not succeed and the first that
    failed, each as (job id, result), or None where there is no such ancestor: a run carries them
    from job to job. `cancelled` says that the run was cancelled. `results` are those of the jobs
    that `success('id')` may name.
    """

    unsuccessful: tuple[str, Result] | None = None
    failed: tuple[str, Result] | None = None
    cancelled: bool = False
    results: Mapping[str, Result] = field(default_factory=dict)


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
        return Decision(Verdict.SKIP, _why_unsuccessful(ancestry), PLAIN, ((PLAIN, False),))
    trace = _explain(condition, contexts, JOB_CONTEXTS, _JOB_FUNCTIONS, _job_functions(ancestry))
    if isinstance(trace, PlanFault):
        return trace
    return _conclude(condition, trace, _why_unsuccessful(ancestry))


def decide_step(
    condition: Condition,
    contexts: Mapping[str, Value],
    status: Result,
    functions: Functions | None = None,
) -> Decision | PlanFault:
    """Decide whether a step runs; `status` is that of the job so far (never SKIPPED).

    `functions` holds `hashFiles` where the workspace can be looked at. A fault means that the step
    fails.
    """
    if condition.expression == PLAIN:
        if status is Result.SUCCESS:
            return Decision(Verdict.RUN, "no step before it failed", PLAIN)
        return Decision(Verdict.SKIP, _why_stopped(status), PLAIN, ((PLAIN, False),))
    known: Functions = {**_step_functions(status), **(functions or {})}
    trace = _explain(condition, contexts, STEP_CONTEXTS, _STEP_FUNCTIONS, known)
    if isinstance(trace, PlanFault):
        return trace
    return _conclude(condition, trace, _why_stopped(status))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a plan says of everything that comes before a job or a step, by id.

    The plan assumes that whatever runs succeeds and that nobody cancels the run; where a condition
    asks for the opposite, its verdict is UNKNOWN.
    `needs` are the direct ones among them. `strict` says that one which is skipped counts against
    success: it does for jobs, not for steps.
    """

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    strict: bool = True


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
    if _truth(trace) is False and _is_open(outlook):
        doubtful = _explain(condition, contexts, names, infos, _doubtful_functions(outlook))
        if isinstance(doubtful, PlanFault):
            return doubtful
        if _truth(doubtful) is not False:
            reason = "it runs only where something before it does not succeed"
            return Decision(Verdict.UNKNOWN, reason, condition.expression, _values_of(doubtful))
    return _conclude(condition, trace, _find_obstacle(outlook))


def _forecast_plainly(outlook: Outlook) -> Decision:
    """Decide for the condition that everything has without an `if`."""
    verdicts = outlook.verdicts
    if not verdicts:
        return Decision(Verdict.RUN, "it has no condition", PLAIN)
    if not outlook.strict:
        return Decision(Verdict.RUN, "unless a step before it fails", PLAIN)
    for verdict in (Verdict.SKIP, Verdict.UNKNOWN):
        if verdict in verdicts.values():
            return Decision(verdict, _find_obstacle(outlook), PLAIN)
    return Decision(Verdict.RUN, f"once {_enumerate(outlook.needs)} succeeded", PLAIN)


def _is_open(outlook: Outlook) -> bool:
    return any(verdict is not Verdict.SKIP for verdict in outlook.verdicts.values())


def _hopeful_functions(outlook: Outlook) -> Functions:
    """Return the status functions for a run in which whatever is planned succeeds."""

    def success(names: Sequence[Any]) -> Any:
        verdicts = _named(outlook.verdicts, names)
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
        verdicts = _named(outlook.verdicts, names)
        return False if outlook.strict and Verdict.SKIP in verdicts else UNKNOWN

    return {
        "success": success,
        "failure": lambda _: UNKNOWN,
        "cancelled": lambda _: UNKNOWN,
        "always": lambda _: True,
    }


def _named(known: Mapping[str, Any], names: Sequence[Any]) -> list[Any]:
    """Return the entries a status function is about: the named ones, or all where none is named."""
    if not names:
        return list(known.values())
    wanted = {to_text(name).upper() for name in names}
    return [value for name, value in known.items() if name.upper() in wanted]


def _job_functions(ancestry: Ancestry) -> Functions:
    def success(names: Sequence[Any]) -> bool:
        if names:
            results = _named(ancestry.results, names)
            return not ancestry.cancelled and all(result is Result.SUCCESS for result in results)
        return not ancestry.cancelled and ancestry.unsuccessful is None

    def failure(names: Sequence[Any]) -> bool:
        if names:
            return Result.FAILURE in _named(ancestry.results, names)
        return ancestry.failed is not None

    return {
        "success": success,
        "failure": failure,
        "cancelled": lambda _: ancestry.cancelled,
        "always": lambda _: True,
    }


def _step_functions(status: Result) -> Functions:
    return {
        "success": lambda _: status is Result.SUCCESS,
        "failure": lambda _: status is Result.FAILURE,
        "cancelled": lambda _: status is Result.CANCELLED,
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


def _conclude(condition: Condition, trace: Trace, obstacle: str) -> Decision:
    """Turn a trace into a verdict and a sentence about the part that decided it.

    `obstacle` is why `success()` does not hold, where it does not.
    """
    truth = _truth(trace)
    verdict = Verdict.UNKNOWN if truth is None else Verdict.RUN if truth else Verdict.SKIP
    values = _values_of(trace)
    deciding = trace.deciding()
    if truth is False and deciding.operator == "success":
        reason = obstacle
    elif truth is None:
        reason = _why_unknown(values, obstacle)
    else:
        reason = _why(condition, trace if deciding.operator == "&&" else deciding, trace)
    return Decision(verdict, reason, condition.expression, values)


def _truth(trace: Trace) -> bool | None:
    value = trace.value
    return value.truthiness if isinstance(value, Unknown) else is_truthy(value)


def _why(condition: Condition, deciding: Trace, whole: Trace) -> str:
    """Say what the deciding part was: itself, and the values it was made from."""
    written = condition.source or condition.expression
    expression = written if deciding is whole else deciding.expression
    found = ", ".join(
        f"{name} is {_show(value)}"
        for name, value in _values_of(deciding)
        if name != deciding.expression and not name.startswith("success(")
    )
    return f"{expression} is {_show(deciding.value)}" + (f" ({found})" if found else "")


def _values_of(trace: Trace) -> tuple[tuple[str, Any], ...]:
    """Return the values a condition looked at, with those that its functions were given."""
    found = dict(trace.values())
    pending = [trace]
    while pending:
        current = pending.pop()
        pending.extend(reversed(current.parts))
        if not current.parts and not current.operator and not current.is_constant:
            found.setdefault(current.expression, current.value)
    return tuple(found.items())


def _why_unknown(values: Sequence[tuple[str, Any]], obstacle: str) -> str:
    names = [name for name, value in values if isinstance(value, Unknown)]
    if not names or names[0].startswith("success("):
        return obstacle
    return f"it depends on {_enumerate(names)}"


def _why_unsuccessful(ancestry: Ancestry) -> str:
    if ancestry.cancelled:
        return "the run was cancelled"
    if ancestry.unsuccessful is None:
        return "everything it needs succeeded"
    job, result = ancestry.unsuccessful
    return f"job '{job}' ended with {result.value}"


def _why_stopped(status: Result) -> str:
    if status is Result.CANCELLED:
        return "the job was cancelled"
    return "a step before it failed"


def _find_obstacle(outlook: Outlook) -> str:
    """Say why a plan cannot count on success: something before is skipped, or not yet decided."""
    for name, verdict in outlook.verdicts.items():
        if verdict is Verdict.SKIP:
            return f"job '{name}' is skipped"
    for name, verdict in outlook.verdicts.items():
        if verdict is Verdict.UNKNOWN:
            return f"whether job '{name}' runs is not known yet"
    return "it depends on results still to come"


def _enumerate(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _show(value: Any) -> str:
    """Show a value in one short line, strings as in an expression."""
    if isinstance(value, Unknown):
        return "not known yet"
    kind = kind_of(value)
    if kind == "String":
        text = "'" + str(value).replace("'", "''") + "'"
    elif kind in ("Array", "Object"):
        return f"an {kind.lower()}"
    else:
        text = "null" if value is None else to_text(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
