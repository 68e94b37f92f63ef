"""Actions in JavaScript in a job's container, with a real daemon: whose Node.js runs them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.images import TOOLS, make_tools_image
from tests.remotes import Remotes

from windlass.docker.images import remove_image
from windlass.jobs.actions.published import PublishedActions
from windlass.jobs.executors.docker import DockerExecutor
from windlass.model.action_sources import ActionSources
from windlass.model.status import Result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.jobs.conftest import Bench

    from windlass.docker.engine import Engine

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not on PATH")
IMAGE = f"windlass-test/node:{os.getpid()}"
FILES = {
    "action.yml": "runs: {using: node20, main: main.js}\n",
    "main.js": "console.log(process.execPath, __dirname)\n",
}


@pytest.fixture
def bench(
    bench: Bench, docker: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    """The bench, with jobs in an image that each test makes, and a published action."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    remotes = Remotes(tmp_path)
    remotes.publish("acme/say", FILES)
    published = PublishedActions(ActionSources(urls=(remotes.url,)), "https://github.com")
    bench.published = lambda: published
    bench.executor = DockerExecutor({"DOCKER_HOST": docker.address.text}, image=IMAGE)
    yield bench
    remove_image(docker, IMAGE, force=True)


def test_an_image_with_node_runs_its_own(bench: Bench, docker: Engine) -> None:
    """Nothing of this machine is put into the tool cache."""
    make_tools_image(docker, IMAGE, (*TOOLS, "node"))

    assert bench.run("- uses: acme/say@v1").result is Result.SUCCESS, bench.errors()
    assert "bin/node /__w/_actions/acme/say/v1\n" in bench.output()
    assert not [*(bench.root / "tools").iterdir()]


def test_an_image_without_node_runs_that_of_this_machine(bench: Bench, docker: Engine) -> None:
    """It is put into the tool cache once, and found there by later jobs."""
    make_tools_image(docker, IMAGE, (*TOOLS, "node"), without="node")

    for _ in range(2):
        assert bench.run("- uses: acme/say@v1\n- uses: acme/say@v1").result is Result.SUCCESS
        assert bench.output().count("/__t/_node/") == 2
    assert len([*(bench.root / "tools").rglob("node*")]) == 1


def test_an_image_in_which_no_node_runs_says_so(bench: Bench, docker: Engine) -> None:
    """It lacks the libraries that the one of this machine needs."""
    make_tools_image(docker, IMAGE)

    assert bench.run("- uses: acme/say@v1").result is Result.FAILURE
    [error] = bench.errors()
    assert error.startswith("The action runs on Node.js 20. The job's image has no Node.js, and ")
