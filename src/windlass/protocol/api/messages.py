"""What all messages of the API share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

API_VERSION = 1
MOST_ON_A_PAGE = 100
DEFAULT_ON_A_PAGE = 30

Text = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""One line of text without control characters."""

LongText = Annotated[str, Field(max_length=65536, pattern=r"^[^\x00]*$")]
"""Text of any lines."""

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
"""What the server has named something by."""

RepositoryKey = Annotated[
    str, Field(min_length=1, max_length=140, pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]*$")
]
"""`OWNER/NAME`, or the id of one that was removed."""

Number = Annotated[int, Field(ge=1, le=2_000_000_000)]
"""Counts from 1."""

Time = Annotated[float, Field(description="Seconds since the epoch, UTC.", examples=[1767225600.5])]

Cursor = Annotated[
    str | None,
    Field(
        max_length=512,
        min_length=1,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="`next` of the page before; without it the first page.",
    ),
]
Limit = Annotated[
    int, Field(ge=1, le=MOST_ON_A_PAGE, description="So many on a page at most.", examples=[30])
]


class Input(BaseModel):
    """What an operation is given; what is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Output(BaseModel):
    """What an operation answers; a newer server may say more, which is left aside."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PageInput(Input):
    """Which page of a list is wanted."""

    limit: Limit = DEFAULT_ON_A_PAGE
    cursor: Cursor = None


class Page(Output):
    """One page of a list."""

    next: str | None = Field(
        default=None, description="The cursor of the next page; null on the last one."
    )


class Nothing(Output):
    """The answer of an operation that has nothing to say but that it was done."""
