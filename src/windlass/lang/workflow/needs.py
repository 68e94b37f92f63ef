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
    ready = [fold(job.id) for job in jobs if not job.needs]
    waiting = [(job, list(job.needs)) for job in jobs if job.needs]
    if not ready:
        problems.add(
            "no-start-job",
            "The workflow must contain at least one job with no dependencies.",
            span,
        )
        return
    while ready and waiting:
        done = ready.pop(0)
        waiting = _without(done, waiting, ready)
    known = {fold(job.id) for job in jobs}
    for job, needs in waiting:
        for need in needs:
            _report(problems, job, need, is_known=fold(need.value) in known)


def _without(
    done: str, waiting: list[tuple[AnyJob, list[StringToken]]], ready: list[str]
) -> list[tuple[AnyJob, list[StringToken]]]:
    """Return who still waits once a job is done; who waits no more becomes ready."""
    still_waiting = []
    for job, needs in waiting:
        left = [need for need in needs if fold(need.value) != done]
        if left:
            still_waiting.append((job, left))
        else:
            ready.append(fold(job.id))
    return still_waiting


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
