"""Starting one job of a local run: what is held back, where the job runs, which secrets it gets."""

from __future__ import annotations

import functools
import itertools
import shlex
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from windlass.engine.announcements import announce
from windlass.jobs.environment import read_called
from windlass.jobs.job import run_job
from windlass.jobs.source import Source
from windlass.lang.casing import fold
from windlass.model.status import Result
from windlass.operations.job_places import JobPlaces, Surroundings, names_api, names_checkout
from windlass.plan.faults import PlanFault
from windlass.plan.handover import hand_over
from windlass.plan.keys import describe_fault
from windlass.plan.orders import RejectJob
from windlass.plan.places import HOST, find_foreign_label
from windlass.plan.signals import JobFinished
from windlass.stores.state_folder import TOOLS, WORK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from windlass.jobs.cancellation import Cancellation
    from windlass.jobs.executors.interface import Executor
    from windlass.jobs.folders import JobFolders
    from windlass.jobs.place import JobPlace
    from windlass.operations.definitions import Definition
    from windlass.operations.history import History
    from windlass.plan.orders import StartJob
    from windlass.protocol.events import RunEvent
    from windlass.services.job_services import JobServices
    from windlass.services.run_services import RunServices
    from windlass.stores.run_folders import AttemptFolder


def work_folder(state: Path, run: str, attempt: int) -> Path:
    """Return where the jobs of an attempt have their folders: `NUMBER-NAME` each."""
    return state / WORK / (run if attempt == 1 else f"{run}.{attempt}")


class JobStarter:
    """Runs the jobs of one attempt in the calling threads, each in a folder of its own."""

    def __init__(
        self,
        definition: Definition,
        record: AttemptFolder,
        history: History,
        cover: Callable[[str], str],
    ) -> None:
        """Take what the attempt is made of, its folder, the history, and what names jobs in files.

        Jobs are numbered in the order in which they start; those of an attempt that is resumed go
        on from the numbers that are taken.
        """
        state = history.state
        self._history = history
        self._definition = definition
        self._allowed_environments = {fold(name) for name in definition.allowed_environments}
        self._record = record
        self._folder = work_folder(state, definition.run, definition.attempt)
        self._numbers = itertools.count(record.count_jobs() + 1)
        self._cover = cover
        self._services: RunServices | None = None
        self._serving = threading.Lock()
        self._source = Source(
            repository=definition.repository,
            sha=definition.event.sha,
            ref=definition.event.ref,
            state=state,
            committed_only=definition.committed,
            tree=record.read_tree(),
            tell_tree=record.write_tree,
            layered=not definition.keep,
        )
        self._places = JobPlaces(
            Surroundings(
                source=self._source,
                places=definition.places,
                work=self._folder,
                tools=state / TOOLS,
                sources=definition.sources,
                variables=definition.given.env,
                keep=definition.keep,
                asks_api=names_api(definition.texts.values()),
            )
        )
        self._source.prepare_state()
        if not definition.keep:
            self._remove_folders()
        if names_checkout(definition.texts.values()):
            self._source.begin()

    def run_job(
        self, order: StartJob, cancellation: Cancellation, emit: Callable[[RunEvent], None]
    ) -> JobFinished:
        """Run one job to its end, or fail it with the reason why it is not started.

        Raises:
            PlatformError: the job's place could not be made.
        """
        obstacle = self._find_obstacle(order)
        secrets = hand_over(self._definition.given.secrets, order.handovers)
        if isinstance(secrets, PlanFault):
            obstacle = obstacle or describe_fault(secrets)
        if obstacle is not None or isinstance(secrets, PlanFault):
            for event in announce(RejectJob(order.key, order.name, obstacle or "")):
                emit(event)
            return JobFinished(order.key, Result.FAILURE, started=False)
        executor = self._places.find_executor(order)
        return run_job(
            order,
            executor=executor,
            place=self._make_place(order, executor),
            secrets=secrets,
            emit=emit,
            cancellation=cancellation,
        )

    def close(self) -> Path | None:
        """Remove the run's folder, or return it where the jobs' folders are kept."""
        if self._services is not None:
            self._services.close()
        if self._definition.keep:
            return self._folder
        # What could not be removed has been told already, by the job that it belongs to.
        with suppress(OSError):
            self._folder.rmdir()
        return None

    def _remove_folders(self) -> None:
        """Remove the folders of jobs that were interrupted; they start again in others."""
        if self._folder.exists():
            # Imported only where there is something to remove.
            from windlass.jobs.workspaces.removal import remove_folder

            with suppress(OSError):
                remove_folder(self._folder)

    def _find_obstacle(self, order: StartJob) -> str | None:
        environment = order.environment
        if environment is not None and fold(environment) not in self._allowed_environments:
            return (
                f"The job is held: a local run deploys to the environment '{environment}' only "
                f"where it is told to; --allow-environment {shlex.quote(environment)} lets it"
            )
        label = find_foreign_label(order.labels, self._definition.places)
        if label is not None:
            return (
                f"The job needs a runner with the label '{label}', and this machine runs Linux; "
                f"-P {label}={HOST} runs it here all the same"
            )
        return None

    def _make_place(self, order: StartJob, executor: Executor) -> JobPlace:
        key, number = self._cover(order.key), next(self._numbers)
        return self._places.make(
            order,
            executor,
            number=number,
            name=key,
            record=self._record.open_job(number, key),
            services=functools.partial(self._open_services, order),
        )

    def _open_services(
        self, order: StartJob, address: str, folders: JobFolders, listener: int | None
    ) -> JobServices:
        """Begin to serve a job, by its folders as it sees them itself, at an address it reaches.

        A `listener` listens there already. The first job that needs it starts what serves them all.
        """
        # Imported only where a job needs it.
        from windlass.services.caches.portable import Places
        from windlass.services.jobs import ServedJob
        from windlass.services.run_services import RunServices

        definition, history = self._definition, self._history
        with self._serving:
            if self._services is None:
                self._services = RunServices(history.database, history.state, history.tell)
        github = order.contexts.get("github")
        job = ServedJob(
            run=definition.run,
            attempt=definition.attempt,
            key=order.key,
            github=github if isinstance(github, Mapping) else {},
            permissions=order.permissions,
            environment=order.environment,
            workflow_path=order.workflow.path,
            workflow_sha=self._find_commit(order.workflow.path),
            places=Places(
                folder=str(folders.root), home=str(folders.home), workspace=str(folders.workspace)
            ),
        )
        return self._services.open(job, address, listener)

    def _find_commit(self, workflow_path: str) -> str:
        """Return the commit that a workflow of another repository was read from, "" for our own."""
        called = read_called(workflow_path)
        return "" if called is None else self._places.find_published().locate(called).sha
