"""One job's life: its place is made, the job machine says what to do, the place is removed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from windlass.errors import WorkspaceError
from windlass.jobs.artifact_subjects import ArtifactSubjects
from windlass.jobs.command import StepError
from windlass.jobs.details import describe_action
from windlass.jobs.environment import (
    base_variables,
    container_variables,
    job_context,
    runner_context,
)
from windlass.jobs.executors.interface import JobRequest
from windlass.jobs.folders import JobFolders
from windlass.jobs.job_needs import (
    may_ask_api,
    may_ask_identity,
    may_need_preparation,
    may_need_services,
)
from windlass.jobs.loop import JobLoop
from windlass.jobs.masking import Masker
from windlass.jobs.outputs import release_outputs, release_url
from windlass.jobs.patience import Patience, StartCancelledError
from windlass.jobs.place import StepPlace
from windlass.jobs.reports import JobReporter
from windlass.jobs.steps import StepEnd, run_step
from windlass.model.status import Result
from windlass.model.values import replace
from windlass.plan.handover import TOKEN
from windlass.plan.job import JobMachine
from windlass.plan.signals import JobFinished
from windlass.plan.steps import ActionLoaded, FinishJob, JobCancelRequested, JobOpened
from windlass.stores.logs import JobLogWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from windlass.jobs.cancellation import Cancellation
    from windlass.jobs.executors.interface import DockerNeed, Executor, Session
    from windlass.jobs.place import JobPlace
    from windlass.jobs.running import RunningStep
    from windlass.jobs.service_offer import ServiceOffer
    from windlass.lang.expressions import Value
    from windlass.lang.workflow.model import Step
    from windlass.plan.orders import StartJob
    from windlass.plan.references import Reference
    from windlass.plan.steps import LoadAction, LoadedAction, StartStep
    from windlass.protocol.events import RunEvent

DEBUG_SETTING = "ACTIONS_STEP_DEBUG"
LOG_NAME = "log"


def run_job(
    order: StartJob,
    *,
    executor: Executor,
    place: JobPlace,
    secrets: Mapping[str, str],
    emit: Callable[[RunEvent], None],
    cancellation: Cancellation,
) -> JobFinished:
    """Run one job to its end in the calling thread and return how it ended.

    `emit` gets everything onlookers may see of this job, from JobStarted to JobFinished, without
    secrets. It is called from this thread and, for a cancellation, a time-out or a step beside
    others, from others.

    Raises:
        PlatformError: the place of the job could not be made.
    """
    return _JobRun(order, executor, place, secrets, emit, cancellation).run()


class _JobRun:
    def __init__(
        self,
        order: StartJob,
        executor: Executor,
        place: JobPlace,
        secrets: Mapping[str, str],
        emit: Callable[[RunEvent], None],
        cancellation: Cancellation,
    ) -> None:
        self._order = order
        self._executor = executor
        self._place = place
        self._secrets = secrets
        self._emit = emit
        self._cancellation = cancellation
        self._masker = Masker(secrets.values())
        self._reporter = JobReporter(order.key, self._masker, emit)
        self._debug = _wants_debug(order, secrets)
        self._folders = JobFolders(place.folder, place.source.name, place.tools)
        self._writer: JobLogWriter | None = None
        self._facts: Mapping[str, Value] = {}
        self._addresses: Mapping[str, Value] = {}

    def run(self) -> JobFinished:
        record = self._place.record
        if record is None:
            return self._run_with_log(None)
        record.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.closing(JobLogWriter(record / LOG_NAME)) as writer:
            return self._run_with_log(writer)

    def _run_with_log(self, writer: JobLogWriter | None) -> JobFinished:
        order, clock = self._order, self._place.clock
        started = clock.now()
        self._writer = self._reporter.writer = writer
        self._reporter.start_job(order.name, self._executor.name)
        finish = self._run_in_place()
        for problem in finish.problems:
            self._reporter.annotate("error", problem)
        result, outputs = release_outputs(
            finish.outputs, finish.result, self._masker, self._reporter
        )
        url = release_url(
            finish.environment_url, order.environment or "", self._masker, self._reporter
        )
        seconds = clock.now() - started
        self._reporter.finish_job(order.name, result, seconds, outputs, url)
        return JobFinished(order.key, result, outputs)

    def _run_in_place(self) -> FinishJob:
        """Make the job's place, run its steps there and leave nothing behind."""
        patience = Patience(self._cancellation, self._order.timeout_minutes)
        try:
            self._folders.make()
            request = JobRequest(
                key=self._order.key,
                record=self._place.record,
                folders=self._folders,
                note=self._reporter.note,
                docker=self._find_docker_need(self._order.job.steps),
                patience=patience,
            )
            if self._order.job.container is None and self._order.job.services is None:
                return self._run_as_requested(request, {})
            return self._run_with_containers(request)
        except StartCancelledError:
            return FinishJob(Result.CANCELLED, problems=patience.problems)
        finally:
            if not self._place.keep:
                self._remove_folders()

    def _run_with_containers(self, request: JobRequest) -> FinishJob:
        # Imported only where there is one: a job without containers needs no Docker.
        from windlass.jobs.containers.surroundings import run_with_containers

        return run_with_containers(
            self._order,
            self._secrets,
            self._describe_place(self._folders, {}),
            request,
            self._place.machine,
            self._run_as_requested,
        )

    def _run_as_requested(self, request: JobRequest, facts: Mapping[str, Value]) -> FinishJob:
        """Run the steps; `facts` are what stands around the job adds to the `job` context."""
        self._facts = facts
        with contextlib.closing(self._executor.open(request)) as session:
            self._masker.listen(session.hide)
            if request.docker is not None:
                session.provide_docker(request.docker)
            return self._run_in_session(session)

    def _run_in_session(self, session: Session) -> FinishJob:
        place = self._make_step_place(session)
        self._take_token(place)
        loop = self._make_loop(place)
        try:
            self._cancellation.listen(
                lambda reason: loop.tell(JobCancelRequested(reason)),
                lambda: loop.tell(JobCancelRequested("ended at once", at_once=True)),
            )
            try:
                loop.tell(self._open(place))
            except StepError as error:
                return FinishJob(Result.FAILURE, problems=(str(error),))
            return loop.run()
        finally:
            loop.close()
            if place.services is not None:
                place.services.close()

    def _remove_folders(self) -> None:
        """Remove the job's folders; what cannot be removed changes nothing about its result."""
        try:
            self._folders.remove()
        except WorkspaceError as error:
            self._reporter.annotate("warning", f"{error.message}. {error.hint}")

    def _make_step_place(self, session: Session) -> StepPlace:
        inside = session.folders or self._folders
        return StepPlace(
            job_key=self._order.key,
            folders=self._folders,
            inside=inside,
            session=session,
            source=self._place.source,
            masker=self._masker,
            clock=self._place.clock,
            base=self._make_base(inside, session),
            debug=self._debug,
            emit=self._emit,
            writer=self._writer,
            services=self._offer_services(session),
            steps=self._order.job.steps,
            workflow_path=self._order.workflow.path,
            published=self._place.published,
            subjects=ArtifactSubjects(self._place.record, self._masker.mask_text),
        )

    def _offer_services(self, session: Session) -> ServiceOffer | None:
        open_services = self._place.services
        needed = self._place.asks_api or may_need_services(self._order)
        if open_services is None or not needed:
            return None
        # Imported only where they may be needed: a job of scripts needs none of it.
        from windlass.jobs.service_offer import ServiceOffer

        inside = session.folders or self._folders
        return ServiceOffer(
            lambda address, listener: open_services(address, inside, listener),
            session.address,
            session.listen,
            self._masker,
            is_for_scripts=may_ask_identity(self._order),
        )

    def _take_token(self, place: StepPlace) -> None:
        """Give the job a token of Windlass's own where none was given and it may ask for one.

        Then GitHub's REST API is the one that is served here, for what is known here.
        """
        may_ask = self._place.asks_api or may_ask_api(self._order)
        if place.services is None or TOKEN in self._secrets or not may_ask:
            return
        try:
            token, self._addresses = place.services.open_api()
        except StepError as error:
            self._reporter.annotate("warning", f"The job has no token: {error}")
        else:
            self._secrets = {**self._secrets, TOKEN: token}

    def _make_loop(self, steps: StepPlace) -> JobLoop:
        machine = JobMachine(
            self._order,
            secrets=self._secrets,
            functions={"hashFiles": lambda patterns: _hash_files(steps, patterns)},
            is_built_in=_is_built_in,
        )
        return JobLoop(
            machine,
            perform=lambda order, running: _perform(order, steps, running),
            load=lambda order: self._load(order, steps),
            reporter=self._reporter,
            clock=self._place.clock,
        )

    def _open(self, place: StepPlace) -> JobOpened:
        """Write the event's payload and return what the job's contexts are to say of this place.

        Raises:
            StepError: an action is not there or cannot be read.
        """
        from windlass.lang.expressions import to_json

        event_file = self._folders.event_file
        event = _mapping(self._order.contexts.get("github")).get("event")
        try:
            event_file.write_text(to_json(event), encoding="utf-8", errors="replace")
        except OSError as error:
            raise WorkspaceError(
                f"The event's payload cannot be written to {event_file}: {error.strerror}"
            ) from error
        opened = self._describe_place(place.inside, place.session.facts)
        actions = self._load_actions(place)
        self._provide_docker(place, self._order.job.steps, actions)
        return replace(opened, actions=actions)

    def _describe_place(self, folders: JobFolders, facts: Mapping[str, Value]) -> JobOpened:
        """Return what the job's contexts say of its place, in which `folders` are found so."""
        github = _mapping(self._order.contexts.get("github"))
        known: dict[str, Value] = {
            "workspace": str(folders.workspace),
            "event_path": str(folders.event_file),
            "job": self._order.job.id,
            **self._addresses,
        }
        if token := self._secrets.get(TOKEN):
            known["token"] = token
        job = job_context(github, self._order.workflow.path, self._find_commit)
        return JobOpened(
            runner=runner_context(folders, name=self._place.runner, debug=self._debug),
            job={**job, **self._facts, **_join(self._facts, facts)},
            github=known,
            variables=self._place.variables,
        )

    def _find_commit(self, reference: Reference) -> str:
        """Return the commit that a workflow of another repository was read from."""
        published = self._place.published
        return "" if published is None else published().locate(reference).sha

    def _load_actions(self, place: StepPlace) -> dict[str, LoadedAction]:
        if not may_need_preparation(self._order):
            return {}
        # Imported only where there is one: a job of scripts needs none of it.
        from windlass.jobs.actions.preparing import ActionPreparer

        return ActionPreparer(place, self._reporter.note).prepare(self._order.job.steps)

    def _load(self, order: LoadAction, place: StepPlace) -> ActionLoaded:
        # Imported only where there is one: a job without actions reads no action files.
        from windlass.jobs.actions.loading import load_action

        loaded = load_action(order, place)
        if loaded.action is not None:
            runs = loaded.action.action.runs
            self._provide_docker(place, getattr(runs, "steps", ()), loaded.parts)
        return loaded

    def _provide_docker(
        self, place: StepPlace, steps: Sequence[Step], actions: Mapping[str, LoadedAction]
    ) -> None:
        """Have a Docker daemon there where it turns out, by an action, that one is needed.

        Raises:
            ExecutorError: it cannot be had.
        """
        if need := self._find_docker_need(steps, actions):
            place.session.provide_docker(need)

    def _find_docker_need(
        self, steps: Sequence[Step], actions: Mapping[str, LoadedAction] | None = None
    ) -> DockerNeed | None:
        needs = self._place.docker
        return None if needs is None else needs.find(steps, actions)

    def _make_base(self, inside: JobFolders, session: Session) -> dict[str, str]:
        tracking = f"windlass_{os.urandom(16).hex()}"
        machine = self._place.machine
        if session.variables is None:
            base = base_variables(inside, machine, tracking)
        else:
            base = container_variables(inside, machine, session.variables, tracking)
        return {**base, **self._place.variables}


