"""What can happen to a run: the input of `windlass.plan.run`, and all that its journal holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.model.status import Result


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first signal of every run."""


@dataclass(frozen=True, slots=True)
class JobFinished:
    """A job that was ordered to start has ended; `outputs` are free of secrets.

    `started` is false where it was held back or its place could not be made: that is a failure
    which `continue-on-error` does not forgive, since a job that never ran must not end a run green.
    """

    key: str
    result: Result
    outputs: Mapping[str, str] = field(default_factory=dict)
    started: bool = True


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody asked for the whole run to end.

    With `force` no condition counts, `always()` as little as any other. A machine decides as
    without; whoever starts jobs kills those that run, and starts no other.
    """

    reason: str
    force: bool = False


@dataclass(frozen=True, slots=True)
class JobCancelRequested:
    """Somebody asked for one job to end, or for what else has the key of an `EnterGroup`."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class GroupEntered:
    """The answer to `EnterGroup`: nobody else runs in the group."""

    key: str


@dataclass(frozen=True, slots=True)
class GroupDenied:
    """The other answer to `EnterGroup`: somebody newer took the place of whoever waited."""

    key: str
    reason: str


Signal: TypeAlias = (
    RunStarted | JobFinished | CancelRequested | JobCancelRequested | GroupEntered | GroupDenied
)
