"""The summary of a run as one document."""

from __future__ import annotations

from windlass.model.status import Result
from windlass.operations.summaries import lay_out_summaries
from windlass.protocol.events import JobFinished, JobStarted, Summary


def test_summaries_stand_under_their_jobs() -> None:
    """One heading a job, in the order in which the jobs began; the steps of a job in theirs."""
    events = (
        JobStarted(job="a", name="Build (3.12)"),
        JobStarted(job="b", name="Test"),
        JobStarted(job="c", name="Quiet"),
        Summary(job="b", step="1", markdown="# Passed\n\n- all\n"),
        Summary(job="a", step="1", markdown="one"),
        Summary(job="a", step="2", markdown="two\n"),
        JobFinished(job="b", name="Test", result=Result.SUCCESS, seconds=1),
    )

    assert lay_out_summaries(events) == (
        "## Build (3.12) summary\n\none\ntwo\n\n## Test summary\n\n# Passed\n\n- all\n"
    )


def test_a_run_without_summaries_has_no_document() -> None:
    """There is nothing to write then."""
    assert lay_out_summaries((JobStarted(job="a", name="a"),)) == ""


def test_a_job_that_begins_anew_writes_anew() -> None:
    """Of a job that was interrupted only what it wrote after the run was resumed counts."""
    started = JobStarted(job="a", name="a")
    events = (
        started,
        Summary(job="a", step="1", markdown="lost"),
        started,
        Summary(job="a", step="1", markdown="kept"),
    )

    assert lay_out_summaries(events) == "## a summary\n\nkept\n"
