"""How a run looks, folded from its events."""

from __future__ import annotations

from windlass.model.status import Result
from windlass.operations.run_views import view_run
from windlass.protocol import events
from windlass.protocol.event_lines import read_event, write_event

STARTED = events.RunStarted(run="1", workflow="CI", path="ci.yml", github_event="push", sha="f")
JOB = events.JobStarted(job="a", name="A")
STEP = events.StepStarted(job="a", step="s", name="S")
STEP_END = events.StepFinished(
    job="a",
    step="s",
    name="S",
    outcome=Result.FAILURE,
    conclusion=Result.SUCCESS,
    exit_code=1,
    seconds=2.0,
)
END = events.JobFinished(job="a", name="A", result=Result.SUCCESS, seconds=3.0, outputs={"x": "1"})
RUN_END = events.RunFinished(run="1", result=Result.SUCCESS, seconds=4.0)


def test_a_whole_run() -> None:
    """Jobs and steps have their ends, in GitHub's words."""
    skipped = events.JobSkipped(job="b", name="B", reason="not now")
    view = view_run([STARTED, JOB, STEP, STEP_END, END, skipped, RUN_END], is_live=False)

    assert (view.status, view.seconds) == (Result.SUCCESS, 4.0)
    first, second = view.jobs.values()
    assert (first.status, first.seconds, first.outputs) == (Result.SUCCESS, 3.0, {"x": "1"})
    (step,) = first.steps.values()
    assert (step.status, step.conclusion, step.exit_code) == (Result.FAILURE, Result.SUCCESS, 1)
    assert (second.status, second.reason) == (Result.SKIPPED, "not now")


def test_what_has_no_end_runs_or_was_interrupted() -> None:
    """Only whether somebody carries the run out tells the two apart."""
    for is_live, expected in ((True, "running"), (False, "interrupted")):
        view = view_run([STARTED, JOB, STEP], is_live=is_live)
        job = view.jobs["a"]
        assert (view.status, job.status, job.steps["s"].status) == (expected,) * 3


def test_a_job_waits_for_its_group() -> None:
    """It is shown as waiting, for what, until it starts; the run itself is no job."""
    waits = [
        events.Waiting(job="a", name="A", group="g"),
        events.Waiting(job="", name="top level workflow", group="h"),
        events.Waiting(job="call / ", name="call", group="i"),
    ]
    for is_live, expected in ((True, "waiting"), (False, "interrupted")):
        view = view_run([STARTED, *waits], is_live=is_live)
        (job,) = view.jobs.values()
        assert (job.name, job.status) == ("A", expected)
        assert job.reason == "waiting for the concurrency group 'g'"

    job = view_run([STARTED, *waits, JOB], is_live=True).jobs["a"]
    assert (job.status, job.reason) == ("running", "")


def test_a_job_that_starts_again_begins_from_nothing() -> None:
    """After `resume` nothing of the interrupted try is left in the view."""
    note = events.Annotation(job="a", step="s", level="error", message="old")
    view = view_run([STARTED, JOB, STEP, note, STARTED, JOB, END, RUN_END], is_live=False)

    assert view.status is Result.SUCCESS
    assert view.jobs["a"].steps == {}
    assert view.jobs["a"].annotations == []


def test_events_are_read_as_they_were_written() -> None:
    """Every field comes back; what this version does not know is left out."""
    for event in (STARTED, JOB, STEP, STEP_END, END, RUN_END):
        assert read_event(write_event(event, 5.25)) == (event, 5.25)
    later = '{"event": "job-started", "time": 1, "job": "a", "name": "A", "colour": "red"}'
    assert read_event(later) == (JOB, 1.0)
    for line in ("", "{", "[]", '{"event": "moon", "time": 1}', '{"event": "job-started"}'):
        assert read_event(line) is None
