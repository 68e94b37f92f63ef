"""Runs: what an event has started, attempt by attempt."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from windlass.protocol.api.calls import Call
from windlass.protocol.api.messages import (
    Id,
    Input,
    Nothing,
    Number,
    Output,
    Page,
    PageInput,
    RepositoryKey,
    Text,
    Time,
)

State = Literal["running", "success", "failure", "cancelled", "skipped"]


class Run(Output):
    """A run, as its last attempt is, or the one that was asked for."""

    run: str = Field(description="Its id.", examples=["1767225600000000"])
    attempt: int = Field(description="Counts the attempts from 1.", examples=[1])
    number: int = Field(description="Counts the runs of the workflow from 1.", examples=[7])
    repository: str = Field(
        description="`OWNER/NAME`; an id where it was removed.", examples=["octo/boat"]
    )
    workflow: str = Field(description="The workflow's name.", examples=["CI"])
    path: str = Field(description="The workflow's file.", examples=[".github/workflows/ci.yml"])
    event: str = Field(description="What started it.", examples=["push"])
    sha: str = Field(examples=["6a1bd5c8c6f4b6a6d1a1d3b1a7a4f4c8a3f3d2e1"])
    ref: str = Field(examples=["refs/heads/main"])
    state: State = Field(description="`running`, or the result.", examples=["success"])
    result: State | None = Field(description="Null as long as it runs.", examples=["success"])
    created: Time = Field(description="When the run was created.")
    started: Time = Field(description="When the attempt was.")
    finished: Time | None = Field(description="When it ended; null as long as it runs.")


class RunPage(Page):
    """Runs, newest first."""

    items: list[Run]


class RunFilter(Input):
    """Which runs are meant, by where they are from."""

    repository: RepositoryKey | None = Field(
        default=None, description="Of this one: `OWNER/NAME`.", examples=["octo/boat"]
    )
    workflow: Text | None = Field(
        default=None,
        description="Of this file, `ci.yml` or `.github/workflows/ci.yml`; of one repository.",
        examples=["ci.yml"],
    )
    branch: Text | None = Field(
        default=None, description="Of this branch; of one repository.", examples=["main"]
    )


class ListRuns(RunFilter, PageInput):
    """Which runs are wanted."""

    state: State | None = Field(default=None, description="That are so.")


class FindRun(Input):
    """Which run, and which attempt of it."""

    run: Id = Field(description="The run's id.", examples=["1767225600000000"])
    attempt: Number | None = Field(
        default=None, description="The attempt; without it the last one.", examples=[1]
    )


class CancelRun(Input):
    """Which run is to end, and how."""

    run: Id = Field(description="The run's id.", examples=["1767225600000000"])
    force: bool = Field(default=False, description="At once: not even `always()` runs.")


class RerunRun(Input):
    """Which run is to run again, and what of it."""

    run: Id = Field(description="The run's id.", examples=["1767225600000000"])
    failed: bool = Field(default=False, description="Only what did not succeed, and what needs it.")
    job: Text | None = Field(
        default=None, description="Only this job, by its key, and what needs it.", examples=["test"]
    )


class DeleteRun(Input):
    """Which run is to be forgotten."""

    run: Id = Field(description="The run's id.", examples=["1767225600000000"])


LIST = Call("runs.list", "GET", "/runs", ListRuns, RunPage)
GET = Call("runs.get", "GET", "/runs/{run}", FindRun, Run)
CANCEL = Call("runs.cancel", "POST", "/runs/{run}/cancel", CancelRun, Run)
RERUN = Call("runs.rerun", "POST", "/runs/{run}/rerun", RerunRun, Run)
DELETE = Call("runs.delete", "DELETE", "/runs/{run}", DeleteRun, Nothing)
