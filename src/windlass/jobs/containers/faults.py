"""Why a container cannot be made or used as the workflow says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class ContainerFault(Exception):  # noqa: N818 (a failure of the job, not of the platform)
    """The job fails with this message; `hint` says what to do."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"{message}: {hint}" if hint else message)
        self.message = message
        self.hint = hint

    @property
    def problems(self) -> tuple[str, ...]:
        """What the job says of it, each an error of its own."""
        return (str(self),)


class ServicesFault(ContainerFault):
    """Services of a job could not be started, or are not healthy."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("One or more containers failed to start.")
        self._problems = (*problems, str(self))

    @property
    def problems(self) -> tuple[str, ...]:
        """What is the matter with each, and GitHub's sentence for all."""
        return self._problems
