"""What GitHub's server refuses in a workflow although its parser lets it pass.

Sources: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#using-filters;
the messages are those of github.com, whose code is not public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Diagnostic
from windlass.lang.workflow.model import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.workflow.model import Workflow


def find_refusals(workflow: Workflow) -> Iterator[Diagnostic]:
    """Yield why GitHub would not start anything of a workflow that could be read."""
    for event in workflow.triggers.events.values():
        pairs = (
            ("branches", event.branches, event.branches_ignore),
            ("tags", event.tags, event.tags_ignore),
            ("paths", event.paths, event.paths_ignore),
        )
        for name, wanted, ignored in pairs:
            if wanted is not None and ignored is not None:
                yield Diagnostic(
                    code="filter-pair",
                    message=f"you may only define one of `{name}` and `{name}-ignore` "
                    "for a single event",
                    span=event.span,
                    hint=f"Use `{name}` with `!` patterns for the exceptions.",
                )
    for job in workflow.jobs:
        if isinstance(job, Job) and not job.steps:
            yield Diagnostic(
                code="no-steps",
                message="No steps defined in `steps` and no workflow called in `uses` for the "
                f"following jobs: {job.id}",
                span=job.span,
                hint="Add `steps:`, or call a workflow with `uses:`.",
            )
