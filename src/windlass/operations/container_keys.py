"""What `container:` and `services:` of a job ask for and cannot have, said before any job starts.

Keys with expressions are judged when the job starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.jobs.containers.creation import Creation
from windlass.jobs.containers.faults import ContainerFault
from windlass.jobs.containers.options import apply_options
from windlass.jobs.containers.volumes import mount_volume
from windlass.jobs.containers.words import split_words
from windlass.lang.diagnostics import Diagnostic
from windlass.lang.tokens import (
    MappingToken,
    NumberToken,
    SequenceToken,
    StringToken,
    entries_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import Job

CODE = "container-keys"


def check_containers(job: Job) -> Iterator[Diagnostic]:
    """Yield an error for every literal `options`, port, volume and command that cannot be had."""
    for container in (job.container, *(value for _, value in entries_of(job.services))):
        if isinstance(container, MappingToken):
            yield from _check_container(container)


def _check_container(container: MappingToken) -> Iterator[Diagnostic]:
    creation = Creation("")
    yield from _check(container.find("options"), lambda text: apply_options(creation, text))
    yield from _check(container.find("command"), split_words)
    for port in _items(container.find("ports")):
        yield from _check(port, creation.publish)
    for volume in _items(container.find("volumes")):
        yield from _check(volume, lambda text: mount_volume(creation, text))


def _check(token: Token | None, take: Callable[[str], object]) -> Iterator[Diagnostic]:
    if isinstance(token, StringToken | NumberToken):
        try:
            take(token.value if isinstance(token, StringToken) else token.text)
        except ContainerFault as fault:
            yield Diagnostic(code=CODE, message=fault.message, span=token.span, hint=fault.hint)


def _items(token: Token | None) -> tuple[Token, ...]:
    return token.items if isinstance(token, SequenceToken) else ()
