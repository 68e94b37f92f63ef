"""A port is `CONTAINER`, `HOST:CONTAINER` or `IP:HOST:CONTAINER`.

A protocol may follow: `/tcp`, `/udp` or `/sctp`. Docker refuses anything else, and the job fails.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from windlass.lang.diagnostics import Severity
from windlass.lang.lint.finding import Finding
from windlass.lang.lint.rule import Rule
from windlass.lang.tokens import MappingToken, NumberToken, SequenceToken, StringToken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.subject import Subject
    from windlass.lang.tokens import Token

_PORT = re.compile(
    r"(?:(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\]|localhost):)?"
    r"(?:(?P<host>\d*)(?:-\d+)?:)?(?P<container>\d+)(?:-\d+)?(?:/(?:tcp|udp|sctp))?",
    re.IGNORECASE,
)
_HIGHEST = 65535


def check(subject: Subject) -> Iterator[Finding]:
    """Find ports of the container and of services that are no mapping."""
    for job in subject.jobs:
        containers: list[Token | None] = [job.container]
        if isinstance(job.services, MappingToken):
            containers += [value for _, value in job.services.entries]
        for container in containers:
            ports = container.find("ports") if isinstance(container, MappingToken) else None
            for port in ports.items if isinstance(ports, SequenceToken) else ():
                yield from _check(port)


def _check(port: Token) -> Iterator[Finding]:
    if not isinstance(port, StringToken | NumberToken):
        return
    text = port.value if isinstance(port, StringToken) else port.text
    found = _PORT.fullmatch(text.strip())
    numbers = [int(n) for n in (found["host"], found["container"]) if n] if found else []
    if not found or any(not 0 < number <= _HIGHEST for number in numbers):
        yield Finding(
            message=f"'{text}' is not a port mapping",
            span=port.span,
            hint="write '5432:5432', or '5432' for any free port of the host",
        )


RULE = Rule(
    code="service-ports",
    severity=Severity.ERROR,
    summary="a port mapping that Docker refuses",
    text=__doc__ or "",
    before="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    services:
      database:
        image: postgres:17
        ports:
          - 5432:postgres
    steps:
      - run: make
""",
    after="""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    services:
      database:
        image: postgres:17
        ports:
          - 5432:5432
    steps:
      - run: make
""",
    check=check,
)
