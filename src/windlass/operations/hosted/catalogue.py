"""The catalogue: what can be done with a server, of which every door is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.operations.hosted.entries import (
    dispatches,
    jobs,
    logs,
    repositories,
    runners,
    runs,
    server,
    statistics,
    tokens,
    values,
)

if TYPE_CHECKING:
    from windlass.operations.hosted.operation import Operation

CATALOGUE: Final[tuple[Operation, ...]] = (
    *server.OPERATIONS,
    *runs.OPERATIONS,
    *statistics.OPERATIONS,
    *jobs.OPERATIONS,
    *logs.OPERATIONS,
    *repositories.OPERATIONS,
    *values.OPERATIONS,
    *dispatches.OPERATIONS,
    *runners.OPERATIONS,
    *tokens.OPERATIONS,
)
"""All operations, by noun."""


def find_operation(name: str) -> Operation:
    """Return the operation of a name, `runs.list`."""
    return next(operation for operation in CATALOGUE if operation.name == name)
