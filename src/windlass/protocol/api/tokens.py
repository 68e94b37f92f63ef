"""Access tokens: how people and programs show who they are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from windlass.protocol.api.calls import Call
from windlass.protocol.api.messages import Id, Input, Nothing, Output, Page, PageInput, Time


class Token(Output):
    """A token, without its text."""

    id: str = Field(examples=["9a0c"])
    name: str = Field(examples=["laptop"])
    created: Time = Field(description="When it was made.")
    expires: Time | None = Field(description="Until when it counts; null for ever.")
    revoked: Time | None = Field(description="When it was revoked; null where it was not.")


class NewToken(Token):
    """A token that was just made."""

    token: str = Field(description="Its text, which is told once.", examples=["wlt_..."])


class TokenPage(Page):
    """Tokens, oldest first."""

    items: list[Token]


class ListTokens(PageInput):
    """Which page is wanted."""


class CreateToken(Input):
    """What it is to be called, and how long it lasts."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")] = Field(
        description="What people call it: visible ASCII characters.", examples=["laptop"]
    )
    days: Annotated[float, Field(gt=0, le=36500)] | None = Field(
        default=None, description="So many days; without it for ever.", examples=[30]
    )


class RevokeToken(Input):
    """Which token."""

    id: Id = Field(description="The token's id.", examples=["9a0c"])


LIST = Call("tokens.list", "GET", "/tokens", ListTokens, TokenPage)
CREATE = Call("tokens.create", "POST", "/tokens", CreateToken, NewToken)
REVOKE = Call("tokens.revoke", "DELETE", "/tokens/{id}", RevokeToken, Nothing)
