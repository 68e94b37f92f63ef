"""What github.com refuses in a workflow that its parser lets pass."""

from __future__ import annotations

import pytest

from windlass.lang.workflow import read_workflow
from windlass.lang.workflow.refusals import find_refusals

JOB = "jobs: {a: {runs-on: x, steps: [{run: x}]}}\n"


def refusals(text: str) -> list[tuple[str, str, str, str | None]]:
    workflow = read_workflow("w.yml", text.encode()).workflow
    assert workflow is not None
    return [(one.code, one.message, str(one.span), one.hint) for one in find_refusals(workflow)]


@pytest.mark.parametrize("name", ["branches", "tags", "paths"])
def test_a_filter_and_its_opposite(name: str) -> None:
    """One event has a filter or its `-ignore` form; an empty list counts as well."""
    assert refusals(f"on:\n  push: {{{name}: [a], {name}-ignore: []}}\n{JOB}") == [
        (
            "filter-pair",
            f"you may only define one of `{name}` and `{name}-ignore` for a single event",
            "w.yml:2:3",
            f"Use `{name}` with `!` patterns for the exceptions.",
        )
    ]


@pytest.mark.parametrize(
    "filters",
    [
        *("push: {branches: [a], tags-ignore: [b]}", "push: {tags: [a], paths-ignore: [b]}"),
        *("push: {branches-ignore: [a]}", "push: {paths: [a]}, pull_request: {paths-ignore: [a]}"),
    ],
)
def test_filters_that_go_together(filters: str) -> None:
    """Filters of different things, or of different events, are no pair."""
    assert refusals(f"on: {{{filters}}}\n{JOB}") == []


def test_a_job_without_steps() -> None:
    """A job that neither has steps nor calls a workflow does nothing."""
    jobs = "  a: {runs-on: x}\n  b: {uses: o/r/w.yml@v1}\n  c: {runs-on: x, steps: []}\n"
    message = (
        "No steps defined in `steps` and no workflow called in `uses` for the following jobs: "
    )
    hint = "Add `steps:`, or call a workflow with `uses:`."
    assert refusals(f"on: push\njobs:\n{jobs}") == [
        ("no-steps", f"{message}a", "w.yml:3:3", hint),
        ("no-steps", f"{message}c", "w.yml:5:3", hint),
    ]
