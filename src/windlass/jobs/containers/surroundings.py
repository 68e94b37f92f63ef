"""What stands around a job that names containers: they are evaluated, its services run beside it.

Source: actions/runner src/Runner.Worker/JobExtension.cs (InitializeJob, FinalizeJob)
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

from windlass.docker.addresses import find_address
from windlass.docker.engine import Engine
from windlass.jobs.containers.faults import ContainerFault, StartCancelledError
from windlass.jobs.containers.labels import own_labels
from windlass.jobs.containers.services import JobServices, Place
from windlass.jobs.containers.sweeping import sweep_once
from windlass.jobs.executors.host import HostExecutor
from windlass.jobs.executors.interface import JobRequest
from windlass.model.status import Result
from windlass.model.values import replace
from windlass.plan.containers import evaluate_containers
from windlass.plan.faults import PlanFault
from windlass.plan.interruptions import OVERDUE
from windlass.plan.keys import describe_fault
from windlass.plan.steps import FinishJob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from windlass.jobs.cancellation import Cancellation
    from windlass.lang.expressions import Value
    from windlass.plan.containers import JobContainers
    from windlass.plan.orders import StartJob
    from windlass.plan.steps import JobOpened

_SECONDS_PER_MINUTE = 60


def run_with_containers(
    order: StartJob,
    secrets: Mapping[str, str],
    opened: JobOpened,
    request: JobRequest,
    cancellation: Cancellation,
    machine: Mapping[str, str],
    run: Callable[[JobRequest, Mapping[str, Value]], FinishJob],
) -> FinishJob:
    """Start what the job names, let `run` have it, and remove it again.

    `opened` is what is known outside of the job's place, `request` that place without containers.
    `run` gets the request with them, and what they add to the `job` context. A job whose containers
    cannot be started fails without any step.

    Raises:
        DockerError: the daemon is not there, or went away.
    """
    found = evaluate_containers(order, secrets, opened)
    if isinstance(found, PlanFault):
        return FinishJob(Result.FAILURE, problems=(describe_fault(found),))
    for alias in found.without_image:
        request.note(
            f"The service '{alias}' will not be started because the container definition has an "
            "empty image."
        )
    if found.container is None and not found.services:
        return run(request, {})
    engine = Engine(find_address(machine))
    patience = Patience(cancellation, order.timeout_minutes)
    try:
        with serve(found, engine, request, patience) as services:
            wanted = replace(
                request,
                container=found.container,
                services=found.services,
                network=services.network,
                forwards=services.forwards,
                rename_volume=services.keep_volume,
            )
            return run(wanted, services.facts)
    except ContainerFault as fault:
        return FinishJob(Result.FAILURE, problems=fault.problems)
    except StartCancelledError:
        return FinishJob(Result.CANCELLED, problems=patience.problems)


class Patience:
    """Waits while containers are started, until the job is cancelled or has taken too long."""

    def __init__(self, cancellation: Cancellation, minutes: int) -> None:
        """Listen to the cancellation; who runs the job's steps listens in this one's place."""
        self._minutes = minutes
        self._ended = threading.Event()
        self._overdue = False
        cancellation.listen(lambda _: self._ended.set(), self._ended.set)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why there is no more patience, where nobody asked for the end."""
        if not self._overdue:
            return ()
        return (f"{OVERDUE} of {self._minutes} minutes.",)

    def pause(self, seconds: float) -> bool:
        """Wait; tell whether the job is to end."""
        return self._ended.wait(seconds)

    @contextlib.contextmanager
    def limited(self) -> Iterator[None]:
        """Count the job's time."""
        if self._minutes <= 0:
            yield
            return
        timer = threading.Timer(self._minutes * _SECONDS_PER_MINUTE, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end(self) -> None:
        self._overdue = True
        self._ended.set()


@contextlib.contextmanager
def serve(
    containers: JobContainers, engine: Engine, request: JobRequest, patience: Patience
) -> Iterator[JobServices]:
    """Have the services run. A supervisor of their own removes them, should Windlass be killed."""
    sweep_once(engine)
    with contextlib.closing(HostExecutor().open(JobRequest(key=request.key))) as guardian:
        place = Place(
            engine=engine,
            key=os.urandom(6).hex(),
            labels=own_labels(request.key),
            note=request.note,
            pause=patience.pause,
            guard=lambda container: guardian.guard(container, engine.address.text),
        )
        services = JobServices(place)
        try:
            with patience.limited():
                services.start(containers.services, containers.container)
            yield services
        finally:
            services.close()
