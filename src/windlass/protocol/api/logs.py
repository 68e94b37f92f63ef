"""What jobs have printed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from windlass.protocol.api.calls import Call
from windlass.protocol.api.messages import Cursor, Id, Input, Number, Output, Page, Time


class Line(Output):
    """One line of a job's log, masked."""

    line: int = Field(description="Counts the lines of the job from 1.", examples=[12])
    step: str = Field(description="The id of the step that printed it.", examples=["1"])
    time: Time = Field(description="When it was printed.")
    text: str = Field(description="The line, without its end.", examples=["all tests pass"])


class LogPage(Page):
    """Lines of a log. There is no next page once the job has ended and all was read."""

    items: list[Line]


class ReadLog(Input):
    """The log of which job, and from where on."""

    run: Id = Field(description="The run's id.", examples=["1767225600000000"])
    number: Number = Field(description="The job's number within the attempt.", examples=[1])
    attempt: Number | None = Field(
        default=None, description="The attempt; without it the last one.", examples=[1]
    )
    limit: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=1000, description="So many lines at most.", examples=[1000]
    )
    cursor: Cursor = None


READ = Call("logs.read", "GET", "/runs/{run}/jobs/{number}/lines", ReadLog, LogPage)
