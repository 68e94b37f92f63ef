"""Where one job runs, and what its steps share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.jobs.artifact_subjects import ArtifactSubjects
from windlass.jobs.clock import SYSTEM_CLOCK
from windlass.jobs.matchers.matchers import JobMatchers
from windlass.jobs.reports import StepReporter
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from windlass.jobs.actions.published import PublishedActions
    from windlass.jobs.clock import Clock
    from windlass.jobs.docker_needs import DockerNeeds
    from windlass.jobs.executors.interface import Session
    from windlass.jobs.folders import JobFolders
    from windlass.jobs.masking import Masker
    from windlass.jobs.service_offer import ServiceOffer
    from windlass.jobs.source import Source
    from windlass.lang.workflow.model import Step
    from windlass.plan.steps import LoadedAction
    from windlass.protocol.events import RunEvent
    from windlass.services.job_services import JobServices
    from windlass.stores.logs import JobLogWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlace:
    """Where a job runs and what it is given.

    `folder` is the job's own: it is made, and removed at the end unless `keep`. `tools` is the
    machine's tool cache. `source` is what a checkout of the repository yields, shared by the jobs
    of a run. `machine` are the variables of this machine (`os.environ`), of which a job sees few;
    `variables` are added to every process of the job and to its `env` context. In the folder
    `record` the job's log is kept (`log`, see `windlass.stores.logs`), if there is one. `published`
    gives what finds the actions of other repositories; without it there are none. `services` opens
    the services of the job at an address by which its processes reach this machine, or on a socket
    that listens where they can reach nothing else; without it there are none. `asks_api` is whether
    the workflow names GitHub's REST API or a token for it. `docker` tells whether the job needs a
    Docker daemon; without it it has what its place has. `runner` is the name of who runs it.
    """

    folder: Path
    tools: Path
    source: Source
    machine: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)
    keep: bool = False
    clock: Clock = SYSTEM_CLOCK
    record: Path | None = None
    services: Callable[[str, JobFolders, int | None], JobServices] | None = None
    asks_api: bool = False
    published: Callable[[], PublishedActions] | None = None
    docker: DockerNeeds | None = None
    runner: str = "windlass"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlace:
    """What the steps of one job share.

    `folders` are the job's folders as Windlass finds them, `inside` as the job's processes do:
    everything they are told of is named so. `steps` are those of the job, `base` the variables
    every process starts from, `said` the remarks that are made once, `prepared` the actions that do
    not come from the workspace, by what `uses` says; `subjects` is what its steps say that they
    have made. `workflow_path` is that of the job's workflow,
    a whole reference where it is one of another repository. `node_versions` are the major versions
    of the Node.js programs that were asked so far, None where one does not run.
    """

    job_key: str
    folders: JobFolders
    inside: JobFolders
    session: Session
    source: Source
    masker: Masker
    clock: Clock
    base: Mapping[str, str]
    debug: bool
    emit: Callable[[RunEvent], None]
    writer: JobLogWriter | None = None
    steps: Sequence[Step] = ()
    services: ServiceOffer | None = None
    said: set[str] = field(default_factory=set)
    subjects: ArtifactSubjects = field(default_factory=ArtifactSubjects)
    workflow_path: str = ""
    published: Callable[[], PublishedActions] | None = None
    prepared: dict[str, LoadedAction] = field(default_factory=dict)
    node_versions: dict[str, int | None] = field(default_factory=dict)
    matchers: JobMatchers = field(default_factory=JobMatchers)

    def report(self, step_key: str) -> StepReporter:
        """Return what tells of one step."""
        return StepReporter(self.job_key, step_key, self.masker, self.emit, self.writer)
