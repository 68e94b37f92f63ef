"""What is foreseen of a job from its workflow alone."""

from __future__ import annotations

import pytest

from windlass.jobs.job_needs import checks_out_plainly
from windlass.lang.workflow.model import Job
from windlass.lang.workflow.reading import read_workflow


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("uses: actions/checkout@v4", True),
        ("uses: Actions/Checkout@v4", True),
        (
            "{uses: actions/checkout@v4, with: {fetch-depth: 0, path: x, token: '${{ env.A }}'}}",
            True,
        ),
        ("{uses: actions/checkout@v4, with: {}}", True),
        ("{uses: actions/checkout@v4, with: {Ref: v1}}", False),
        ("{uses: actions/checkout@v4, with: {repository: octo/other}}", False),
        ("{uses: actions/checkout@v4, with: {sparse-checkout: src}}", False),
        ("{uses: actions/checkout@v4, with: {submodules: true}}", False),
        ("{uses: actions/checkout@v4, with: {lfs: true}}", False),
        ("{uses: actions/checkout@v4, if: github.ref == 'refs/heads/main'}", False),
        ("uses: actions/setup-node@v4", False),
        ("run: git clone actions/checkout@v4", False),
    ],
)
def test_a_plain_checkout(step: str, *, expected: bool) -> None:
    """It is sure to be one of all files of the commit; what is not sure is not prepared."""
    text = f"on: push\njobs: {{one: {{runs-on: x, steps: [{{run: 'true'}}, {_flow(step)}]}}}}"
    workflow = read_workflow("ci.yml", text.encode()).workflow
    assert workflow is not None
    (job,) = workflow.jobs
    assert isinstance(job, Job)
    assert checks_out_plainly(job.steps) is expected


def _flow(step: str) -> str:
    return step if step.startswith("{") else f"{{{step}}}"
