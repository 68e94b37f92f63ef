"""The repositories that a server knows."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from windlass.protocol.api.calls import Call
from windlass.protocol.api.messages import Input, Nothing, Output, Page, PageInput, Text, Time

Owner = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$",
        description="Whose repository it is: what is before the `/`.",
        examples=["octo"],
    ),
]
Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="What it is called: what is behind the `/`.",
        examples=["boat"],
    ),
]
FullName = Annotated[
    str,
    Field(
        min_length=3,
        max_length=140,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$",
        examples=["octo/boat"],
    ),
]

VariableName = Annotated[str, Field(max_length=255, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
VariableText = Annotated[str, Field(max_length=65536, pattern=r"^[^\x00]*$")]


class Rule(Output):
    """What may start for some branches; the first rule that matches decides."""

    branches: list[Text] = Field(
        min_length=1,
        max_length=100,
        description="Patterns, as of `on.push.branches`.",
        examples=[["main"]],
    )
    workflows: list[Text] = Field(
        default=["**"],
        max_length=100,
        description="Patterns for the names of the files that may start.",
        examples=[["release.yml"]],
    )
    variables: dict[str, str] = Field(
        default={},
        description="Laid over the repository's own.",
        examples=[{"ENVIRONMENT": "production"}],
    )


class GivenRule(Rule, Input):
    """What may start for some branches; the first rule that matches decides."""

    variables: dict[VariableName, VariableText] = Field(
        default={},
        max_length=100,
        description="Laid over the repository's own.",
        examples=[{"ENVIRONMENT": "production"}],
    )


class Repository(Output):
    """A repository."""

    name: str = Field(description="`OWNER/NAME`.", examples=["octo/boat"])
    id: str = Field(examples=["3f8e2b1c9d7a6540"])
    location: str = Field(
        description="A URL, or a folder of the server's machine.",
        examples=["https://github.com/octo/boat.git"],
    )
    default_branch: str = Field(examples=["main"])
    host: bool = Field(
        description="Whether its jobs may run on a runner's machine itself, which has to allow it."
    )
    poll_seconds: int = Field(
        description="How often the server looks for new commits; 0 for never.", examples=[30]
    )
    public_badge: bool = Field(description="Whether its badges are shown to everybody.")
    rules: list[Rule]
    has_webhook: bool = Field(description="Whether it has a secret for webhooks.")
    created: Time = Field(description="When it was registered.")
    polled: Time | None = Field(description="When the server looked last.")


class RepositoryPage(Page):
    """Repositories, by name."""

    items: list[Repository]


class ListRepositories(PageInput):
    """Which page is wanted."""


class OfRepository(Input):
    """Which repository."""

    owner: Owner
    name: Name

    @property
    def full_name(self) -> str:
        """`OWNER/NAME`."""
        return f"{self.owner}/{self.name}"


class GivenSettings(Input):
    """Settings of a repository; what is left out is as it was, or as it is by default."""

    host: bool | None = Field(
        default=None, description="Whether its jobs may run on a runner's machine itself."
    )
    poll_seconds: Annotated[int, Field(ge=0, le=86400)] | None = Field(
        default=None,
        description="How often to look for new commits: 0 for never, or at least 5.",
        examples=[30],
    )
    public_badge: bool | None = Field(
        default=None, description="Whether its badges are shown to everybody."
    )
    rules: list[GivenRule] | None = Field(
        default=None,
        max_length=100,
        description="What may start for which branches.",
        examples=[[]],
    )

    def read_settings(self) -> dict[str, object]:
        """Return the settings that are given."""
        names = GivenSettings.model_fields
        return {
            name: value
            for name, value in self.model_dump().items()
            if name in names and value is not None
        }


class RegisterRepository(GivenSettings):
    """A repository that the server is to know."""

    location: Annotated[
        str, Field(min_length=1, max_length=2048, pattern=r"^[^\x00-\x1f\x7f]+$")
    ] = Field(
        description="A URL, or the absolute path of a folder of the server's machine.",
        examples=["/srv/git/boat.git"],
    )
    name: FullName | None = Field(
        default=None,
        description="`OWNER/NAME`; a URL says it itself.",
        examples=["octo/boat"],
    )
    token: (
        Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[\x21-\x7e]+$")] | None
    ) = Field(
        default=None,
        description="What a private repository asks for. It is kept as the secret "
        "WINDLASS_GITHUB_TOKEN.",
        examples=[None],
    )


class UpdateRepository(OfRepository, GivenSettings):
    """Which settings of which repository."""


class WebhookSecret(Output):
    """What signs the webhooks of a repository; it is told once."""

    secret: str = Field(examples=["5f2c..."])
    url: str = Field(
        description="Where webhooks are to be sent.",
        examples=["http://127.0.0.1:8484/hooks/github/octo/boat"],
    )


LIST = Call("repositories.list", "GET", "/repositories", ListRepositories, RepositoryPage)
GET = Call("repositories.get", "GET", "/repositories/{owner}/{name}", OfRepository, Repository)
REGISTER = Call("repositories.register", "POST", "/repositories", RegisterRepository, Repository)
UPDATE = Call(
    "repositories.update", "PATCH", "/repositories/{owner}/{name}", UpdateRepository, Repository
)
REMOVE = Call(
    "repositories.remove", "DELETE", "/repositories/{owner}/{name}", OfRepository, Nothing
)
RENEW_WEBHOOK_SECRET = Call(
    "repositories.renew-webhook-secret",
    "POST",
    "/repositories/{owner}/{name}/webhook-secret",
    OfRepository,
    WebhookSecret,
)
