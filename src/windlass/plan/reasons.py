"""The sentence that tells why a job or a step runs, and the values behind it.

A status function has its own evidence, which depends on the situation; a `Teller` puts it in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windlass.lang.expressions import Unknown, kind_of, to_text, truthiness
from windlass.model.status import Result
from windlass.plan.decision import Decision, Verdict
from windlass.plan.predecessors import select_named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from windlass.lang.expressions import Trace
    from windlass.lang.workflow.model import Condition
    from windlass.plan.predecessors import Ancestry, Outlook

    Teller = Callable[[Trace], str]

PLAIN: Final = "success()"
STATUS_FUNCTIONS: Final = ("success", "failure", "always", "cancelled")
_ENDINGS: Final = {
    Result.SUCCESS: "succeeded",
    Result.FAILURE: "failed",
    Result.CANCELLED: "was cancelled",
    Result.SKIPPED: "was skipped",
}
_MAX_SHOWN: Final = 100
_MAX_NAMES: Final = 3


def conclude(condition: Condition, trace: Trace, tell: Teller) -> Decision:
    """Turn a trace into a verdict and a sentence about the part that decided it."""
    truth = truthiness(trace.value)
    verdict = Verdict.UNKNOWN if truth is None else Verdict.RUN if truth else Verdict.SKIP
    reason = _why_unknown(trace, tell) if truth is None else _why(condition, trace, tell)
    return Decision(verdict, reason, condition.expression, values_of(condition, trace))


def values_of(condition: Condition, trace: Trace) -> tuple[tuple[str, Any], ...]:
    """Return the values a condition looked at, with those that its functions were given.

    The `success()` that GitHub adds is among them only where it keeps the condition from holding.
    """
    values = _values_in(trace)
    if values.get(PLAIN) is True and _has_implicit_success(condition):
        del values[PLAIN]
    return tuple(values.items())


# What status functions looked at


def tell_of_ancestry(ancestry: Ancestry) -> Teller:
    """Return what puts the status functions of a job in words."""

    def tell(call: Trace) -> str:
        results = select_named(ancestry.results, _names_in(call))
        if call.operator == "cancelled":
            return f"{_state(call)}: the run was {'' if ancestry.cancelled else 'not '}cancelled"
        if call.operator == "success" and not call.value:
            return why_unsuccessful(ancestry, results)
        if call.operator == "failure" and call.value:
            job = next((id_ for id_, result in results.items() if result is Result.FAILURE), None)
            return f"{_state(call)}: job '{job or (ancestry.failed or ('',))[0]}' failed"
        if call.operator == "always":
            return _state(call)
        return f"{_state(call)}: {_summarise(results)}"

    return tell


def tell_of_status(status: Result) -> Teller:
    """Return what puts the status functions of a step in words."""

    def tell(call: Trace) -> str:
        if call.operator == "success" and not call.value:
            return why_stopped(status)
        if call.operator == "always":
            return _state(call)
        if call.operator == "cancelled":
            happened = "the job was cancelled" if call.value else "the job was not cancelled"
        else:
            happened = "no step before it failed"
            if status is not Result.SUCCESS:
                happened = why_stopped(status)
        return f"{_state(call)}: {happened}"

    return tell


def tell_of_outlook(outlook: Outlook) -> Teller:
    """Return what puts the status functions of a plan in words."""

    def tell(call: Trace) -> str:
        verdicts = select_named(outlook.verdicts, _names_in(call))
        if call.operator == "success" and call.value is not True:
            return find_obstacle(verdicts)
        if call.operator == "always":
            return _state(call)
        if call.operator == "cancelled":
            return f"{_state(call)} unless somebody cancels the run"
        if not verdicts:
            return f"{_state(call)}: nothing comes before it"
        if call.operator == "failure":
            if set(verdicts.values()) == {Verdict.SKIP}:
                are = "is" if len(verdicts) == 1 else "are"
                return f"{_state(call)}: {_shorten(list(verdicts))} {are} skipped"
            return f"{_state(call)} unless something before it fails"
        return why_hopeful(outlook, _names_in(call))

    return tell


def why_hopeful(outlook: Outlook, names: Sequence[Any] = ()) -> str:
    """Say on what a plan counts where it expects success."""
    if not outlook.strict:
        return "unless a step before it fails"
    needs = [to_text(name) for name in names] or outlook.needs
    return f"once {enumerate_names(needs)} succeeded"


def why_unsuccessful(ancestry: Ancestry, results: Mapping[str, Result] | None = None) -> str:
    """Say why `success()` of a job does not hold; `results` are those of the jobs it names."""
    if ancestry.cancelled:
        return "the run was cancelled"
    named = (results or {}).items()
    found = next(((id_, result) for id_, result in named if result is not Result.SUCCESS), None)
    job, result = found or ancestry.unsuccessful or ("", Result.FAILURE)
    return f"job '{job}' ended with {result.value}"


def why_stopped(status: Result) -> str:
    """Say why `success()` of a step does not hold."""
    if status is Result.CANCELLED:
        return "the job was cancelled"
    return "a step before it failed"


def find_obstacle(verdicts: Mapping[str, Verdict]) -> str:
    """Say why a plan cannot count on success: something before is skipped, or not yet decided."""
    for name, verdict in verdicts.items():
        if verdict is Verdict.SKIP:
            return f"job '{name}' is skipped"
    for name, verdict in verdicts.items():
        if verdict is Verdict.UNKNOWN:
            return f"whether job '{name}' runs is not known yet"
    return "it depends on results still to come"


def enumerate_names(names: Sequence[str]) -> str:
    """Join names as in a sentence: `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


# The sentence


def _why(condition: Condition, trace: Trace, tell: Teller) -> str:
    """Say what the deciding part was: itself, and the values it was made from."""
    deciding = trace.deciding()
    if deciding.operator in STATUS_FUNCTIONS:
        return tell(deciding)
    if deciding.is_constant:
        return f"its condition is always {'true' if truthiness(trace.value) else 'false'}"
    if deciding.operator == "&&":
        deciding = trace
    written = _without_braces(condition.source or condition.expression)
    expression = written if deciding is trace else deciding.expression
    found = ", ".join(
        f"{name} is {_show(value)}"
        for name, value in _values_in(deciding).items()
        if name not in (expression, deciding.expression)
        and not name.startswith(("success(", "always("))
    )
    return f"{expression} is {_show(deciding.value)}" + (f" ({found})" if found else "")


def _why_unknown(trace: Trace, tell: Teller) -> str:
    deciding = trace.deciding()
    if deciding.operator in STATUS_FUNCTIONS:
        return tell(deciding)
    names = [name for name, value in _values_in(trace).items() if isinstance(value, Unknown)]
    return f"it depends on {enumerate_names(names or ['results still to come'])}"


def _summarise(results: Mapping[str, Result]) -> str:
    """Group jobs by how they ended: `a and b succeeded, c was skipped`."""
    if not results:
        return "it needs no job"
    groups: dict[Result, list[str]] = {}
    for job, result in results.items():
        groups.setdefault(result, []).append(job)
    return ", ".join(f"{_shorten(jobs)} {_ENDINGS[result]}" for result, jobs in groups.items())


def _shorten(names: list[str]) -> str:
    more = len(names) - _MAX_NAMES
    shown = names if more <= 1 else [*names[:_MAX_NAMES], f"{more} more"]
    return enumerate_names(shown)


def _names_in(call: Trace) -> list[Any]:
    return [part.value for part in call.parts]


def _values_in(trace: Trace) -> dict[str, Any]:
    found = dict(trace.values())
    pending = [trace]
    while pending:
        current = pending.pop()
        pending.extend(reversed(current.parts))
        if not current.parts and not current.operator and not current.is_constant:
            found.setdefault(current.expression, current.value)
    return found


def _has_implicit_success(condition: Condition) -> bool:
    """Say whether the reader put `success() && (…)` around what was written."""
    if condition.source is None or not condition.expression.startswith(f"{PLAIN} && ("):
        return False
    return not _without_braces(condition.source).lower().startswith("success")


def _without_braces(source: str) -> str:
    text = source.strip()
    inner = text.removeprefix("${{").removesuffix("}}")
    is_one = len(inner) == len(text) - len("${{}}") and "}}" not in inner
    return inner.strip() if is_one else text


def _state(call: Trace) -> str:
    return f"{call.expression} is {_show(call.value)}"


def _show(value: Any) -> str:
    """Show a value in one short line, strings as in an expression."""
    if isinstance(value, Unknown):
        return {None: "not known yet", True: "true", False: "false"}[value.truthiness]
    kind = kind_of(value)
    if kind == "String":
        text = "'" + str(value).replace("'", "''") + "'"
    elif kind in ("Array", "Object"):
        return f"an {kind.lower()}" if value else f"an empty {kind.lower()}"
    else:
        text = "null" if value is None else to_text(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
