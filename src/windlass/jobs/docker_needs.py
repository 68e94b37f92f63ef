"""Whether a job is given a Docker daemon: what its user said of its label, else what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.jobs.executors.interface import DockerNeed
from windlass.plan.docker_use import find_docker_use

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from windlass.lang.workflow.model import Step
    from windlass.plan.steps import LoadedAction

SAID: Final = "config.toml says so of its label"


class DockerNeeds:
    """Tells of the steps of one job; `images` are what a daemon of its own begins with."""

    def __init__(self, wanted: bool | None = None, images: Sequence[str] = ()) -> None:  # noqa: FBT001 (a setting's value)
        self._wanted = wanted
        self._images = images

    def find(
        self, steps: Iterable[Step], actions: Mapping[str, LoadedAction] | None = None
    ) -> DockerNeed | None:
        """Return why the job is to have a daemon; None for none, as far as can be seen by now."""
        if self._wanted is False:
            return None
        reason = SAID if self._wanted else find_docker_use(steps, actions)
        return None if reason is None else DockerNeed(reason, self._images)
