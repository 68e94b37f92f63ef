"""The jobs of a run, and their steps."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from windlass.protocol.api.calls import Call
from windlass.protocol.api.messages import Id, Input, Number, Output, Page, PageInput, Time

JobState = Literal[
    "queued", "waiting", "running", "interrupted", "success", "failure", "cancelled", "skipped"
]
StepState = Literal["running", "interrupted", "success", "failure", "cancelled", "skipped"]
StepConclusion = Literal["success", "failure", "cancelled", "skipped"]


class Step(Output):
    """One step of a job."""

    step: str = Field(description="Its id within the job.", examples=["1"])
    name: str = Field(examples=["Test"])
    state: StepState = Field(description="How it is, or has ended.", examples=["failure"])
    conclusion: StepConclusion | None = Field(
        description="How it counts, after `continue-on-error`; null as long as it runs.",
        examples=["success"],
    )
    seconds: float | None = Field(description="How long it took.", examples=[1.5])
    exit_code: int | None = Field(examples=[1])
    reason: str = Field(description="Why it was skipped.", examples=[""])
    parent: str = Field(description="The composite step that it is part of.", examples=[""])


class Annotation(Output):
    """A remark of a step on a line of a file, or on the job."""

    step: str = Field(examples=["1"])
    level: str = Field(description="`error`, `warning`, `notice` or `debug`.", examples=["error"])
    message: str = Field(examples=["unused variable"])
    properties: dict[str, str] = Field(examples=[{"file": "src/a.c", "line": "7"}])


class Job(Output):
    """One job of an attempt."""

    job: str = Field(description="Its key within the run.", examples=["test (3.11)"])
    number: int | None = Field(
        description="Counts the jobs that were queued from 1; null of one that was not.",
        examples=[1],
    )
    name: str = Field(examples=["test (3.11)"])
    state: JobState = Field(examples=["success"])
    seconds: float | None = Field(description="How long it took.", examples=[12.5])
    reason: str = Field(
        description="Why it waits, was skipped, or was cancelled before it began.", examples=[""]
    )
    kept: bool = Field(description="Whether it counts as it ended in an earlier attempt.")
    labels: list[str] = Field(description="What a runner needs.", examples=[["ubuntu-latest"]])
    runner: str | None = Field(description="The id of the runner that has it.", examples=["a1"])
    queued: Time | None = Field(description="When it was queued.")
    claimed: Time | None = Field(description="When a runner took it.")
    outputs: dict[str, str] = Field(examples=[{"version": "1.2"}])
    steps: list[Step]
    annotations: list[Annotation]
    summary: str = Field(
        description="What its steps wrote to GITHUB_STEP_SUMMARY, as Markdown.", examples=[""]
    )


class JobPage(Page):
    """Jobs, in the order in which they were first heard of."""

    items: list[Job]


class ListJobs(PageInput):
    """The jobs of which attempt."""

    run: Id = Field(description="The run's id.", examples=["1767225600000000"])
    attempt: Number | None = Field(
        default=None, description="The attempt; without it the last one.", examples=[1]
    )


class FindJob(Input):
    """Which job of an attempt."""

    run: Id = Field(description="The run's id.", examples=["1767225600000000"])
    number: Number = Field(description="The job's number within the attempt.", examples=[1])
    attempt: Number | None = Field(
        default=None, description="The attempt; without it the last one.", examples=[1]
    )


LIST = Call("jobs.list", "GET", "/runs/{run}/jobs", ListJobs, JobPage)
GET = Call("jobs.get", "GET", "/runs/{run}/jobs/{number}", FindJob, Job)