def _join(around: Mapping[str, Value], place: Mapping[str, Value]) -> dict[str, Value]:
    """Return what a place tells of a job, with what stands around it told in the same keys."""
    return {
        name: {**_mapping(around.get(name)), **_mapping(value)} for name, value in place.items()
    }


def _hash_files(place: StepPlace, patterns: Sequence[Value]) -> Value:
    # Imported only where it is called: hashing is not free to import.
    from windlass.jobs.hashing import hash_in_workspace

    return hash_in_workspace(place, patterns)


def _is_built_in(uses: str) -> bool:
    # Imported only where there is an action: a job without a checkout needs no Git.
    from windlass.jobs.checkout import is_checkout

    return is_checkout(uses)


def _perform(order: StartStep, place: StepPlace, running: RunningStep) -> StepEnd:
    """Run one step to its end, by whoever can."""
    if order.uses is None or order.action is not None:
        return run_step(order, place, running)
    place.report(order.key).note(describe_action(order.uses, order.inputs, order.variables))
    # Imported only where there is one: a job without a checkout needs no Git.
    from windlass.jobs.checkout import run_checkout_step

    return run_checkout_step(order, place, place.source)


def _wants_debug(order: StartJob, secrets: Mapping[str, str]) -> bool:
    """Tell whether ACTIONS_STEP_DEBUG is true, as a secret or else as a variable."""
    given: object = secrets.get(DEBUG_SETTING)
    if given is None:
        given = _mapping(order.contexts.get("vars")).get(DEBUG_SETTING)
    return str(given).strip().lower() == "true"


def _mapping(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, Mapping) else {}
