"""Which outputs of a job may leave it.

Source: actions/runner src/Runner.Worker/JobExtension.cs; for the limit
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idoutputs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.model.status import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.jobs.masking import Masker
    from windlass.jobs.reports import JobReporter

LIMIT_BYTES = 1 << 20
"""What the outputs of one job may measure, counted as GitHub counts: in UTF-16."""


def release_outputs(
    outputs: Mapping[str, str], result: Result, masker: Masker, reporter: JobReporter
) -> tuple[Result, dict[str, str]]:
    """Return the job's result and the outputs that hold no secret and are not too large.

    An output with a secret in it is left out with a warning. Outputs over the limit fail the job.
    """
    released: dict[str, str] = {}
    for name, value in outputs.items():
        if masker.mask_text(value) == value:
            released[name] = value
        else:
            reporter.annotate("warning", f"Skip output '{name}' since it may contain secret.")
    size = sum(2 * (len(name) + len(value)) for name, value in released.items())
    if size > LIMIT_BYTES:
        reporter.annotate(
            "error",
            f"The outputs of a job may measure {LIMIT_BYTES >> 10} KiB (in UTF-16), these measure "
            f"{size >> 10} KiB. Hand large things on as an artifact.",
        )
        return (Result.FAILURE if result is Result.SUCCESS else result), {}
    return result, released


def release_url(url: str, environment: str, masker: Masker, reporter: JobReporter) -> str:
    """Return the address of a deployment; one with a secret in it is left out with a warning."""
    if masker.mask_text(url) == url:
        return url
    reporter.annotate(
        "warning",
        f"Skip setting environment url as environment '{environment}' may contain secret.",
    )
    return ""
