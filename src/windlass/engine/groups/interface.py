"""The port to concurrency groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from windlass.model.values import dataclass

if TYPE_CHECKING:
    from windlass.errors import WindlassError
    from windlass.plan.orders import EnterGroup


@dataclass(frozen=True, slots=True)
class Holder:
    """Who is in a group; `job` stands for its key in history, and is empty for the run itself."""

    run: str
    job: str


class Groups(Protocol):
    """The groups that one run is in or waits for.

    Answers come as signals: `GroupEntered` or `GroupDenied` for each `enter`, and
    `JobCancelRequested` for what is asked to end for somebody newer. `breakdowns` are errors of the
    platform that kept somebody from entering.
    """

    breakdowns: list[WindlassError]

    def enter(self, order: EnterGroup) -> Holder | None:
        """Ask to be let into a group; returns at once, with whoever is in it already."""

    def leave(self, key: str) -> None:
        """Let others run in the group that a key is in or waits for; harmless for other keys."""

    def close(self) -> None:
        """Leave all groups."""
