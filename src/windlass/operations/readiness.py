"""Which of the workflows that an event starts may run, and what keeps the others from starting.

A mistake in the call stops everything. A mistake in a file stops the workflows that are made of
it and no other, as on GitHub, where a broken workflow is a failed run of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.lang.diagnostics import Diagnostic, Severity
from windlass.model.values import dataclass
from windlass.operations.support import find_obstacles
from windlass.plan.calls import find_called
from windlass.plan.decision import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from windlass.operations.plans import Planning
    from windlass.plan.plan import WorkflowPlan

_FAILS_IN_THE_RUN: Final = "-fails"
"""How the codes of faults end with which single jobs fail when their turn comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedWorkflow:
    """A workflow that is not started; `name` is its path where it could not be read."""

    path: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What may start and what may not, and everything that is to be said about it beforehand."""

    ready: tuple[WorkflowPlan, ...] = ()
    refused: tuple[RefusedWorkflow, ...] = ()
    diagnostics: tuple[Diagnostic, ...]


def judge(planning: Planning, event_name: str, places: Mapping[str, str]) -> Readiness:
    """Judge a planned event; `places` says by label where jobs run."""
    found = tuple(it for it in planning.diagnostics if not it.code.endswith(_FAILS_IN_THE_RUN))
    if planning.plan is None or any(map(_is_about_call, found)):
        return Readiness(diagnostics=found)
    started = [plan for plan in planning.plan.workflows if plan.decision.verdict is Verdict.RUN]
    obstacles = {plan.path: find_obstacles(planning, (plan,), places) for plan in started}
    faulty = {it.span.path for it in _errors(found) if it.span is not None}
    stopped = {path for path, them in obstacles.items() if any(_errors(them))}
    stopped |= {path for path, parts in _parts(planning) if not faulty.isdisjoint(parts)}
    refused = (
        *_name_unread(planning),
        *(RefusedWorkflow(path=it.path, name=it.name) for it in started if it.path in stopped),
    )
    met = dict.fromkeys((*found, *(it for them in obstacles.values() for it in them)))
    if not started and not refused:
        met[_warn_of_nothing(event_name)] = None
    ready = tuple(plan for plan in started if plan.path not in stopped)
    return Readiness(ready=ready, refused=refused, diagnostics=tuple(met))


def _errors(findings: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    return (it for it in findings if it.severity is Severity.ERROR)


def _is_about_call(finding: Diagnostic) -> bool:
    """Tell whether it is the command line that is wrong: it has no place in a file."""
    return finding.severity is Severity.ERROR and finding.span is None


def _parts(planning: Planning) -> Iterator[tuple[str, set[str]]]:
    """Yield every workflow's path, and the paths of the files that it is made of."""
    for workflow in planning.library.workflows:
        yield workflow.path, {workflow.path, *find_called(workflow)}


def _name_unread(planning: Planning) -> Iterator[RefusedWorkflow]:
    """Yield the files with errors: nobody knows which events they would have been for."""
    library = planning.library
    paths = [it.span.path for it in library.unreadable if it.span is not None]
    paths += [file.path for file in library.files if file.reading.workflow is None]
    return (RefusedWorkflow(path=path, name=path) for path in sorted(paths))


def _warn_of_nothing(event_name: str) -> Diagnostic:
    return Diagnostic(
        code="nothing-to-run",
        message=f"the event '{event_name}' starts no workflow",
        severity=Severity.WARNING,
        hint=f"`windlass plan {event_name}` says why each workflow is left out",
    )
