"""How a runner carries out one job: in which place, with which copy of the repository."""

from __future__ import annotations

import functools
from contextlib import suppress
from typing import TYPE_CHECKING

from windlass.errors import ExecutorError
from windlass.jobs.environment import read_called
from windlass.jobs.job import run_job
from windlass.jobs.job_needs import checks_out_plainly
from windlass.jobs.source import Source
from windlass.model.values import dataclass, field, replace
from windlass.operations.default_place import DefaultPlace
from windlass.operations.job_places import JobPlaces, Surroundings, names_checkout
from windlass.plan.default_place import NoPlace
from windlass.plan.places import EVERY_LABEL, HOST, find_place
from windlass.runner.mirrors import Mirror
from windlass.runner.services import RunnerServices
from windlass.runner.shared_mirrors import SharedMirror
from windlass.stores.state_folder import TOOLS, WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from windlass.jobs.cancellation import Cancellation
    from windlass.jobs.folders import JobFolders
    from windlass.plan.signals import JobFinished
    from windlass.protocol.assignments import Assignment
    from windlass.protocol.events import RunEvent
    from windlass.protocol.runner import JobId
    from windlass.runner.connection import Address
    from windlass.runner.records import JobRecord
    from windlass.services.job_services import JobServices


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a runner carries jobs out with.

    `name` is the runner's, as jobs see it; `credential` is shown to the `server`; `repositories` is
    the folder of its mirrors. Only with `allow_host` do jobs run on the machine itself, where the
    server lets them too. Jobs in a sandbox see nothing of the folders `hidden`. `mirrors` is where
    the server has its own, if it is on this machine: those are read then, and nothing is fetched.
    """

    name: str
    server: Address
    credential: str = field(repr=False)
    repositories: Path
    allow_host: bool = False
    hidden: Sequence[Path] = ()
    mirrors: Path | None = None


class Workshop:
    """Carries out jobs, each in the calling thread."""

    def __init__(
        self, means: Means, default_place: str = "", learn: Callable[[str], object] = str
    ) -> None:
        """Take where jobs run of which nobody says where; else `learn` hears what was found."""
        self._means = means
        self._server = means.server
        self._services = RunnerServices(str(means.server), means.credential)
        self._default_place = default_place
        self._learn = learn

    def move(self, address: Address, credential: str) -> None:
        """Go on with the server at another address, or as another runner."""
        self._server = address
        self._services.move(str(address), credential)

    def carry_out(
        self,
        assignment: Assignment,
        record: JobRecord,
        cancellation: Cancellation,
        emit: Callable[[RunEvent], None],
    ) -> JobFinished:
        """Run a job to its end; its log comes into the record.

        Raises:
            PlatformError: its place could not be made, or it may not run there.
            InputError: the settings of this machine cannot be understood.
        """
        places = self._choose_places(assignment)
        mirror = self._find_mirror(assignment)
        source = _make_source(assignment, mirror)
        job = assignment.job
        work = mirror.state / WORK / name_work(job)
        made = JobPlaces(
            Surroundings(
                source=source,
                places=places,
                work=work,
                tools=mirror.state / TOOLS,
                sources=assignment.sources,
                variables=assignment.env,
                asks_api=assignment.asks_api,
                hidden=self._means.hidden,
                runner=self._means.name,
            )
        )
        if names_checkout((assignment.text,)):
            source.begin(content=checks_out_plainly(assignment.order.job.steps))
        executor = made.find_executor(assignment.order)
        place = made.make(
            assignment.order,
            executor,
            number=job.number,
            name=assignment.order.key,
            record=record.folder,
            services=functools.partial(self._open_services, assignment, made),
        )
        try:
            return run_job(
                assignment.order,
                executor=executor,
                place=place,
                secrets=assignment.secrets,
                emit=emit,
                cancellation=cancellation,
            )
        finally:
            with suppress(OSError):
                work.rmdir()

    def _find_mirror(self, assignment: Assignment) -> Mirror | SharedMirror:
        means, access, sha = self._means, assignment.git, assignment.sha
        if means.mirrors is not None:
            return SharedMirror(means.repositories, means.mirrors, access.repository, sha)
        return Mirror(means.repositories, access, lambda: self._server, sha)

    def _open_services(
        self,
        assignment: Assignment,
        places: JobPlaces,
        address: str,
        folders: JobFolders,
        listener: int | None,
    ) -> JobServices:
        order = assignment.order
        called = read_called(order.workflow.path)
        sha = "" if called is None else places.find_published().locate(called).sha
        return self._services.open(
            assignment.job, order, address, folders, listener, workflow_sha=sha
        )

    def _choose_places(self, assignment: Assignment) -> dict[str, str]:
        """Return where labels run: on the machine itself where both sides allow it.

        Raises:
            ExecutorError: the job may not run where it is to, or there is nowhere.
        """
        order, places = assignment.order, dict(assignment.places)
        may_use_host = assignment.allow_host and self._means.allow_host
        place = find_place(order.labels, places)
        if place == HOST and not may_use_host:
            raise ExecutorError(
                "The job is to run on the machine itself, which has to be allowed",
                hint="Set `host` for its repository, and start the runner with --allow-host",
            )
        if place is None and may_use_host:
            places[EVERY_LABEL] = HOST
        elif place is None and order.job.container is None:
            places[EVERY_LABEL] = self._find_default()
        return places

    def _find_default(self) -> str:
        if not self._default_place:
            choice = DefaultPlace().find()
            if isinstance(choice, NoPlace):
                raise ExecutorError(choice.message, hint=choice.hint)
            self._default_place = choice.place
            self._learn(choice.place)
        return self._default_place


def name_work(job: JobId) -> str:
    """Return how the folder is called in which a job has its workspace."""
    return f"{job.run}.{job.attempt}.{job.number}"


def _make_source(assignment: Assignment, mirror: Mirror | SharedMirror) -> Source:
    """Return the repository as the job sees it: its commit, fetched once somebody asks for it."""
    repository = replace(assignment.repository, root=str(mirror.root), head_sha=assignment.sha)
    return Source(
        repository=repository,
        sha=assignment.sha,
        ref=assignment.ref,
        state=mirror.state,
        committed_only=True,
        layered=True,
        prepare=mirror.update,
    )
