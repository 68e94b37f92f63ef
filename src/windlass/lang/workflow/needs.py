"""Whether the jobs of a workflow can all start, given what each needs.

Source: actions/languageservices, workflow-parser/src/model/converter/jobs.ts; ids are compared
without regard to case, as in actions/runner, Conversion/WorkflowTemplateConverter.cs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.casing import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from windlass.lang.positions import Span
    from windlass.lang.problems import Problems
    from windlass.lang.tokens import StringToken
    from windlass.lang.workflow.model import AnyJob


def check_needs(problems: Problems, span: Span, jobs: Sequence[AnyJob]) -> None:
    """Record needs that name no job or form a cycle; `span` is that of all jobs."""
    waiting = {fold(job.id): {fold(need.value) for need in job.needs} for job in jobs}
    known = frozenset(waiting)
    ready = [id_ for id_, needs in waiting.items() if not needs]
    if not ready:
        problems.add(
            "no-start-job",
            "The workflow must contain at least one job with no dependencies.",
            span,
        )
        return
    _start_all(waiting, ready)
    for job in jobs:
        for need in job.needs:
            if fold(need.value) in waiting.get(fold(job.id), ()):
                _report(problems, job, need, is_known=fold(need.value) in known)


def _start_all(waiting: dict[str, set[str]], ready: list[str]) -> None:
    """Take out who can start, one after the other; what is left waits for what never ends."""
    waiting_for: dict[str, list[str]] = {}
    for id_, needs in waiting.items():
        for need in needs:
            waiting_for.setdefault(need, []).append(id_)
    while ready:
        done = ready.pop()
        del waiting[done]
        for id_ in waiting_for.get(done, ()):
            waiting[id_].discard(done)
            if not waiting[id_]:
                ready.append(id_)


def _report(problems: Problems, job: AnyJob, need: StringToken, *, is_known: bool) -> None:
    if is_known:
        message = (
            f"Job '{job.id}' depends on job '{need.value}' which creates a cycle in the "
            "dependency graph."
        )
        problems.add("needs-cycle", message, need.span)
    else:
        message = f"Job '{job.id}' depends on unknown job '{need.value}'."
        problems.add("needs-unknown", message, need.span)
