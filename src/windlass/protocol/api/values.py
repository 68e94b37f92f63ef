"""The secrets and variables of a repository."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from windlass.protocol.api.calls import Call
from windlass.protocol.api.messages import LongText, Nothing, Output, Page, PageInput, Time
from windlass.protocol.api.repositories import OfRepository

ValueName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=255,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Letters, digits and _; case does not count.",
        examples=["DEPLOY_KEY"],
    ),
]


class Secret(Output):
    """A secret; nobody is told its value."""

    name: str = Field(examples=["DEPLOY_KEY"])
    updated: Time = Field(description="When it was set.")


class Variable(Output):
    """A variable."""

    name: str = Field(examples=["REGION"])
    value: str = Field(examples=["eu-1"])
    updated: Time = Field(description="When it was set.")


class SecretPage(Page):
    """Secrets, by name."""

    items: list[Secret]


class VariablePage(Page):
    """Variables, by name."""

    items: list[Variable]


class ListValues(OfRepository, PageInput):
    """Those of which repository."""


class OfValue(OfRepository):
    """Which one of which repository."""

    key: ValueName


class SetValue(OfValue):
    """What it is to be."""

    value: LongText = Field(description="Up to 48 KB of text.", examples=["eu-1"])


LIST_SECRETS = Call(
    "secrets.list", "GET", "/repositories/{owner}/{name}/secrets", ListValues, SecretPage
)
SET_SECRET = Call(
    "secrets.set", "PUT", "/repositories/{owner}/{name}/secrets/{key}", SetValue, Secret
)
REMOVE_SECRET = Call(
    "secrets.remove", "DELETE", "/repositories/{owner}/{name}/secrets/{key}", OfValue, Nothing
)
LIST_VARIABLES = Call(
    "variables.list", "GET", "/repositories/{owner}/{name}/variables", ListValues, VariablePage
)
SET_VARIABLE = Call(
    "variables.set", "PUT", "/repositories/{owner}/{name}/variables/{key}", SetValue, Variable
)
REMOVE_VARIABLE = Call(
    "variables.remove", "DELETE", "/repositories/{owner}/{name}/variables/{key}", OfValue, Nothing
)
