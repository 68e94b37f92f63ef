"""Runs that somebody asks for, and what else repositories were told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from windlass.protocol.api.calls import Call
from windlass.protocol.api.messages import Output, Page, PageInput, Text, Time
from windlass.protocol.api.repositories import OfRepository
from windlass.protocol.api.runs import Run

InputName = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]
InputValue = (
    bool
    | Annotated[int, Field(ge=-(2**53), le=2**53)]
    | Annotated[float, Field(allow_inf_nan=False)]
    | Annotated[str, Field(max_length=65535, pattern=r"^[^\x00]*$")]
)


class CreateDispatch(OfRepository):
    """Which workflow is to start, where, and with which inputs."""

    workflow: Text = Field(description="The name of its file.", examples=["deploy.yml"])
    ref: Text | None = Field(
        default=None,
        description="A branch or a tag; without it the default branch.",
        examples=["main"],
    )
    inputs: dict[InputName, InputValue] = Field(
        default={},
        max_length=25,
        description="Texts, or of the types that the workflow declares.",
        examples=[{"target": "staging", "dry_run": True}],
    )


class SendEvent(OfRepository):
    """An event of one's own, for workflows `on: repository_dispatch`."""

    type: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f\s]+$")] = (
        Field(description="The event's type.", examples=["docs-changed"])
    )
    payload: dict[InputName, InputValue] = Field(
        default={},
        max_length=10,
        description="What is `github.event.client_payload`.",
        examples=[{"page": "index"}],
    )


class SentEvent(Output):
    """An event that is being worked on."""

    delivery: str = Field(description="The id of the delivery.", examples=["0001"])


class Delivery(Output):
    """What the server was told of a repository."""

    id: str = Field(examples=["0001"])
    guid: str = Field(description="What the sender calls it.", examples=["72d3162e"])
    event: str = Field(examples=["push"])
    received: Time = Field(description="When it came.")
    state: str = Field(description="What has come of it.", examples=["processed"])
    message: str = Field(description="Which runs, or why none.", examples=["started 1 run"])


class DeliveryPage(Page):
    """Deliveries, newest first."""

    items: list[Delivery]


class ListDeliveries(OfRepository, PageInput):
    """Those of which repository."""


CREATE = Call(
    "dispatches.create", "POST", "/repositories/{owner}/{name}/dispatches", CreateDispatch, Run
)
SEND_EVENT = Call(
    "dispatches.send-event", "POST", "/repositories/{owner}/{name}/events", SendEvent, SentEvent
)
LIST_DELIVERIES = Call(
    "deliveries.list",
    "GET",
    "/repositories/{owner}/{name}/deliveries",
    ListDeliveries,
    DeliveryPage,
)
