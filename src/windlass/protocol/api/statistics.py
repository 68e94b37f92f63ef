"""How workflows have done lately."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from windlass.protocol.api.calls import Call
from windlass.protocol.api.messages import Output
from windlass.protocol.api.runs import RunFilter

Rate = Annotated[float, Field(ge=0, le=1)]


class ShowStatistics(RunFilter):
    """Of which runs figures are wanted."""

    last: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=100, description="Among so many of the newest runs.", examples=[100]
    )


class WorkflowStatistics(Output):
    """How the runs of one workflow file have ended, by their last attempts."""

    repository: str = Field(
        description="`OWNER/NAME`; an id where it was removed.", examples=["octo/boat"]
    )
    path: str = Field(description="The workflow's file.", examples=[".github/workflows/ci.yml"])
    workflow: str = Field(description="The workflow's name.", examples=["CI"])
    runs: int = Field(description="So many have ended.", examples=[20])
    success: int = Field(description="So many of them succeeded.", examples=[18])
    failure: int = Field(description="So many failed.", examples=[1])
    cancelled: int = Field(description="So many were cancelled.", examples=[1])
    success_rate: Rate | None = Field(
        description="The part that succeeded of those not cancelled; null without any.",
        examples=[0.947],
    )
    average_seconds: float | None = Field(
        description="So long those not cancelled took on average; null without any.",
        examples=[63.5],
    )
    reproducibility: Rate | None = Field(
        description="The part of the commits that were run more than once whose results were all "
        "the same; null without any.",
        examples=[1.0],
    )
    warnings: int = Field(description="Annotations that warn.", examples=[2])
    errors: int = Field(description="Annotations of errors.", examples=[1])


class Statistics(Output):
    """Figures of workflows, by repository and file."""

    items: list[WorkflowStatistics]


SHOW = Call("statistics.show", "GET", "/statistics", ShowStatistics, Statistics)
