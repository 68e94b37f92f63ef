"""Pushed code runs in a container or in a sandbox, from the runner's mirror of the repository."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.images import provide_job_image
from tests.integration.runner.conftest import assign
from tests.integration.runner.test_jobs import CHECKOUT, JOB, lines_of
from tests.sandboxes import need_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.runner_server import Held, RunnerServer

    from windlass.docker.engine import Engine

CACHE = Path(__file__).parents[3] / ".cache"
"""Git ignores it, and it is not below /tmp, which is hidden from every job in a sandbox."""

OWN_CONTAINER = """
    on: push
    jobs:
      build:
        runs-on: ubuntu-latest
        container: {image}
        steps:
          - uses: actions/checkout@v4
          - run: cat sail.txt && git log --format=%s
"""


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder that a sandbox would show."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        yield Path(folder)


def place_of(held: Held) -> str:
    return str(next(it["place"] for it in held.told if it["event"] == "job-started"))


def test_in_a_sandbox(
    played: RunnerServer, start: Callable[..., Any], repository: Path, tmp_path: Path
) -> None:
    """The job has its checkout, and sees nothing else of what the runner keeps."""
    need_sandbox()
    state = tmp_path / "state"
    unseen = (state / "runs", state / "repositories/7/repository/.git/config")
    look = " && ".join(f"test ! -e {path}" for path in unseen)
    workflow = CHECKOUT.replace("cat sail.txt\n", f"cat sail.txt && {look} && echo hidden\n", 1)
    played.assign(assign(workflow, root=repository, allow_host=False, places={"*": "sandbox"}))
    with start():
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert held.end.outputs == {"colour": "white"}, bytes(held.files["log"]).decode()
    assert place_of(held) == "sandbox"
    assert "hidden" in lines_of(held, tmp_path / "there")


def test_in_a_container(
    played: RunnerServer, start: Callable[..., Any], repository: Path, docker: Engine
) -> None:
    """The place of its label is an image."""
    image = provide_job_image(docker)
    places = {"*": f"docker://{image}"}
    played.assign(assign(CHECKOUT, root=repository, allow_host=False, places=places))
    with start():
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert held.end.outputs == {"colour": "white"}, bytes(held.files["log"]).decode()
    assert place_of(held) == f"docker://{image}"


def test_in_a_container_of_its_own(
    played: RunnerServer,
    start: Callable[..., Any],
    repository: Path,
    docker: Engine,
    tmp_path: Path,
) -> None:
    """What the workflow names comes before every other place, and needs no leave."""
    workflow = OWN_CONTAINER.replace("{image}", provide_job_image(docker))
    played.assign(assign(workflow, root=repository, allow_host=False))
    with start(allow_host=False):
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert held.end.result == "success", bytes(held.files["log"]).decode()
    lines = lines_of(held, tmp_path / "there")
    assert "white" in lines
    assert "Set sail" in lines
