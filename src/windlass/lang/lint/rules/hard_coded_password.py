"""The `password` of a container's `credentials` must come from a secret.

Whoever can read the repository, or its history, can read what is written in a workflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule
from windlass.lang.tokens import MappingToken, StringToken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.tokens import Token


def check(subject: Subject) -> Iterator[Finding]:
    """Find literal passwords of the container and of services."""
    for job in subject.jobs:
        containers: list[Token | None] = [job.container]
        if isinstance(job.services, MappingToken):
            containers += [value for _, value in job.services.entries]
        for container in containers:
            password = _password(container)
            if password is not None:
                yield Finding(
                    message="the password is written in the workflow",
                    span=password.span,
                    hint="keep it as a secret: `${{ secrets.NAME }}`",
                )


def _password(container: Token | None) -> StringToken | None:
    credentials = container.find("credentials") if isinstance(container, MappingToken) else None
    password = credentials.find("password") if isinstance(credentials, MappingToken) else None
    return password if isinstance(password, StringToken) and password.value else None


RULE = Rule(
    code="hard-coded-password",
    severity=Severity.ERROR,
    summary="a password is written in the workflow",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    container:
      image: registry.example.com/app
      credentials:
        username: ci
        password: hunter2
    steps:
      - run: make
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    container:
      image: registry.example.com/app
      credentials:
        username: ci
        password: ${{ secrets.REGISTRY_PASSWORD }}
    steps:
      - run: make
""",
    check=check,
)
