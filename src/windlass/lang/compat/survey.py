"""Which features of the table a workflow uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.compat.feature import Feature, FeatureUse, Verdict
from windlass.lang.compat.features import all_features, refused_features
from windlass.lang.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from windlass.lang.compat.feature import Use
    from windlass.lang.workflow.model import Workflow

_HINTS = {
    "foreign-runner": "run the other legs with `--matrix KEY=VALUE`, or another job with `-j JOB`",
}
_DEFAULT_HINT = "run the jobs that do not need it with `-j JOB`; `windlass compat` lists all uses"


def find_unsupported(
    workflow: Workflow, *, jobs: Collection[str] | None = None
) -> tuple[Diagnostic, ...]:
    """Return what keeps a workflow from being run, one error for each place.

    `jobs` limits the search to the jobs with these ids; None means all of them.
    """
    found = (
        _refusal(feature, use)
        for feature in refused_features()
        for use in _uses(feature, workflow, jobs)
    )
    return tuple(sorted(found, key=_place))


def survey(workflow: Workflow) -> tuple[FeatureUse, ...]:
    """Return every use of a feature that is refused or differs, in the table's order."""
    return tuple(
        FeatureUse(feature, use)
        for feature in all_features()
        for use in _uses(feature, workflow, None)
    )


def describe(found: FeatureUse) -> Diagnostic:
    """Return a use as a finding: an error where it is refused, else a notice."""
    if found.feature.verdict is Verdict.REFUSED:
        return _refusal(found.feature, found.use)
    return Diagnostic(
        code=f"differs-{found.feature.id}",
        message=f"{found.use.subject}: {found.feature.windlass}{_tell_tried(found.use)}",
        severity=Severity.NOTICE,
        span=found.use.span,
        hint=f"GitHub: {found.feature.github}",
    )


def _tell_tried(use: Use) -> str:
    return f" As published, {use.remark}." if use.remark else ""


def _uses(feature: Feature, workflow: Workflow, jobs: Collection[str] | None) -> Iterator[Use]:
    if feature.detect is not None:
        yield from feature.detect(workflow)
    if feature.detect_in_job is not None:
        for job in workflow.jobs:
            if jobs is None or job.id in jobs:
                yield from feature.detect_in_job(job)


def _refusal(feature: Feature, use: Use) -> Diagnostic:
    return Diagnostic(
        code=f"unsupported-{feature.id}",
        message=f"{use.subject} is not supported yet: {feature.windlass}",
        span=use.span,
        hint=_HINTS.get(feature.id, _DEFAULT_HINT),
    )


def _place(diagnostic: Diagnostic) -> tuple[int, int]:
    start = diagnostic.span.start if diagnostic.span else None
    return (start.line, start.column) if start else (0, 0)
