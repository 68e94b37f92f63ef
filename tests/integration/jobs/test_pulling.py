"""Jobs that are to end while an image is pulled from a slow registry, with a real daemon."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.registry import SilentRegistry

from windlass.docker.containers import list_containers
from windlass.docker.networks import list_networks
from windlass.jobs import patience
from windlass.jobs.containers.labels import OWNER, name_owner
from windlass.jobs.executors.docker import DockerExecutor
from windlass.model.status import Result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.jobs.conftest import Bench

    from windlass.docker.engine import Engine

SECONDS = 60
PROMPT_SECONDS = 45
PLACES = {
    "label": "",
    "container": "    container: IMAGE\n",
    "service": "    services: {slow: {image: IMAGE}}\n",
}


@pytest.fixture
def registry() -> Iterator[SilentRegistry]:
    with SilentRegistry() as registry:
        yield registry


@pytest.fixture
def image(registry: SilentRegistry, bench: Bench, docker: Engine) -> str:
    """The name of an image that never comes; labels stand for it."""
    image = f"{registry.host}/slow:1"
    bench.machine["DOCKER_HOST"] = docker.address.text
    bench.executor = DockerExecutor({"DOCKER_HOST": docker.address.text}, image=image)
    return image


@pytest.fixture(params=PLACES)
def job(request: pytest.FixtureRequest, image: str) -> str:
    """The keys of a job that needs the image."""
    return PLACES[request.param].replace("IMAGE", image)


@pytest.mark.parametrize("word", ["request", "force"])
def test_a_job_that_is_cancelled(
    bench: Bench, registry: SilentRegistry, job: str, word: str, docker: Engine
) -> None:
    """It ends soon, without a step, and leaves no container and no network."""

    def cancel() -> None:
        assert registry.asked.wait(SECONDS)
        cancelled.append(time.monotonic())
        if word == "request":
            bench.cancellation.request("enough")
        else:
            bench.cancellation.force()

    cancelled: list[float] = []
    thread = threading.Thread(target=cancel)
    thread.start()
    finished = bench.run("- {run: echo never, if: always()}", job=job)
    thread.join()

    assert time.monotonic() - cancelled[0] < PROMPT_SECONDS
    assert finished.result is Result.CANCELLED
    assert bench.ends() == []
    assert bench.errors() == []
    ours = [f"{OWNER}={name_owner()}"]
    assert not list_containers(docker, ours)
    assert not list_networks(docker, ours)


def test_a_job_whose_time_is_over(
    bench: Bench, registry: SilentRegistry, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`timeout-minutes` counts from the beginning; the words are those of the runner."""
    monkeypatch.setattr(patience, "_SECONDS_PER_MINUTE", 0.5)
    bench.timeout_minutes = 3

    assert bench.run("- run: echo never", job=job).result is Result.CANCELLED
    assert bench.errors() == [
        "The job running on runner windlass has exceeded the maximum execution time of 3 minutes."
    ]
