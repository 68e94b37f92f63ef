"""The machines that take jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from windlass.protocol.api.calls import Call
from windlass.protocol.api.messages import Input, Nothing, Output, Page, PageInput, Time

RunnerKey = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00-\x1f\x7f/]+$",
        description="The runner's name or id.",
        examples=["build-1"],
    ),
]


class Runner(Output):
    """A runner."""

    id: str = Field(examples=["4c1f"])
    name: str = Field(examples=["build-1"])
    labels: list[str] = Field(examples=[["self-hosted", "linux"]])
    capacity: int = Field(description="How many jobs it runs at once.", examples=[2])
    running: int = Field(description="How many it runs now.", examples=[1])
    ephemeral: bool = Field(description="Whether it runs one job and leaves.")
    state: Literal["active", "draining", "revoked"] = Field(
        description="One that is draining takes no more jobs; a revoked one may not come back."
    )
    online: bool = Field(description="Whether it was heard of lately.")
    version: str = Field(description="Its version of Windlass.", examples=["0.5.0"])
    created: Time = Field(description="When it was registered.")
    seen: Time = Field(description="When it was last heard of.")


class RunnerPage(Page):
    """Runners, by name."""

    items: list[Runner]


class ListRunners(PageInput):
    """Which page is wanted."""


class OfRunner(Input):
    """Which runner."""

    runner: RunnerKey


class CreateRegistration(Input):
    """How long one machine may register."""

    seconds: Annotated[int, Field(ge=1, le=604800)] = Field(
        default=3600, description="So long the token is good.", examples=[3600]
    )


class Registration(Output):
    """By which one machine may become a runner, once."""

    token: str = Field(
        description="Told once; for `windlass runner --token`.", examples=["wlg_..."]
    )
    expires: Time = Field(description="Until when it is good.")


LIST = Call("runners.list", "GET", "/runners", ListRunners, RunnerPage)
GET = Call("runners.get", "GET", "/runners/{runner}", OfRunner, Runner)
REGISTER_TOKEN = Call(
    "runners.register-token", "POST", "/runner-registrations", CreateRegistration, Registration
)
DRAIN = Call("runners.drain", "POST", "/runners/{runner}/drain", OfRunner, Runner)
REVOKE = Call("runners.revoke", "POST", "/runners/{runner}/revoke", OfRunner, Runner)
REMOVE = Call("runners.remove", "DELETE", "/runners/{runner}", OfRunner, Nothing)
