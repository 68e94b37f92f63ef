"""What stands around a job that names containers: they are evaluated, its services run beside it.

Source: actions/runner src/Runner.Worker/JobExtension.cs (InitializeJob, FinalizeJob)
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from windlass.docker.addresses import find_address
from windlass.docker.engine import Engine
from windlass.jobs.containers.faults import ContainerFault
from windlass.jobs.containers.labels import own_labels
from windlass.jobs.containers.services import JobServices, Place
from windlass.jobs.containers.sweeping import sweep_once
from windlass.jobs.executors.host import HostExecutor
from windlass.jobs.executors.interface import JobRequest
from windlass.model.status import Result
from windlass.model.values import replace
from windlass.plan.containers import evaluate_containers
from windlass.plan.faults import PlanFault
from windlass.plan.keys import describe_fault
from windlass.plan.steps import FinishJob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from windlass.lang.expressions import Value
    from windlass.plan.containers import JobContainers
    from windlass.plan.orders import StartJob
    from windlass.plan.steps import JobOpened


def run_with_containers(
    order: StartJob,
    secrets: Mapping[str, str],
    opened: JobOpened,
    request: JobRequest,
    machine: Mapping[str, str],
    run: Callable[[JobRequest, Mapping[str, Value]], FinishJob],
) -> FinishJob:
    """Start what the job names, let `run` have it, and remove it again.

    `opened` is what is known outside of the job's place, `request` that place without containers.
    `run` gets the request with them, and what they add to the `job` context. A job whose containers
    cannot be started fails without any step.

    Raises:
        DockerError: the daemon is not there, or went away.
        StartCancelledError: the job is to end.
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
    try:
        with serve(found, engine, request) as services:
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


@contextlib.contextmanager
def serve(containers: JobContainers, engine: Engine, request: JobRequest) -> Iterator[JobServices]:
    """Have the services run. A supervisor of their own removes them, should Windlass be killed."""
    sweep_once(engine)
    with contextlib.closing(HostExecutor().open(JobRequest(key=request.key))) as guardian:
        place = Place(
            engine=engine,
            key=os.urandom(6).hex(),
            labels=own_labels(request.key),
            note=request.note,
            pause=request.patience.pause,
            guard=lambda container: guardian.guard(container, engine.address.whole),
        )
        services = JobServices(place)
        try:
            with request.patience.limited():
                services.start(containers.services, containers.container)
            yield services
        finally:
            services.close()
