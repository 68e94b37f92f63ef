"""The places of jobs that start together, on a user's machine and on a runner alike."""

from __future__ import annotations

import functools
import os
import re
import threading
from typing import TYPE_CHECKING, Final

from windlass.jobs.job_needs import CHECKOUT
from windlass.jobs.place import JobPlace
from windlass.model.values import dataclass, field
from windlass.operations.executors import Executors
from windlass.plan.places import HOST, find_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from windlass.config.settings import Settings
    from windlass.jobs.actions.published import PublishedActions
    from windlass.jobs.docker_needs import DockerNeeds
    from windlass.jobs.executors.interface import Executor
    from windlass.jobs.folders import JobFolders
    from windlass.jobs.source import Source
    from windlass.model.action_sources import ActionSources
    from windlass.plan.orders import StartJob
    from windlass.services.job_services import JobServices

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.-]+")
_LONGEST_NAME: Final = 60
_API: Final = re.compile(r"(?i)github\s*\.\s*(?:token|api_url)\b|GITHUB_(?:TOKEN|API_URL)\b")
"""What a workflow names that asks GitHub's API."""


def names_api(texts: Iterable[str]) -> bool:
    """Tell whether files of workflows name GitHub's REST API, or a token for it."""
    return any(_API.search(text) for text in texts)


def names_checkout(texts: Iterable[str]) -> bool:
    """Tell whether files of workflows may check the repository out."""
    return any(CHECKOUT in text for text in texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the jobs have in common.

    `places` says by label where they run, `work` is the folder of theirs, `tools` the tool cache,
    `variables` what every process of them is given. `sources` says where actions of other
    repositories are from. `asks_api` is whether the workflow names GitHub's API or a token for it.
    Jobs in a sandbox see nothing of the folders `hidden`. `runner` is the name of who runs them.
    """

    source: Source
    places: Mapping[str, str]
    work: Path
    tools: Path
    sources: ActionSources
    variables: Mapping[str, str] = field(default_factory=dict)
    keep: bool = False
    asks_api: bool = False
    hidden: Sequence[Path] = ()
    runner: str = "windlass"


class JobPlaces:
    """Makes the places of jobs; from any thread."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        source = around.source
        self._executors = Executors(
            around.places, root=source.folder, state=source.state, hidden=around.hidden
        )
        self._published: PublishedActions | None = None
        self._publishing = threading.Lock()

    def find_executor(self, order: StartJob) -> Executor:
        """Return what runs a job.

        Raises:
            ExecutorError: nothing says where it runs, or it cannot run there.
        """
        return self._executors.find(order)

    def make(
        self,
        order: StartJob,
        executor: Executor,
        *,
        number: int,
        name: str,
        record: Path,
        services: Callable[[str, JobFolders, int | None], JobServices] | None,
    ) -> JobPlace:
        """Return where a job runs; `number` and `name` are in its folder's, `record` has its log.

        Raises:
            InputError: the user's settings cannot be understood.
        """
        around = self._around
        safe = _UNSAFE.sub("-", name)[:_LONGEST_NAME].strip("-.")
        return JobPlace(
            folder=around.work / f"{number}-{safe}",
            record=record,
            tools=around.tools,
            source=around.source,
            machine=os.environ,
            variables=around.variables,
            keep=around.keep,
            published=self.find_published,
            services=services,
            asks_api=around.asks_api,
            runner=around.runner,
            docker=None if executor.name == HOST else self._find_docker_needs(order),
        )

    def find_published(self) -> PublishedActions:
        """Return what finds the actions of other repositories, the same for all jobs."""
        # Imported only where there is one.
        from windlass.jobs.actions.published import PublishedActions

        with self._publishing:
            if self._published is None:
                server = self._around.source.repository.server_url
                self._published = PublishedActions(self._around.sources, server)
            return self._published

    def _find_docker_needs(self, order: StartJob) -> DockerNeeds:
        """Return what tells whether a job that is not on the host is to have a Docker daemon."""
        # Imported only where it may need one.
        from windlass.jobs.docker_needs import DockerNeeds

        settings = self._settings
        return DockerNeeds(find_value(order.labels, settings.docker), settings.docker_images)

    @functools.cached_property
    def _settings(self) -> Settings:
        """What the user has set, read once: two jobs of an attempt never differ in it."""
        from windlass.config.settings import read_settings

        return read_settings(os.environ)
