"""What a job with containers does where no daemon is needed, and how long it waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.plan.planning import read

from windlass.errors import DockerError
from windlass.jobs.containers.surroundings import run_with_containers
from windlass.jobs.executors.interface import JobRequest
from windlass.model.status import Result
from windlass.plan.orders import StartJob
from windlass.plan.steps import FinishJob, JobOpened

if TYPE_CHECKING:
    from collections.abc import Mapping

NOWHERE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}


class Play:
    """Runs a job with some keys, and keeps what it was given and what it noted."""

    def __init__(self, keys: str) -> None:
        workflow = read(
            f"on: push\njobs:\n  a:\n    runs-on: x\n    {keys}\n    steps: [{{run: 'true'}}]\n"
        )
        self.order = StartJob(
            key="a", name="a", job=workflow.jobs[0], workflow=workflow,
            contexts={"vars": {}, "matrix": {"n": 1}}, labels=(), environment=None,
            timeout_minutes=1, continue_on_error=False,
        )  # fmt: skip
        self.lines: list[str] = []
        self.given: list[tuple[JobRequest, Mapping[str, Any]]] = []

    def run(self) -> FinishJob:
        return run_with_containers(
            self.order,
            {},
            JobOpened(runner={}),
            JobRequest(key="a", note=self.lines.append),
            NOWHERE,
            self._take,
        )

    def _take(self, request: JobRequest, facts: Mapping[str, Any]) -> FinishJob:
        self.given.append((request, facts))
        return FinishJob(Result.SUCCESS)


def test_services_without_images_need_no_daemon() -> None:
    """Each is named, and the job runs as if it had none."""
    play = Play("services: {a: '${{ vars.a }}', b: {image: '${{ vars.b }}'}}")

    assert play.run().result is Result.SUCCESS
    ((request, facts),) = play.given
    assert (request.container, request.services, request.network, facts) == (None, {}, "", {})
    assert play.lines == [
        f"The service '{name}' will not be started because the container definition has an empty "
        "image."
        for name in "ab"
    ]


def test_an_empty_container_is_none() -> None:
    """A job whose container is empty runs where its label says."""
    play = Play("container: {image: '${{ vars.none }}', options: --init}")

    assert play.run().result is Result.SUCCESS
    assert play.given[0][0].container is None


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (
            "services: {a: {image: a, ports: '${{ matrix.n }}'}}",
            ".github/workflows/ci.yml (Line: 5, Col: 37): Unexpected value '1'",
        ),
        (
            "container: ${{ fromJSON('nonsense') }}",
            ".github/workflows/ci.yml (Line: 5, Col: 16): Error parsing JSON",
        ),
    ],
)
def test_a_key_at_fault(keys: str, problem: str) -> None:
    """The job fails without any step, and says where the key is."""
    play = Play(keys)

    finish = play.run()

    assert finish.result is Result.FAILURE
    (told,) = finish.problems
    assert told.startswith(problem)
    assert play.given == []


def test_without_a_daemon() -> None:
    """A job with a service cannot run without a daemon: that is not its own failure."""
    with pytest.raises(DockerError):
        Play("services: {a: redis}").run()
